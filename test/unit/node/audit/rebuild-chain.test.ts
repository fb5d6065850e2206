import { beforeAll, describe, expect, it } from 'vitest';
import type { Jurisdiction } from '../../../../src/model/certificate.ts';
import { type RebuiltChain, rebuildChain } from '../../../../src/node/audit/rebuild-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../../../../src/node/keys/signatures.ts';
import { oldestRow, readBlock } from '../../../../src/store/blocks.ts';
import type { KeyValue, KeyValueChange, KeyValueReads } from '../../../../src/store/key-value.ts';
import { heightKey, META, TABLES } from '../../../../src/store/schema.ts';
import { ChainGenerator } from '../../../support/chain-generator.ts';
import { contentOf, copyOf, memoryStore, rowsOf } from '../../../support/stores.ts';

const BLOCKS = 20;

let generator: ChainGenerator;
let original: KeyValue;
let jurisdiction: Jurisdiction;

beforeAll(async () => {
  original = memoryStore();
  generator = await ChainGenerator.open(original, { seed: 21, transactions: 6, blocksPerCertificateMax: 3 });
  await generator.grow(BLOCKS);
  const { check } = memoizedCheck(createSignatureCheck(), 100_000);
  jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check };
});

async function rebuilt(
  damaged: KeyValueReads,
  into: KeyValue,
  steps: number = Number.POSITIVE_INFINITY,
): Promise<RebuiltChain | undefined> {
  const run = rebuildChain({ damaged, into, genesis: generator.genesis, jurisdiction });
  for (let step = 0; step < steps; step += 1) {
    const next = await run.next();
    if (next.done === true) return next.value;
  }
  return undefined;
}

/** The highest block that is certified by a certificate of a block below `height`. */
function lastFinalBelow(height: number): number {
  for (let last = height - 1; last > 0; last -= 1) {
    const certified = readBlock(original, last)?.certifiedHeight ?? 0;
    if (certified < height) return last;
  }
  return 0;
}

function damage(table: number, key: Uint8Array, value: Uint8Array | undefined): Promise<KeyValue> {
  const change: KeyValueChange = { table, key, value };
  return copyOf(original, [change]);
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >>> 3, (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7)));
}

describe('a chain that is rebuilt', () => {
  it('from blocks that are in order is the same chain, row for row', async () => {
    const into = memoryStore();
    expect(await rebuilt(original, into)).toEqual({ height: BLOCKS, oldest: 0, fault: null });
    expect(contentOf(into)).toBe(contentOf(original));
  });

  it('has the state that its blocks yield, when only the state was damaged', async () => {
    const rows = rowsOf(original).filter(({ table }) => table === TABLES.state || table === TABLES.pages);
    const into = memoryStore();
    const damaged = await copyOf(
      original,
      rows.map((row, index) => ({ ...row, value: flipped(row.value, index % 8) })),
    );
    expect(await rebuilt(damaged, into)).toEqual({ height: BLOCKS, oldest: 0, fault: null });
    expect(contentOf(into)).toBe(contentOf(original));
  });

  it.each([1, 5, 6, 7, 13, BLOCKS])(
    'ends below block %i when that is damaged, with a block that is final',
    async (height) => {
      const key = heightKey(height);
      for (const table of [TABLES.blocks, TABLES.certificates]) {
        const bytes = original.get(table, key) ?? new Uint8Array();
        for (const value of [flipped(bytes, 8 * (bytes.length - 5)), bytes.slice(0, -1), undefined]) {
          const into = memoryStore();
          const chain = await rebuilt(await damage(table, key, value), into);
          const expected = lastFinalBelow(height);
          // A certificate that is not read when another one makes its block final does no harm.
          if (table === TABLES.certificates && value !== undefined && chain?.height === BLOCKS) continue;
          if (height === BLOCKS && table === TABLES.blocks && value === undefined) {
            expect(chain?.height).toBe(expected);
            continue;
          }
          expect(chain?.fault).not.toBeNull();
          expect(chain?.height).toBeLessThan(height);
          expect(chain?.height).toBeGreaterThanOrEqual(expected);
          expect(readBlock(into, chain?.height ?? -1)?.certifiedHeight).toBe(chain?.height);
        }
      }
    },
  );

  it('has nothing but genesis when the damaged store had no earlier blocks, and says where those began', async () => {
    const keys = Array.from({ length: 9 }, (_, index) => ({
      table: TABLES.blocks,
      key: heightKey(index + 1),
      value: undefined,
    }));
    const into = memoryStore();
    const chain = await rebuilt(await copyOf(original, [...keys, oldestRow(10)]), into);
    expect(chain).toMatchObject({ height: 0, oldest: 10, fault: { code: 'BLOCK_MISSING', height: 1 } });
  });

  it('keeps how far the journal was, so that an older one is noticed', async () => {
    const into = memoryStore();
    await rebuilt(await damage(TABLES.blocks, heightKey(1), undefined), into);
    expect(into.get(TABLES.meta, META.witness)).toEqual(original.get(TABLES.meta, META.witness));
    expect(into.get(TABLES.meta, META.witness)).toBeDefined();
  });

  it('goes on where it was interrupted, and is marked as unfinished until then', async () => {
    const into = memoryStore();
    for (let steps = 1; (await rebuilt(original, into, steps)) === undefined; steps += 3) {
      expect(into.get(TABLES.meta, META.unfinished)).toBeDefined();
    }
    expect(into.get(TABLES.meta, META.unfinished)).toBeUndefined();
    expect(contentOf(into)).toBe(contentOf(original));
  });

  it('of a store that gives errors ends where they begin', async () => {
    const failing: KeyValueReads = {
      get: (table, key) => {
        if (table === TABLES.blocks && Buffer.from(key).equals(heightKey(9))) throw new Error('a bad page');
        return original.get(table, key);
      },
      range: (table, range) => original.range(table, range),
    };
    const chain = await rebuilt(failing, memoryStore());
    expect(chain).toMatchObject({ height: lastFinalBelow(9), fault: { code: 'BLOCK_DAMAGED', height: 9 } });
  });
});
