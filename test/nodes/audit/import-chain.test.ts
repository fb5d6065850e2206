import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { err, ok } from '../../../src/lib/result.ts';
import type { Block } from '../../../src/model/block.ts';
import { Height, Timestamp } from '../../../src/model/ids.ts';
import { type ImportedBlock, importChain } from '../../../src/node/audit/import-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../../../src/node/keys/signatures.ts';
import type { Finality } from '../../../src/store/blocks.ts';
import type { KeyValue } from '../../../src/store/key-value.ts';
import { TABLES } from '../../../src/store/schema.ts';
import { ChainGenerator, type ChainPlan, generateChain } from '../../support/chain-generator.ts';
import { copyOf, memoryStore, rowsOf } from '../../support/stores.ts';

type Item = { readonly block: Block } & Finality;

const BLOCKS = 14;
const PLAN: ChainPlan = { seed: 21, transactions: 8 };
const { check } = memoizedCheck(createSignatureCheck(), 10_000);
let source: KeyValue;
let generated: ChainGenerator;
let items: readonly Item[];

beforeAll(async () => {
  source = memoryStore();
  generated = await generateChain(source, { ...PLAN, blocks: BLOCKS });
  items = Array.from({ length: BLOCKS }, (_, index) => itemAt(index + 1));
});

function itemAt(height: number): Item {
  const { header, body, certificate, certifiedHeight } = defined(generated.chain.block(height), `block ${height}`);
  return { block: { header, body }, certificate, certifiedHeight };
}

async function emptyChain(): Promise<{ readonly store: KeyValue; readonly chain: ChainGenerator['chain'] }> {
  const store = memoryStore();
  const { chain } = await ChainGenerator.open(store, PLAN);
  return { store, chain };
}

async function importInto(chain: ChainGenerator['chain'], blocks: Iterable<ImportedBlock<{ code: string }>>) {
  const jurisdiction = { chainId: generated.genesis.chainId, authorities: generated.set, check };
  const run = importChain({ chain, jurisdiction, iriBase: generated.genesis.iriBase, blocks });
  for (;;) {
    const next = await run.next();
    if (next.done === true) return next.value;
  }
}

/** All rows but the journal's witness, which is the other node's own. */
function rowsBut(store: KeyValue) {
  return rowsOf(store).filter(({ table, key }) => table !== TABLES.meta || !Buffer.from(key).includes('witness'));
}

describe('an import', () => {
  it('leaves the store as the one that the blocks came from', async () => {
    const { store, chain } = await emptyChain();
    expect(await importInto(chain, items.map(ok))).toEqual({ ok: true, value: { added: BLOCKS, known: 0 } });
    expect(rowsBut(store)).toEqual(rowsBut(source));
  });

  it('goes on where an interrupted one was, wherever that is', async () => {
    for (let cut = 0; cut <= BLOCKS; cut += 1) {
      const { store, chain } = await emptyChain();
      const first = await importInto(chain, [...items.slice(0, cut).map(ok), err({ code: 'CUT' })]);
      expect(first).toEqual({ ok: false, error: { code: 'CUT' } });
      const stored = chain.head.height;
      // Nothing is stored whose certificate has not come.
      if (stored > 0) expect(itemAt(stored).certifiedHeight).toBe(stored);
      const again = await importInto(chain, items.map(ok));
      expect(again).toEqual({ ok: true, value: { added: BLOCKS - stored, known: stored } });
      expect(rowsBut(store)).toEqual(rowsBut(source));
    }
  });

  it('stops at the first block that is wrong, and keeps what was before it', async () => {
    const at = defined(
      items.find(({ block, certifiedHeight }) => block.header.height > 5 && certifiedHeight === block.header.height),
      'a block with a certificate of its own',
    );
    const { header, body } = at.block;
    const wrong: readonly (readonly [Item, string])[] = [
      [{ ...at, block: { header: { ...header, timestamp: Timestamp(1) }, body } }, 'HEADER_INVALID'],
      [{ ...at, block: { header, body: body.slice(1) } }, 'BODY_INVALID'],
      [{ ...at, certificate: null }, 'CERTIFICATE_INVALID'],
      [{ ...at, certificate: itemAt(1).certificate }, 'CERTIFICATE_INVALID'],
      [{ ...at, certificate: generated.certify(header, { phase: 'PREPARE' }) }, 'CERTIFICATE_INVALID'],
    ];
    for (const [item, code] of wrong) {
      const { chain } = await emptyChain();
      const outcome = await importInto(
        chain,
        items.map((one) => ok(one === at ? item : one)),
      );
      expect(outcome).toMatchObject({ ok: false, error: { code, height: header.height } });
      expect(chain.head.height).toBeLessThan(header.height);
      expect(chain.head.height).toBeGreaterThan(0);
    }
  });

  it('needs every block, in order, from the first', async () => {
    for (const list of [items.slice(1), [...items.slice(0, 3), ...items.slice(4)], [...items].reverse()]) {
      const { chain } = await emptyChain();
      expect(await importInto(chain, list.map(ok))).toMatchObject({ ok: false, error: { code: 'HEADER_INVALID' } });
    }
  });

  it('does not take blocks that no certificate follows', async () => {
    const { chain } = await emptyChain();
    const open = items.map(({ block }) => ok({ block, certificate: null, certifiedHeight: Height(BLOCKS + 1) }));
    expect(await importInto(chain, open)).toMatchObject({ ok: false, error: { code: 'NOT_FINAL', height: 1 } });
    expect(chain.head.height).toBe(0);
  });

  it('refuses another history of the same chain', async () => {
    const other = memoryStore();
    const { chain } = await generateChain(other, { ...PLAN, seed: 22, blocks: 4 });
    const before = rowsOf(other);
    expect(await importInto(chain, items.map(ok))).toMatchObject({
      ok: false,
      error: { code: 'OTHER_HISTORY', height: 1 },
    });
    expect(rowsOf(await copyOf(other))).toEqual(before);
  });
});
