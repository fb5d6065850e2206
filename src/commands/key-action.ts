import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { counted } from '../lib/words.ts';
import { AUTHORITIES_MAX } from '../model/limits.ts';
import {
  exportKey,
  importKey,
  movingNotice,
  readKeyFile,
  readKeyFileHeader,
  writeKeyFile,
} from '../node/keys/key-file.ts';
import type { Key, KeyFileFault, Protection } from '../node/keys/key-format.ts';
import { generateKeyPair, KEY_KINDS, type KeyKind } from '../node/keys/key-pair.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { homeOf, readGivenFile } from './files.ts';
import { makeJournal, writeKey } from './homes.ts';
import type { PassphraseOptions } from './passphrase-options.ts';
import { newProtection, Passphrases } from './passphrases.ts';

/** @throws CommandError with the sentence of a fault */
function keyProblem(fault: KeyFileFault): CommandError {
  const exit = fault.code === 'KEY_MISSING' ? 'NOT_FOUND' : 'FAILED';
  return new CommandError(exit, `${fault.reason}.`, { code: fault.code });
}

/** Opens a key, asking for its passphrase when it needs one. */
export async function loadKey(path: string, passphrases: Passphrases, kind?: KeyKind): Promise<Key> {
  const header = readKeyFileHeader(path);
  if (!header.ok) throw keyProblem(header.error);
  const passphrase = header.value.isEncrypted ? await passphrases.get(`Passphrase of ${path}`) : undefined;
  const key = readKeyFile(path, passphrase, kind);
  if (!key.ok) throw keyProblem(key.error);
  return key.value;
}

interface NewKeyOptions extends PassphraseOptions {
  readonly kind: string;
  readonly out?: string;
  readonly journal?: string;
}

export async function makeKey(invocation: Invocation, options: NewKeyOptions): Promise<void> {
  const kind = KEY_KINDS.find((known) => known === options.kind) ?? 'client';
  const home = homeOf(invocation);
  const path = options.out === undefined ? join(home, 'keys', `${kind}.key`) : resolve(options.out);
  const protection = await newProtection(invocation, options);
  const pair = generateKeyPair(randomBytes);
  const journal = kind === 'authority' ? journalFor(home, path, options) : undefined;
  if (journal !== undefined) await makeJournal(journal, pair);
  writeKey(path, kind, pair, protection);
  const made = { kind, public_key: pair.publicKey, file: path, ...(journal === undefined ? {} : { journal }) };
  invocation.terminal.result(made, () => pair.publicKey);
  invocation.terminal.talk(`Wrote ${path}${journal === undefined ? '' : ` and its journal ${journal}`}.`);
}

function journalFor(home: string, path: string, { out, journal }: NewKeyOptions): string {
  if (journal !== undefined) return resolve(journal);
  return out === undefined ? join(home, 'journal') : journalBeside(path);
}

function journalBeside(path: string): string {
  return `${path.replace(/\.key$/, '')}.journal`;
}

export function showKey(invocation: Invocation, file: string): void {
  const header = readKeyFileHeader(file);
  if (!header.ok) throw keyProblem(header.error);
  const { kind, publicKey, isEncrypted } = header.value;
  const shown = { kind, public_key: publicKey, encrypted: isEncrypted, file };
  invocation.terminal.result(shown, () => `${publicKey}  ${kind}${isEncrypted ? ', encrypted' : ', NOT encrypted'}`);
}

export async function printExport(
  invocation: Invocation,
  file: string,
  options: { readonly passphraseFile?: string; readonly exportPassphraseFile?: string },
): Promise<void> {
  const key = await loadKey(file, new Passphrases(invocation, options.passphraseFile));
  const question = 'Passphrase for the exported key';
  const passphrase = await new Passphrases(invocation, options.exportPassphraseFile).get(question, true);
  invocation.terminal.raw(exportKey(key, { kind: 'passphrase', passphrase, randomBytes }));
  const notice = movingNotice(key.kind);
  if (notice !== undefined) invocation.terminal.talk(notice);
}

export async function takeImport(
  invocation: Invocation,
  file: string,
  options: { readonly out: string; readonly passphraseFile?: string },
): Promise<void> {
  const passphrase = await new Passphrases(invocation, options.passphraseFile).get(`Passphrase of ${file}`);
  const key = importKey(new TextDecoder().decode(readGivenFile(file)), passphrase);
  if (!key.ok) throw keyProblem(key.error);
  const path = resolve(options.out);
  const written = writeKeyFile(path, key.value, { kind: 'passphrase', passphrase, randomBytes });
  if (!written.ok) throw keyProblem(written.error);
  const { kind, publicKey } = key.value;
  invocation.terminal.result({ kind, public_key: publicKey, file: path }, () => publicKey);
  const notice = movingNotice(kind);
  if (notice !== undefined) invocation.terminal.talk(notice);
}

interface GenerateOptions extends PassphraseOptions {
  readonly count: string;
  readonly out: string;
}

export async function generateKeys(invocation: Invocation, options: GenerateOptions): Promise<void> {
  const count = wholeNumber(options.count, '--count', 1, AUTHORITIES_MAX);
  const protection = await generateProtection(invocation, options);
  const directory = resolve(options.out);
  const made: { readonly file: string; readonly journal: string; readonly public_key: string }[] = [];
  for (let number = 1; number <= count; number += 1) {
    const file = join(directory, `authority-${number}.key`);
    const journal = journalBeside(file);
    const pair = generateKeyPair(randomBytes);
    await makeJournal(journal, pair);
    writeKey(file, 'authority', pair, protection);
    made.push({ file, journal, public_key: pair.publicKey });
  }
  invocation.terminal.result(made, () => tomlOf(made));
  invocation.terminal.talk(`Wrote ${counted(count, 'authority key')} with journals to ${directory}.`);
}

/** Scripts make keys too: without anybody to ask, they get plain ones and are told. */
async function generateProtection(invocation: Invocation, options: GenerateOptions): Promise<Protection> {
  const passphrases = new Passphrases(invocation, options.passphraseFile);
  if (options.passphrase && passphrases.canBeHad) return newProtection(invocation, options);
  if (options.passphrase) {
    invocation.terminal.talk('WARNING: no terminal and no --passphrase-file: these keys are NOT encrypted.');
  }
  return { kind: 'no-passphrase' };
}

function tomlOf(
  made: readonly { readonly file: string; readonly journal: string; readonly public_key: string }[],
): string {
  const keys = made.map(({ public_key }) => `  ${JSON.stringify(public_key)},`);
  const each = made.map(({ file, journal }, index) =>
    [
      '',
      `# Authority ${index + 1} only:`,
      '# [consensus]',
      `# authority_key_file = ${JSON.stringify(file)}`,
      '# [storage]',
      `# journal_dir = ${JSON.stringify(journal)}`,
    ].join('\n'),
  );
  return ['# For config.toml of every node:', '[consensus]', 'authority_keys = [', ...keys, ']', ...each].join('\n');
}
