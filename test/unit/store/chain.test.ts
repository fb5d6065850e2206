import { beforeEach, describe, expect, it } from 'vitest';
import { foundLedger, type Genesis } from '../../../src/ledger/genesis.ts';
import { defined } from '../../../src/lib/assert.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { Hash } from '../../../src/model/ids.ts';
import { BLOCKS_CACHED_MAX } from '../../../src/model/limits.ts';
import { beginChain } from '../../../src/node/recovery.ts';
import type { Chain, ChainEntry } from '../../../src/store/chain.ts';
import type { JournalPosition } from '../../../src/store/journal.ts';
import { MemoryKeyValue } from '../../../src/store/memory.ts';
import { heightKey, META, SCHEMA_VERSION, TABLES } from '../../../src/store/schema.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { ALL_TABLES, contentOf, memoryStore } from '../../support/stores.ts';

/** A dozen real blocks, with everything that executing them wrote. */
let genesis: Genesis;
let entries: readonly ChainEntry[];

beforeEach(async () => {
  if (entries !== undefined) return;
  const generator = await ChainGenerator.open(memoryStore(), {
    seed: 11,
    transactions: 12,
    blocksPerCertificateMax: 1,
  });
  genesis = generator.genesis;
  entries = await generator.grow(12, 'keep');
});

/** A store whose writes happen when the test says so. */
class Bench {
  readonly tasks: (() => void)[] = [];
  store: MemoryKeyValue;

  constructor() {
    this.store = new MemoryKeyValue({ tables: ALL_TABLES, schedule: (task) => void this.tasks.push(task) });
  }

  /** Runs the next task: a write becomes visible, or durable. */
  step(): void {
    this.tasks.shift()?.();
  }

  settle(): void {
    while (this.tasks.length > 0) this.step();
  }

  open(): Chain {
    const begun = this.begin();
    if (!begun?.ok) throw new Error('the chain begins');
    return begun.value;
  }

  begin() {
    let begun: Parameters<Parameters<typeof beginChain>[2]>[0] | undefined;
    beginChain(this.store, genesis, (result) => {
      begun = result;
    });
    this.settle();
    return begun;
  }
}

function log(): { readonly told: string[]; readonly outcome: Parameters<Chain['commit']>[2] } {
  const told: string[] = [];
  return {
    told,
    outcome: {
      visible: () => told.push('visible'),
      durable: () => told.push('durable'),
      failed: ({ code }) => told.push(code),
    },
  };
}

const WITNESS: JournalPosition = {
  publicKey: new Uint8Array(32).fill(1),
  incarnation: new Uint8Array(16).fill(2),
  segment: 3,
  offset: 400,
};

