import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defined } from '../lib/assert.ts';
import { fromHex } from '../lib/bytes.ts';
import { renderConfig } from '../node/config/template.ts';
import type { RawValue } from '../node/config/values.ts';
import { writeKeyFile } from '../node/keys/key-file.ts';
import type { Protection } from '../node/keys/key-format.ts';
import type { KeyKind, KeyPair } from '../node/keys/key-pair.ts';
import { makeDirectories } from '../store/directories.ts';
import { openNodeDisk } from '../store/node-disk.ts';
import { createJournal } from '../store/open-journal.ts';
import { CommandError } from './exit-codes.ts';

const INCARNATION_BYTES = 16;
const TOKEN_BYTES = 32;

/** Everything that a node's home begins with. */
export interface NewHome {
  readonly directory: string;
  /** The document's bytes; a home without them gets its genesis later. */
  readonly genesis: Uint8Array | undefined;
  /** By `section.key`: what config.toml says besides the defaults. */
  readonly config: ReadonlyMap<string, RawValue>;
  /** Undefined for a node that only follows. */
  readonly authority: KeyPair | undefined;
  readonly node: KeyPair;
  readonly operator: KeyPair;
  readonly protection: Protection;
}

const MADE_HERE = ['config.toml', 'genesis.json', 'keys', 'journal', 'data'];

/** @throws CommandError when something of a home is there already: it would be overwritten. */
export function refuseExistingHome(directory: string): void {
  const found = MADE_HERE.find((name) => existsSync(join(directory, name)));
  if (found === undefined) return;
  throw new CommandError('FAILED', `${join(directory, found)} exists, and nothing is overwritten.`, {
    advice: 'Choose another directory, or remove the old one if you are sure that nobody needs its keys.',
  });
}

/** Writes a home: directories 0700, secrets 0600, the configuration last. */
export async function writeHome(home: NewHome): Promise<void> {
  refuseExistingHome(home.directory);
  makeDirectories(home.directory);
  const keys = join(home.directory, 'keys');
  if (home.authority !== undefined) {
    await makeJournal(join(home.directory, 'journal'), home.authority);
    writeKey(join(keys, 'authority.key'), 'authority', home.authority, home.protection);
  }
  writeKey(join(keys, 'node.key'), 'node', home.node, home.protection);
  writeKey(join(keys, 'operator.key'), 'client', home.operator, home.protection);
  writeNew(join(keys, 'operator.token'), `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`);
  if (home.genesis !== undefined) writeNew(join(home.directory, 'genesis.json'), home.genesis);
  writeNew(join(home.directory, 'config.toml'), renderConfig(home.config));
}

/** The journal comes before the key: a key that exists can always vote. */
export function makeJournal(directory: string, key: KeyPair): Promise<void> {
  const disk = openNodeDisk(directory);
  const publicKey = defined(fromHex(key.publicKey), 'a public key is hex');
  return new Promise((resolve, reject) => {
    createJournal({ disk, publicKey, incarnation: randomBytes(INCARNATION_BYTES) }, (created) => {
      if (created.ok) resolve();
      else if (created.error.code === 'DISK_FAILED') reject(created.error.cause);
      else reject(new CommandError('FAILED', `${directory} holds a journal already, and nothing is overwritten.`));
    });
  });
}

/** @throws CommandError when the file exists */
export function writeKey(path: string, kind: KeyKind, pair: KeyPair, protection: Protection): void {
  const written = writeKeyFile(path, { ...pair, kind }, protection);
  if (!written.ok) throw new CommandError('FAILED', `${written.error.reason}.`, { code: written.error.code });
}

function writeNew(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
}
