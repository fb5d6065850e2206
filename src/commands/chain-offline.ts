import { type Command, Option } from 'commander';
import type { ChainOptions } from './chain-offline-action.ts';
import { invocationOf, leaf } from './command-line.ts';

function withPlace(command: Command): Command {
  return command
    .optionsGroup('Where the chain is (default: the home):')
    .addOption(new Option('--data <dir>', 'a data directory by itself, such as a copy'))
    .addOption(new Option('--genesis <file>', 'the genesis document that it must follow from'));
}

function verify(): Command {
  const command = leaf({
    usage: 'verify',
    summary: 'check a data directory from genesis on, offline',
    purpose:
      'Checks a chain as if nothing in the data directory could be believed: every header, every signature and ' +
      'certificate, what executing each block yields, every row that is kept beside it, every record and page of the ' +
      'state. Only the genesis document is trusted. The node may run meanwhile: its file grows until this ends.',
    examples: [
      'counterfoil chain verify --home my-node',
      'counterfoil chain verify --data copy --genesis genesis.json',
    ],
  });
  return withPlace(command).action(async (options: ChainOptions, self: Command) => {
    const { verifyOffline } = await import('./chain-offline-action.ts');
    process.exitCode = await verifyOffline(invocationOf(self), options);
  });
}

function exportToFile(): Command {
  const command = leaf({
    usage: 'export',
    summary: 'write all blocks with their certificates to a file',
    examples: ['counterfoil chain export --out chain.cf', 'counterfoil chain export --home my-node --out chain.cf'],
  }).addOption(new Option('--out <file>', 'where to write it; nothing is overwritten').makeOptionMandatory());
  return withPlace(command).action(async (options: ChainOptions & { out: string }, self: Command) => {
    const { exportOffline } = await import('./chain-offline-action.ts');
    process.exitCode = await exportOffline(invocationOf(self), options);
  });
}

function importFromFile(): Command {
  return leaf({
    usage: 'import <file>',
    summary: 'take the blocks of an exported file, judging each of them',
    purpose:
      'Takes the blocks of a file that chain export wrote. Each is judged and executed as one that comes from a peer; ' +
      'nothing is stored that is not final under the authorities of genesis. Interrupted, it goes on where it was.',
    examples: ['counterfoil chain import chain.cf --home my-node', 'counterfoil chain import chain.cf --json'],
  }).action(async (file: string, _options: unknown, self: Command) => {
    const { importOffline } = await import('./chain-offline-action.ts');
    process.exitCode = await importOffline(invocationOf(self), file);
  });
}

/** What can be done with a chain when no node runs. */
export function offlineCommands(): readonly Command[] {
  return [verify(), exportToFile(), importFromFile()];
}

/** The process in which those do their work; not for people. */
export function jobCommand(): Command {
  return leaf({
    usage: 'job',
    summary: 'work of the other commands, in a process of its own',
    examples: ['counterfoil chain verify', 'counterfoil chain export --out chain.cf'],
  }).action(async () => {
    const { serveJobs } = await import('./chain-job.ts');
    serveJobs();
  });
}