describe('a chain', () => {
  it('begins with genesis in an empty store, and opens what it wrote', () => {
    const bench = new Bench();
    const chain = bench.open();
    const { header } = foundLedger(genesis);
    expect(chain.head).toEqual(header);
    expect(chain.stateRoot()).toBe(header.stateRoot);
    expect(chain.visibleHead.header).toEqual(header);
    expect(bench.open().head).toEqual(header);
  });

  it('says that genesis could not be written, and is not there', () => {
    const bench = new Bench();
    bench.store.failNextWrite('DISK_FULL');
    expect(bench.begin()).toMatchObject({ ok: false, error: { code: 'DISK_FULL' } });
  });

  it('shows its new state at once, its blocks when the store does, and calls back in that order', () => {
    const bench = new Bench();
    const chain = bench.open();
    for (const entry of entries.slice(0, 3)) {
      const { told, outcome } = log();
      const { header, hash, body } = entry.stored;
      const before = chain.visibleHead.header.height;
      chain.commit([entry], WITNESS, outcome);
      expect(chain.head).toEqual(header);
      expect(chain.headHash).toBe(hash);
      expect(chain.stateRoot()).toBe(header.stateRoot);
      for (const { id } of body) expect(chain.has(id)).toBe(true);
      for (const { key, value } of entry.changes) expect(chain.get(key)).toEqual(value);
      expect(chain.block(header.height)).toBeUndefined();
      expect(chain.visibleHead.header.height).toBe(before);
      expect(told).toEqual([]);
      bench.step();
      expect(told).toEqual(['visible']);
      expect(chain.block(header.height)).toEqual(entry.stored);
      expect(chain.visibleHead).toEqual(entry.stored);
      expect(chain.heightOf(hash)).toBe(header.height);
      const [first] = body;
      expect(first && chain.place(first.id)).toEqual(first && { height: header.height, index: 0 });
      bench.step();
      expect(told).toEqual(['visible', 'durable']);
    }
    expect(chain.witness()).toEqual(WITNESS);
  });

  it('holds the same however its blocks come: one by one, together, or one behind the other', () => {
    const portions = [
      entries.map((entry) => [entry]),
      [entries],
      [entries.slice(0, 5), entries.slice(5, 6), entries.slice(6)],
    ];
    const contents = new Set<string>();
    for (const settles of [true, false]) {
      for (const portion of portions) {
        const bench = new Bench();
        const chain = bench.open();
        for (const some of portion) {
          chain.commit(some, undefined, log().outcome);
          if (settles) bench.settle();
        }
        bench.settle();
        contents.add(contentOf(bench.store));
        for (const { key, value } of bench.store.range(TABLES.state, {})) expect(chain.get(key)).toEqual(value);
        expect(bench.open().head).toEqual(entries.at(-1)?.stored.header);
      }
    }
    expect(contents.size).toBe(1);
  });

  it('stores blocks of one commit together or not at all', () => {
    for (const keepsVisible of [true, false]) {
      for (let steps = 0; steps <= 2; steps += 1) {
        const bench = new Bench();
        bench.open().commit(entries, undefined, log().outcome);
        for (let step = 0; step < steps; step += 1) bench.step();
        const after = new Bench();
        after.store = bench.store.crash(keepsVisible);
        let height: number | undefined;
        beginChain(after.store, genesis, (begun) => {
          height = begun.ok ? begun.value.head.height : -1;
        });
        expect([0, entries.length]).toContain(height);
        if (steps === 2 || (steps === 1 && keepsVisible)) expect(height).toBe(entries.length);
      }
    }
  });

  it('finds old blocks as it finds new ones', () => {
    const bench = new Bench();
    const chain = bench.open();
    for (const entry of entries) chain.commit([entry], undefined, log().outcome);
    bench.settle();
    expect(entries.length + 1).toBeLessThanOrEqual(BLOCKS_CACHED_MAX);
    const again = bench.open();
    for (const { stored } of entries) {
      expect(again.block(stored.header.height)).toEqual(stored);
      expect(again.block(stored.header.height)).toBe(again.block(stored.header.height));
    }
    expect(again.block(entries.length + 1)).toBeUndefined();
  });

  it('tells of a failed write, of every one that follows, and keeps answering reads', () => {
    const bench = new Bench();
    const chain = bench.open();
    const [first, second, third] = entries;
    chain.commit([defined(first, 'a first block')], undefined, log().outcome);
    bench.settle();
    bench.store.failNextWrite('STORE_FAILED');
    const failed = [log(), log()];
    chain.commit([defined(second, 'a second block')], undefined, (failed[0] ?? log()).outcome);
    chain.commit([defined(third, 'a third block')], undefined, (failed[1] ?? log()).outcome);
    bench.settle();
    expect(failed.map(({ told }) => told)).toEqual([['STORE_FAILED'], ['STORE_FAILED']]);
    expect(chain.block(1)).toEqual(first?.stored);
    expect(chain.visibleHead).toEqual(first?.stored);
  });

  it.each([
    ['a gap', 2],
    ['another branch', 1],
  ])('takes no block that leaves %s', (_, index) => {
    const bench = new Bench();
    const chain = bench.open();
    const entry = defined(entries[index], 'a block');
    expect(() => chain.commit([entry], undefined, log().outcome)).toThrow('follows');
  });
});

describe('a store that is not what it should be', () => {
  function opened(change: (bench: Bench) => void): () => void {
    const bench = new Bench();
    const chain = bench.open();
    for (const entry of entries.slice(0, 2)) chain.commit([entry], undefined, log().outcome);
    bench.settle();
    change(bench);
    bench.settle();
    return () => bench.open();
  }

  const write = (bench: Bench, table: number, key: Uint8Array, value: Uint8Array | undefined): void =>
    bench.store.write([{ table, key, value }], { failed: () => undefined });

  it('is refused when it is of another chain, or of another layout', () => {
    const chainId = utf8(Hash('ab'.repeat(32)));
    expect(opened((bench) => write(bench, TABLES.meta, META.chainId, chainId))).toThrow('of another chain');
    const layout = heightKey(SCHEMA_VERSION + 1);
    expect(opened((bench) => write(bench, TABLES.meta, META.schema, layout))).toThrow(
      /layout is \S+, and this version reads/,
    );
  });

  it('is refused when its state is not that of its newest block', () => {
    expect(opened((bench) => write(bench, TABLES.pages, utf8('/'), undefined))).toThrow('does not have the root');
  });

  it('is refused when its newest block is incomplete', () => {
    expect(opened((bench) => write(bench, TABLES.receipts, heightKey(2), undefined))).toThrow('is incomplete');
    expect(opened((bench) => write(bench, TABLES.blocks, heightKey(2), new Uint8Array(9)))).toThrow('is damaged');
  });
});
