import { type Command, Option } from 'commander';
import { invocationOf, leaf } from './command-line.ts';
import type { DevnetCommandOptions } from './devnet-action.ts';

export function devnetCommand(version: string): Command {
  return leaf({
    usage: 'devnet',
    summary: 'a network of real processes on this machine, to try it',
    purpose:
      'Starts a network of real processes on this machine, with an event and its tickets, and tells what happens. ' +
      'Its keys are public: anybody can sign as its nodes. Never for real tickets. ' +
      'Without --home it lives in a temporary directory that goes when it ends, also when it is killed: ' +
      'its nodes notice, stop, and the last one removes the directory.',
    examples: ['counterfoil devnet', 'counterfoil devnet --nodes 1 --base-port 9000 --home my-net'],
  })
    .addOption(new Option('--nodes <number>', 'authorities, each a process of its own; one finalises too').default('4'))
    .addOption(new Option('--followers <number>', 'nodes without a vote, which check every block').default('1'))
    .addOption(
      new Option('--base-port <port>', 'all nodes; HTTP of each from the next one on, peers 100 above them').default(
        '7180',
      ),
    )
    .addOption(new Option('--tickets <number>', 'sample tickets to issue').default('500'))
    .addOption(new Option('--json-out <file>', 'write what there is as JSON, once it is ready'))
    .action(async (options: DevnetCommandOptions, command: Command) => {
      const startedAt = Date.now();
      const { runDevnet } = await import('./devnet-action.ts');
      await runDevnet(invocationOf(command), options, { startedAt, version });
    });
}
