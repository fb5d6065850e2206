import { type Command, Option } from 'commander';
import type { BenchCommandOptions } from './bench-action.ts';
import { invocationOf, leaf } from './command-line.ts';

export function benchCommand(): Command {
  return leaf({
    usage: 'bench',
    summary: 'how fast a local network is, and how fast the machine lets it be',
    purpose:
      'Starts a local network of real processes and measures finality through real sockets: one transaction in flight,\n' +
      'then more and more lanes at once. Every transaction is signed by a client, checked once at admission, and final\n' +
      'on disk before it is answered. The limits of the machine are measured in the same run.\n' +
      'All nodes, the client and the disk share this machine: it says what they cost, not what a network would do.',
    examples: ['counterfoil bench', 'counterfoil bench --nodes 1 --rounds 1 --json'],
  })
    .addOption(new Option('--nodes <number>', 'authorities').default('4'))
    .addOption(new Option('--rounds <number>', 'repetitions: their spread is shown').default('3'))
    .addOption(new Option('--alone <number>', 'transactions of a round with one in flight').default('300'))
    .addOption(new Option('--loaded <number>', 'transactions of a round under load').default('3000'))
    .addOption(new Option('--lanes <list>', 'how many at once, one measurement each').default('16,64,256'))
    .addOption(new Option('--queries <number>', 'clients that ask in SPARQL in one more measurement').default('8'))
    .addOption(new Option('--base-port <port>', 'ports of the network').default('7680'))
    .action(async (options: BenchCommandOptions, command: Command) => {
      const { bench } = await import('./bench-action.ts');
      await bench(invocationOf(command), options);
    });
}
