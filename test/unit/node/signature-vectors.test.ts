import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { fromHex, utf8 } from '../../../src/lib/bytes.ts';
import { isHex, PublicKey, Signature } from '../../../src/model/ids.ts';
import { createAdmissionCheck, createSignatureCheck, zip215Check } from '../../../src/node/keys/signatures.ts';

/** Public edge vectors lie beside the repository when the machine has them; our own edge cases always run. */
const FOLDER = join(import.meta.dirname, '../../../../shared/vectors');

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly message: Uint8Array;
  readonly signature: string;
  /** What the vectors' authors say, where they speak of this rule at all. */
  readonly expected?: boolean;
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
}

function bytes(hex: string): Uint8Array {
  return defined(fromHex(hex), 'the vectors are in lower-case hex');
}

interface Cctv {
  readonly number: number;
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  /** Null when nothing is odd about a vector. */
  readonly flags: readonly string[] | null;
}

interface Speccheck {
  readonly message: string;
  readonly pub_key: string;
  readonly signature: string;
}

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

const SOURCES = {
  'ed25519-cctv-914.json': () =>
    read<readonly Cctv[]>('ed25519-cctv-914.json').map(
      (vector): Vector => ({
        name: `${vector.number} ${(vector.flags ?? []).join(' ')}`,
        key: vector.key,
        message: utf8(vector.msg),
        signature: vector.sig,
      }),
    ),
  'ed25519-speccheck-12.json': () =>
    read<readonly Speccheck[]>('ed25519-speccheck-12.json').map(
      (vector, index): Vector => ({
        name: String(index),
        key: vector.pub_key,
        message: bytes(vector.message),
        signature: vector.signature,
        // Table 5 of "Taming the many EdDSAs": ZIP-215 refuses 6 and 7 (S not reduced) and 10 (encoded anew).
      }),
    ),
  'ed25519-wycheproof-151.json': () =>
    read<Wycheproof>('ed25519-wycheproof-151.json').testGroups.flatMap((group) =>
      group.tests.map(
        (test): Vector => ({
          name: String(test.tcId),
          key: group.publicKey.pk,
          message: bytes(test.msg),
          signature: test.sig,
          // 151 is a commitment that RFC 8032 cannot decode; ZIP-215 takes it for the neutral point.
          expected: test.result === 'valid' || test.tcId === 151,
        }),
      ),
    ),
} as const;

const ACCEPTED = { 'ed25519-cctv-914.json': 826, 'ed25519-speccheck-12.json': 9, 'ed25519-wycheproof-151.json': 89 };

const check = createSignatureCheck();
const native = createAdmissionCheck();

for (const [file, vectors] of Object.entries(SOURCES)) {
  describe.skipIf(!existsSync(join(FOLDER, file)))(file, () => {
    it('is judged by the rule as by ZIP-215, which takes all that OpenSSL takes', () => {
      let accepted = 0;
      for (const { name, key, message, signature, expected } of vectors()) {
        // A signature of another length never becomes a `Signature`.
        if (!isHex(signature, 64)) {
          expect(expected, name).toBe(false);
          continue;
        }
        const triple = [PublicKey(key), message, Signature(signature)] as const;
        const zip215 = zip215Check(...triple);
        expect(check(...triple), name).toBe(zip215);
        if (native(...triple)) expect(zip215, `${name}: OpenSSL takes it`).toBe(true);
        if (expected !== undefined) expect(zip215, name).toBe(expected);
        accepted += zip215 ? 1 : 0;
      }
      expect(accepted).toBe(ACCEPTED[file as keyof typeof ACCEPTED]);
    });
  });
}
