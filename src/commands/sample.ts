import { type Command, Option } from 'commander';
import { invocationOf, leaf } from './command-line.ts';
import type { SampleOptions } from './sample-action.ts';

export function sampleCommand(): Command {
  return leaf({
    usage: 'sample',
    summary: 'write a chain of sample tickets, and what an auditor finds in it',
    purpose:
      'Writes genesis.json, chain.cf (for chain import), audit-exercise.nq and manifest.json: an event with everything ' +
      'that happens to its tickets, signed with the public keys of a devnet, the same bytes on every machine. The ' +
      'manifest has counts, hashes and the expected answer to every question. The exercise shows what the ledger refuses.',
    examples: ['counterfoil sample --out sample', 'counterfoil sample --size M --out sample-m --json'],
  })
    .addOption(new Option('--size <size>', 'S 500 tickets, M 10,000, L 60,000').choices(['S', 'M', 'L']).default('S'))
    .addOption(new Option('--out <dir>', 'a directory that is not there yet').makeOptionMandatory())
    .action(async (options: SampleOptions, command: Command) => {
      const { writeSample } = await import('./sample-action.ts');
      writeSample(invocationOf(command), options);
    });
}
