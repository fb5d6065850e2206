import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../../../src/lib/bytes.ts';
import {
  exportKey,
  importKey,
  movingNotice,
  readKeyFile,
  readKeyFileHeader,
  writeKeyFile,
} from '../../../../src/node/keys/key-file.ts';
import type { Key, Protection } from '../../../../src/node/keys/key-format.ts';
import { createSigner, generateKeyPair, KEY_KINDS } from '../../../../src/node/keys/key-pair.ts';

const PASSPHRASE = 'correct horse Ä battery';
const plain: Protection = { kind: 'no-passphrase' };
/** The cheapest guess that a file may ask for: these tests are about the form, not about the cost. */
const locked = { kind: 'passphrase', passphrase: PASSPHRASE, randomBytes, costLog2: 14 } as const;

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-keys-'));
  path = join(folder, 'keys', 'node.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function newKey(kind: Key['kind'] = 'node'): Key {
  return { kind, ...generateKeyPair(randomBytes) };
}

function code(result: { readonly ok: boolean; readonly error?: { readonly code: string } }): string {
  return result.ok ? 'ok' : (result.error?.code ?? '');
}

/** Puts changed text where the key file was. */
function rewrite(change: (document: Record<string, unknown>) => void): void {
  const document = JSON.parse(readFileSync(path, 'utf8'));
  change(document);
  writeFileSync(path, JSON.stringify(document));
}

