import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateChange } from '../../src/ledger/state.ts';
import { PageOverlay } from '../../src/ledger/state-pages.ts';
import { prove, type StateProof, stateProofLayout, verifyProof } from '../../src/ledger/state-proof.ts';
import { type TreeWork, updateTree } from '../../src/ledger/state-tree.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { decode, encode } from '../../src/model/codec.ts';
import { EMPTY, rootOf, StoredPages, ticket, tickets } from '../unit/ledger/stored-pages.ts';

/** Batches of records of up to 64 tickets, many of them written again and again. */
const batches = fc.array(
  fc.uniqueArray(fc.record({ number: fc.nat(63), value: fc.nat(3) }), {
    selector: ({ number }) => number,
    maxLength: 24,
  }),
  { minLength: 1, maxLength: 8 },
);

function changesOf(batch: readonly { readonly number: number; readonly value: number }[]): StateChange[] {
  return batch.map(({ number, value }) => ticket(number, `value ${value}`));
}

/** The newest of each record. */
function newest(changes: readonly StateChange[]): StateChange[] {
  return [...new Map(changes.map((change) => [toHex(change.key), change])).values()];
}

describe('the state tree', () => {
  it('agrees with its definition after any sequence of batches, stored or on overlays', () => {
    fc.assert(
      fc.property(batches, (sequence) => {
        const stored = new StoredPages();
        let overlay = new PageOverlay(EMPTY);
        const all: StateChange[] = [];
        for (const batch of sequence) {
          const changes = changesOf(batch);
          all.push(...changes);
          const expected = rootOf(newest(all));
          const { root, pageWrites } = updateTree(overlay, changes);
          overlay = overlay.child(pageWrites);
          expect(root).toBe(expected);
          expect(stored.update(changes).root).toBe(expected);
        }
        const rebuilt = new StoredPages();
        rebuilt.update(newest(all));
        expect(new Map([...rebuilt.bytes].map(([path, bytes]) => [path, toHex(bytes)]))).toEqual(
          new Map([...stored.bytes].map(([path, bytes]) => [path, toHex(bytes)])),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('has one root for every order', () => {
    const shuffled = fc.shuffledSubarray(tickets(0, 40), { minLength: 40 });
    const expected = rootOf(tickets(0, 40));
    fc.assert(fc.property(shuffled, (changes) => updateTree(EMPTY, changes).root === expected));
  });

  it('costs no more per record in a large state than the logarithm says', () => {
    const block = (pages: StoredPages, total: number): TreeWork => {
      const prng = createPrng(total);
      const chosen = new Set<number>();
      while (chosen.size < 500) chosen.add(prng.below(total));
      return pages.update([...chosen].map((number) => ticket(number, 'second'))).work;
    };
    const pages = new StoredPages();
    pages.update(tickets(0, 1_000));
    const small = block(pages, 1_000);
    for (let from = 1_000; from < 100_000; from += 9_900) pages.update(tickets(from, from + 9_900));
    const large = block(pages, 100_000);
    // A hundred times as many records are seven more levels, and two more pages, for each of the 500.
    expect(large.nodeHashes - small.nodeHashes).toBeLessThan(500 * 7);
    expect(large.pageWrites - small.pageWrites).toBeLessThan(500 * 2);
    expect(large.nodeHashes / 500).toBeLessThan(11);
    expect(large.pageWrites / 500).toBeLessThan(2.5);
    expect(large.pageReads).toBeLessThanOrEqual(large.pageWrites);
  });
});

describe('a proof', () => {
  const pages = new StoredPages();
  const { root } = pages.update(tickets(0, 120));
  const subject = fc.nat(239).map((number) => ({ number, key: ticket(number).key }));

  it('shows presence and absence, and is read back from its bytes', () => {
    fc.assert(
      fc.property(subject, ({ number, key }) => {
        const bytes = encode(stateProofLayout, prove(pages, key));
        const proof = decode(stateProofLayout, bytes);
        const proven = proof.ok ? verifyProof(root, key, proof.value) : undefined;
        expect(proven?.isPresent).toBe(number < 120);
      }),
    );
  });

  it('shows nothing once any bit of it is flipped', () => {
    fc.assert(
      fc.property(subject, fc.nat(), ({ key }, position) => {
        const bytes = encode(stateProofLayout, prove(pages, key));
        const bit = position % (8 * bytes.length);
        const flipped = bytes.map((byte, index) => (index === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte));
        const proof = decode<StateProof>(stateProofLayout, flipped);
        expect(proof.ok ? verifyProof(root, key, proof.value) : undefined).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows nothing under another root', () => {
    const other = pages.update([ticket(500)]).root;
    fc.assert(
      fc.property(subject, ({ key }) => {
        expect(verifyProof(root, key, prove(pages, key))).toBeUndefined();
        expect(verifyProof(other, key, prove(pages, key))).toBeDefined();
      }),
    );
  });
});
