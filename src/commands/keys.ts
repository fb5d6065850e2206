import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { noPassphraseOption, type PassphraseOptions, passphraseFileOption } from './passphrase-options.ts';

const KINDS = ['authority', 'node', 'client'];

function newKey(): Command {
  return leaf({
    usage: 'new',
    summary: 'make one key',
    purpose:
      'Makes one key, encrypted (scrypt and AES-256-GCM) in a file that only its owner can read. ' +
      'An authority key gets its journal of votes with it: it votes only where both were made.',
    examples: [
      'counterfoil keys new --kind client --out alice.key',
      'counterfoil keys new --kind authority --home my-node',
    ],
  })
    .addOption(new Option('--kind <kind>', 'what it is for').choices(KINDS).default('client'))
    .addOption(new Option('--out <file>', 'where to put it (default: keys/<kind>.key in the home)'))
    .addOption(
      new Option('--journal <dir>', 'journal of an authority key (default: journal in the home, or <file>.journal)'),
    )
    .addOption(passphraseFileOption())
    .addOption(noPassphraseOption())
    .action(async (options: PassphraseOptions & { kind: string; out?: string; journal?: string }, command: Command) => {
      const { makeKey } = await import('./key-action.ts');
      await makeKey(invocationOf(command), options);
    });
}

function show(): Command {
  return leaf({
    usage: 'show <file>',
    summary: 'the public half of a key; the secret stays closed',
    examples: ['counterfoil keys show keys/authority.key', 'counterfoil keys show alice.key --json'],
  }).action(async (file: string, _options: unknown, command: Command) => {
    const { showKey } = await import('./key-action.ts');
    showKey(invocationOf(command), file);
  });
}

function exportKey(): Command {
  return leaf({
    usage: 'export <file>',
    summary: 'print a key for another machine, always encrypted',
    purpose:
      'Prints a key as text for another machine, always encrypted, under a passphrase of its own. ' +
      'An authority key leaves its journal behind: where it arrives it observes and never votes.',
    examples: [
      'counterfoil keys export alice.key > alice.export',
      'counterfoil keys export alice.key --export-passphrase-file p > alice.export',
    ],
  })
    .addOption(passphraseFileOption())
    .addOption(new Option('--export-passphrase-file <file>', 'passphrase of what is printed (default: asked)'))
    .action(
      async (file: string, options: { passphraseFile?: string; exportPassphraseFile?: string }, command: Command) => {
        const { printExport } = await import('./key-action.ts');
        await printExport(invocationOf(command), file, options);
      },
    );
}

function importKey(): Command {
  return leaf({
    usage: 'import <file>',
    summary: 'take a key that was exported elsewhere',
    examples: [
      'counterfoil keys import alice.export --out alice.key',
      'counterfoil keys import alice.export --out alice.key --passphrase-file p',
    ],
  })
    .addOption(new Option('--out <file>', 'where to put it').makeOptionMandatory())
    .addOption(new Option('--passphrase-file <file>', 'passphrase of the export and of the new file (default: asked)'))
    .action(async (file: string, options: { out: string; passphraseFile?: string }, command: Command) => {
      const { takeImport } = await import('./key-action.ts');
      await takeImport(invocationOf(command), file, options);
    });
}

function generate(): Command {
  return leaf({
    usage: 'generate',
    summary: 'make several authority keys and print the TOML to paste',
    purpose:
      'Makes authority keys, each with its journal beside it, and prints the TOML to paste into config.toml. ' +
      'Use each key where it was made: a journal cannot be copied, and without it the key never votes. ' +
      'Without a terminal and without a passphrase file the keys are not encrypted, and this says so.',
    examples: ['counterfoil keys generate --count 4 --out keys', 'npm run keys -- --count 4 --out keys'],
  })
    .addOption(new Option('--count <number>', 'how many').default('4'))
    .addOption(new Option('--out <dir>', 'where to put them').default('keys'))
    .addOption(passphraseFileOption())
    .addOption(noPassphraseOption())
    .action(async (options: PassphraseOptions & { count: string; out: string }, command: Command) => {
      const { generateKeys } = await import('./key-action.ts');
      await generateKeys(invocationOf(command), options);
    });
}

export function keysCommand(): Command {
  return group('keys', 'make, show and move keys', [newKey(), show(), exportKey(), importKey(), generate()]);
}