describe('a key file', () => {
  it.each(KEY_KINDS)('gives back the %s key that was put in, encrypted or not', (kind) => {
    for (const [index, protection] of [plain, locked].entries()) {
      const key = newKey(kind);
      const file = join(folder, `${index}.json`);
      expect(writeKeyFile(file, key, protection)).toEqual({ ok: true, value: undefined });
      expect(readKeyFile(file, PASSPHRASE, kind)).toEqual({ ok: true, value: key });
      expect(createSigner(key.secretKey).publicKey).toBe(key.publicKey);
    }
  });

  it('is for its owner alone, in a directory for its owner alone, with nothing left beside it', () => {
    writeKeyFile(path, newKey(), locked);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'keys'))).toEqual(['node.json']);
  });

  it('is never replaced', () => {
    const key = newKey();
    writeKeyFile(path, key, plain);
    expect(code(writeKeyFile(path, newKey(), plain))).toBe('KEY_EXISTS');
    expect(readKeyFile(path)).toEqual({ ok: true, value: key });
    expect(readdirSync(join(folder, 'keys'))).toEqual(['node.json']);
  });

  it('shows its public part without the passphrase', () => {
    const key = newKey('client');
    writeKeyFile(path, key, locked);
    const header = { kind: 'client', publicKey: key.publicKey, isEncrypted: true };
    expect(readKeyFileHeader(path)).toEqual({ ok: true, value: header });
  });

  it('holds no secret in the open when it is encrypted, and differs each time', () => {
    const key = newKey();
    writeKeyFile(path, key, locked);
    writeKeyFile(`${path}.2`, key, locked);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain(toHex(key.secretKey));
    expect(text).not.toBe(readFileSync(`${path}.2`, 'utf8'));
  });

  it('says what is missing or wrong', () => {
    expect(code(readKeyFile(path))).toBe('KEY_MISSING');
    expect(code(readKeyFile(join(folder, 'keys', 'no', 'such')))).toBe('KEY_MISSING');
    writeKeyFile(path, newKey(), locked);
    expect(code(readKeyFile(path))).toBe('KEY_ENCRYPTED');
    expect(code(readKeyFile(path, 'another'))).toBe('WRONG_PASSPHRASE');
    expect(code(readKeyFile(path, PASSPHRASE, 'authority'))).toBe('KEY_KIND');
  });

  it('is refused when others can read, write or run it', () => {
    writeKeyFile(path, newKey(), plain);
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777]) {
      chmodSync(path, mode);
      expect(code(readKeyFile(path)), mode.toString(8)).toBe('KEY_READABLE_BY_OTHERS');
      expect(code(readKeyFileHeader(path)), mode.toString(8)).toBe('KEY_READABLE_BY_OTHERS');
    }
    chmodSync(path, 0o400);
    expect(code(readKeyFile(path))).toBe('ok');
  });

  it('takes a passphrase typed with combining characters for the same', () => {
    writeKeyFile(path, newKey(), locked);
    expect(code(readKeyFile(path, PASSPHRASE.normalize('NFD')))).toBe('ok');
  });

  it('is refused when any field of it was changed', () => {
    const other = newKey();
    const changes: readonly [string, (document: Record<string, unknown>) => void, string][] = [
      ['format', (d) => Object.assign(d, { format: 'other' }), 'KEY_MALFORMED'],
      ['version', (d) => Object.assign(d, { version: 2 }), 'KEY_MALFORMED'],
      ['kind', (d) => Object.assign(d, { kind: 'authority' }), 'WRONG_PASSPHRASE'],
      ['unknown kind', (d) => Object.assign(d, { kind: 'root' }), 'KEY_MALFORMED'],
      ['public key', (d) => Object.assign(d, { public_key: other.publicKey }), 'WRONG_PASSPHRASE'],
      ['no public key', (d) => Reflect.deleteProperty(d, 'public_key'), 'KEY_MALFORMED'],
      ['upper case', (d) => Object.assign(d, { public_key: other.publicKey.toUpperCase() }), 'KEY_MALFORMED'],
      ['another field', (d) => Object.assign(d, { label: 'mine' }), 'KEY_MALFORMED'],
      ['both secrets', (d) => Object.assign(d, { secret_key: toHex(other.secretKey) }), 'KEY_MALFORMED'],
      ['no secret', (d) => Reflect.deleteProperty(d, 'encrypted_secret_key'), 'KEY_MALFORMED'],
    ];
    const sealed = ['salt', 'nonce', 'ciphertext', 'tag'].map((field) => (d: Record<string, unknown>) => {
      const envelope = d['encrypted_secret_key'] as Record<string, string>;
      envelope[field] = (envelope[field] ?? '').replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    });
    writeKeyFile(path, newKey(), locked);
    const text = readFileSync(path, 'utf8');
    for (const [name, change, expected] of changes) {
      rewrite(change);
      expect(code(readKeyFile(path, PASSPHRASE)), name).toBe(expected);
      writeFileSync(path, text);
    }
    for (const change of sealed) {
      rewrite(change);
      expect(code(readKeyFile(path, PASSPHRASE))).toBe('WRONG_PASSPHRASE');
      writeFileSync(path, text);
    }
    expect(code(readKeyFile(path, PASSPHRASE))).toBe('ok');
  });

  it('cannot ask for more memory or less work than is reasonable', () => {
    writeKeyFile(path, newKey(), locked);
    for (const cost of [0, 13, 19, 40, 14.5, '14', null]) {
      rewrite((document) => Object.assign(document['encrypted_secret_key'] as object, { cost_log2: cost }));
      expect(code(readKeyFile(path, PASSPHRASE)), String(cost)).toBe('KEY_MALFORMED');
    }
    rewrite((document) => Object.assign(document['encrypted_secret_key'] as object, { cost_log2: 15 }));
    expect(code(readKeyFile(path, PASSPHRASE))).toBe('WRONG_PASSPHRASE');
  });

  it('is refused when the secret is not that of the public key', () => {
    writeKeyFile(path, { ...newKey(), publicKey: newKey().publicKey }, plain);
    expect(code(readKeyFile(path))).toBe('KEY_MALFORMED');
  });

  it('is a small file of JSON and nothing else', () => {
    mkdirSync(join(folder, 'keys'), { mode: 0o700 });
    expect(code(readKeyFile(join(folder, 'keys')))).toBe('KEY_MALFORMED');
    for (const text of ['', '[]', 'null', '"x"', '{', 'x'.repeat(5_000)]) {
      writeFileSync(path, text, { mode: 0o600 });
      expect(code(readKeyFile(path)), text.slice(0, 9)).toBe('KEY_MALFORMED');
    }
  });

  it('never tells a secret in a fault', () => {
    const key = newKey();
    const secret = toHex(key.secretKey);
    writeKeyFile(path, key, plain);
    const text = readFileSync(path, 'utf8');
    for (const broken of [
      `${text}}`,
      text.replace('"version": 1', '"version": 9'),
      text.replace(secret, `${secret}0`),
    ]) {
      writeFileSync(path, broken);
      const result = readKeyFile(path, PASSPHRASE);
      expect(code(result)).toBe('KEY_MALFORMED');
      expect(JSON.stringify(result)).not.toContain(secret.slice(0, 16));
      expect(JSON.stringify(result)).not.toContain(PASSPHRASE);
    }
  });
});

describe('a key that moves', () => {
  it('arrives as it left, under its passphrase', () => {
    const key = newKey('client');
    const text = exportKey(key, locked);
    expect(importKey(text, PASSPHRASE)).toEqual({ ok: true, value: key });
    expect(code(importKey(text, undefined))).toBe('KEY_ENCRYPTED');
    expect(code(importKey(`${text}${' '.repeat(5_000)}`, PASSPHRASE))).toBe('KEY_MALFORMED');
  });

  it('comes with a warning when it votes', () => {
    expect(movingNotice('authority')).toContain('journal');
    expect(movingNotice('node')).toBeUndefined();
    expect(movingNotice('client')).toBeUndefined();
  });
});
