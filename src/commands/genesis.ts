import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import type { NewGenesisOptions } from './genesis-action.ts';

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function newGenesis(): Command {
  const network = 'What every node agrees on:';
  return leaf({
    usage: 'new',
    summary: 'write what a network agrees on before its first block',
    purpose:
      'Writes a genesis document in its canonical bytes; their hash is the chain id. ' +
      'Authorities vote, operators sign for an organisation; public keys come from counterfoil keys show.',
    examples: [
      'counterfoil genesis new --network-id cup --authority venue=<key> --operator venue=<key> --out genesis.json',
      'counterfoil genesis new --network-id cup --authority n1@venue=<key> --operator venue=<key> --roles venue=organiser,issuer --namespace venue=https://venue.example/',
    ],
  })
    .optionsGroup('Who takes part (each may be repeated):')
    .addOption(new Option('--authority <name[@organisation]=key>', 'a seat in consensus').argParser(collect))
    .addOption(new Option('--operator <organisation=key>', 'a key that signs for an organisation').argParser(collect))
    .addOption(
      new Option('--roles <organisation=role,...>', 'what it may ever be given (default: every role)').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--namespace <organisation=iri>', 'what the names of its own things begin with').argParser(collect),
    )
    .addOption(new Option('--network-id <name>', 'name of the network').makeOptionMandatory().helpGroup(network))
    .addOption(
      new Option('--iri-base <address>', 'what every name in its graphs begins with')
        .default('http://localhost/id/')
        .helpGroup(network),
    )
    .addOption(
      new Option('--block-interval <time>', 'an empty block after this long without one; 0s never')
        .default('60s')
        .helpGroup(network),
    )
    .addOption(new Option('--max-block-size <size>', 'bytes of a block').default('1MiB').helpGroup(network))
    .addOption(
      new Option('--checkpoint-interval <blocks>', 'a checkpoint is signed this often')
        .default('100')
        .helpGroup(network),
    )
    .addOption(
      new Option('--rotation-interval <blocks>', 'the proposer changes this often; 0 only when it fails')
        .default('0')
        .helpGroup(network),
    )
    .addOption(new Option('--max-ttl <time>', 'longest life of a transaction').default('10m').helpGroup(network))
    .addOption(new Option('--out <file>', 'where to write it (default: standard output)').helpGroup(network))
    .action(async (options: NewGenesisOptions, command: Command) => {
      const { makeGenesis } = await import('./genesis-action.ts');
      makeGenesis(invocationOf(command), options);
    });
}

function verify(): Command {
  return leaf({
    usage: 'verify <file>',
    summary: 'say whether a genesis document is in order, and what is wrong with it',
    examples: ['counterfoil genesis verify genesis.json', 'counterfoil genesis verify genesis.json --json'],
  }).action(async (file: string, _options: unknown, command: Command) => {
    const { verifyGenesis } = await import('./genesis-action.ts');
    verifyGenesis(invocationOf(command), file);
  });
}

function show(): Command {
  return leaf({
    usage: 'show <file>',
    summary: 'what a genesis document says, and its chain id',
    examples: ['counterfoil genesis show genesis.json', 'counterfoil genesis show genesis.json --json'],
  }).action(async (file: string, _options: unknown, command: Command) => {
    const { showGenesis } = await import('./genesis-action.ts');
    showGenesis(invocationOf(command), file);
  });
}

export function genesisCommand(): Command {
  return group('genesis', 'write, check and show what a network agrees on', [newGenesis(), verify(), show()]);
}
