import { type Command, Option } from 'commander';
import { invocationOf, leaf } from './command-line.ts';
import type { InitOptions } from './init-action.ts';
import { noPassphraseOption, passphraseFileOption } from './passphrase-options.ts';

export function initCommand(): Command {
  const whole = 'A whole network:';
  return leaf({
    usage: 'init',
    summary: 'prepare the home of a node, or of every node of a new network',
    purpose:
      'Prepares the home of one node: a commented config.toml, its keys, its journal and an operator token. ' +
      'With --network, prepares a new network: its genesis document and one home for each authority. ' +
      'Nothing that exists is overwritten.',
    examples: [
      'counterfoil init --home my-node --genesis genesis.json',
      'counterfoil init --network my-network --authorities 4 --no-passphrase',
    ],
  })
    .optionsGroup('One node:')
    .addOption(new Option('--genesis <file>', 'the network to join (default: put genesis.json into the home later)'))
    .addOption(new Option('--follower', 'without a vote: no authority key and no journal'))
    .addOption(new Option('--network <dir>', 'where to put the homes').helpGroup(whole))
    .addOption(new Option('--authorities <number>', 'how many (default: as many as --names, or 4)').helpGroup(whole))
    .addOption(
      new Option(
        '--names <name,...>',
        'of the nodes and their organisations (default: federation,venue,boxoffice,city,...)',
      ).helpGroup(whole),
    )
    .addOption(
      new Option(
        '--hosts <host,...>',
        'names of their containers, one each (default: all on this machine, on ports of their own)',
      ).helpGroup(whole),
    )
    .addOption(
      new Option('--base-port <number>', 'HTTP from the port after it on, peers 100 above')
        .default('7180')
        .helpGroup(whole),
    )
    .addOption(
      new Option('--network-id <name>', 'name of the network (default: the name of its directory)').helpGroup(whole),
    )
    .addOption(
      new Option('--iri-base <address>', 'what every name in its graphs begins with, for ever')
        .default('http://localhost/id/')
        .helpGroup(whole),
    )
    .optionsGroup('Secrets:')
    .addOption(passphraseFileOption())
    .addOption(noPassphraseOption())
    .action(async (options: InitOptions, command: Command) => {
      const { initNode, initNetwork } = await import('./init-action.ts');
      const invocation = invocationOf(command);
      if (options.network === undefined) await initNode(invocation, options);
      else await initNetwork(invocation, options, options.network);
    });
}
