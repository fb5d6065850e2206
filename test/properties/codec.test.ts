import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/lib/bytes.ts';
import { authoritySetLayout } from '../../src/model/authorities.ts';
import { blockLayout, bodyLayout, headerLayout, transactionLayout } from '../../src/model/block.ts';
import { certificateLayout, voteLayout } from '../../src/model/certificate.ts';
import { type Codec, decode, encode } from '../../src/model/codec.ts';
import { evidenceLayout } from '../../src/model/evidence.ts';
import { messageLayout } from '../../src/model/message.ts';
import { operationLayout } from '../../src/model/operation.ts';
import { receiptLayout } from '../../src/model/receipt.ts';
import { parseTransaction } from '../../src/model/transaction.ts';
import { checkpointLayout, newViewLayout, viewChangeLayout } from '../../src/model/view-change.ts';
import * as arbitrary from './arbitraries.ts';

/** A layout with values of it, so that a table can hold layouts of different things. */
interface Subject {
  readonly encoded: Arbitrary<Uint8Array>;
  /** The value that comes back after writing and reading, beside what was written. */
  readonly roundTrip: Arbitrary<readonly [written: unknown, read: unknown]>;
  /** What the accepted bytes re-encode to; undefined when they are refused. */
  readonly rewritten: (bytes: Uint8Array) => Uint8Array | undefined;
}

function subject<T>(layout: Codec<T>, values: Arbitrary<T>): Subject {
  return {
    encoded: values.map((value) => encode(layout, value)),
    roundTrip: values.map((value) => [{ ok: true, value }, decode(layout, encode(layout, value))] as const),
    rewritten: (bytes) => {
      const result = decode(layout, bytes);
      return result.ok ? encode(layout, result.value) : undefined;
    },
  };
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  operation: subject(operationLayout, arbitrary.operation),
  transaction: subject(transactionLayout, arbitrary.transaction),
  receipt: subject(receiptLayout, arbitrary.receipt),
  header: subject(headerLayout, arbitrary.header),
  body: subject(bodyLayout, arbitrary.body),
  block: subject(blockLayout, arbitrary.block),
  vote: subject(voteLayout, arbitrary.vote),
  certificate: subject(certificateLayout, arbitrary.certificate),
  'view change': subject(viewChangeLayout, arbitrary.viewChange),
  'new view': subject(newViewLayout, arbitrary.newView),
  checkpoint: subject(checkpointLayout, arbitrary.checkpoint),
  evidence: subject(evidenceLayout, arbitrary.evidence),
  'authority set': subject(authoritySetLayout, arbitrary.authoritySet),
  message: subject(messageLayout, arbitrary.message),
};

/** Either refused, or exactly the encoding of what was read. */
function expectCanonical({ rewritten }: Subject, bytes: Uint8Array): void {
  const again = rewritten(bytes);
  if (again !== undefined && toHex(again) !== toHex(bytes)) expect(toHex(again)).toBe(toHex(bytes));
}

describe.each(Object.entries(SUBJECTS))('the layout of a %s', (_, one) => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(one.roundTrip, ([written, read]) => {
        expect(read).toEqual(written);
      }),
    );
  });

  it('refuses every part of an encoding, and anything after it', () => {
    const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(one.encoded, place, fc.uint8Array({ minLength: 1, maxLength: 9 }), (bytes, at, tail) => {
        expect(one.rewritten(bytes.subarray(0, Math.floor(at * bytes.length)))).toBeUndefined();
        expect(one.rewritten(Buffer.concat([bytes, tail]))).toBeUndefined();
      }),
    );
  });

  it('takes only the one encoding of a value, whatever byte is changed', () => {
    fc.assert(
      fc.property(one.encoded, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, flip) => {
        const changed = Uint8Array.from(bytes);
        const place = at % bytes.length;
        changed[place] = (changed[place] ?? 0) ^ flip;
        expectCanonical(one, changed);
      }),
    );
  });

  it('makes no exception of random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => expectCanonical(one, bytes)));
  });
});

describe('a message', () => {
  it('of each kind survives the change of each of its bytes as itself or not at all', () => {
    const kinds = new Map<number, Uint8Array>();
    for (const bytes of fc.sample(SUBJECTS['message']?.encoded ?? fc.constant(new Uint8Array()), {
      numRuns: 400,
      seed: 7,
    })) {
      const longest = kinds.get(bytes[0] ?? 0);
      if (bytes.length < 2_000 && (longest === undefined || longest.length < bytes.length))
        kinds.set(bytes[0] ?? 0, bytes);
    }
    expect([...kinds.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, index) => index + 1));
    const messages = subject(messageLayout, arbitrary.message);
    for (const bytes of kinds.values()) {
      for (let place = 0; place < bytes.length; place += 1) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const changed = Uint8Array.from(bytes);
          changed[place] = (changed[place] ?? 0) ^ flip;
          expectCanonical(messages, changed);
        }
      }
    }
  });
});

describe('a transaction', () => {
  it('is read as it was sealed, with an id that its signature does not change', () => {
    fc.assert(
      fc.property(arbitrary.transaction, arbitrary.signature, (sealed, other) => {
        expect(parseTransaction(sealed.bytes)).toEqual({ ok: true, value: sealed });
        const resigned = Buffer.concat([sealed.bytes.subarray(0, -64), Buffer.from(other, 'hex')]);
        expect(parseTransaction(resigned)).toMatchObject({ value: { id: sealed.id, signature: other } });
      }),
    );
  });
});
