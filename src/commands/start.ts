import { type Command, Option } from 'commander';
import { invocationOf, leaf } from './command-line.ts';
import { passphraseFileOption } from './passphrase-options.ts';
import type { StartCommandOptions } from './start-action.ts';

export function startCommand(version: string): Command {
  return leaf({
    usage: 'start',
    summary: 'run one node',
    purpose:
      'Runs one node from its home until Ctrl-C: it finishes what it decides, flushes and closes, within five seconds. ' +
      'Every setting of config.toml can also be given as COUNTERFOIL_SECTION_KEY; counterfoil config show lists them.',
    examples: [
      'counterfoil start --home my-node',
      'counterfoil start --config config.toml --home my-node --api-port 8080',
    ],
  })
    .addOption(new Option('--listen-port <port>', 'for other nodes: [network] listen_port (default: 7281)'))
    .addOption(new Option('--api-port <port>', 'for people and programs: [api] port (default: 7181)'))
    .addOption(passphraseFileOption())
    .action(async (options: StartCommandOptions, command: Command) => {
      const { runStart } = await import('./start-action.ts');
      process.exitCode = await runStart(invocationOf(command), options, version);
    });
}
