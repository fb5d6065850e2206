import { type Command, Option } from 'commander';
import { invocationOf, leaf } from './command-line.ts';
import type { SimulateOptions } from './simulate-action.ts';

export function simulateCommand(): Command {
  return leaf({
    usage: 'simulate',
    summary: 'networks with faults and liars in simulated time, repeatable from a seed',
    purpose:
      'Runs the consensus core that nodes run, on networks that lose messages, crash and lie, in simulated time; with ' +
      '--full whole nodes, with their ledger, their journals on disks that fail, and clients; with --peering authorities, ' +
      'followers and hostile peers that find each other, catch up and pass on what is new. Each seed is one network; the same seed is the same run on every machine. A seed that breaks an invariant is ' +
      'printed with the command that runs it again.',
    examples: ['counterfoil simulate --full --seed 42 --nodes 4 --trace', 'counterfoil simulate --peering --seeds 20'],
  })
    .addOption(new Option('--seed <number>', 'run this one'))
    .addOption(new Option('--seeds <number>', 'or so many, from --from on').default('100'))
    .addOption(new Option('--from <number>', 'the first of them').default('1'))
    .addOption(new Option('--nodes <number>', 'authorities (default: drawn from the seed)'))
    .addOption(new Option('--window <number>', 'blocks in flight (default: drawn from the seed)'))
    .addOption(new Option('--full', 'whole nodes and their clients, thirty times slower'))
    .addOption(new Option('--peering', 'whole nodes, followers and hostile peers'))
    .addOption(new Option('--trace', 'every event, a line each'))
    .action(async (options: SimulateOptions, command: Command) => {
      const { simulate } = await import('./simulate-action.ts');
      await simulate(invocationOf(command), options);
    });
}
