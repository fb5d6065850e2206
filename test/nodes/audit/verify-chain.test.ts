import { beforeAll, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../../src/lib/bytes.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import type { Header } from '../../../src/model/block.ts';
import { blockLayout } from '../../../src/model/block.ts';
import type { SignatureCheck } from '../../../src/model/certificate.ts';
import { encode } from '../../../src/model/codec.ts';
import { type Hash, Height, hashOfBytes, TicketId, Timestamp, View } from '../../../src/model/ids.ts';
import type { ChainFault, ChainFaultCode } from '../../../src/node/audit/chain-fault.ts';
import { type VerifiedChain, type VerifyProgress, verifyChain } from '../../../src/node/audit/verify-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../../../src/node/keys/signatures.ts';
import { writeHalt } from '../../../src/store/halt.ts';
import type { KeyValueChange, KeyValueReads } from '../../../src/store/key-value.ts';
import { heightKey, heightOfKey, META, TABLES } from '../../../src/store/schema.ts';
import { readHistory } from '../../../src/store/tickets.ts';
import { type ChainGenerator, generateChain } from '../../support/chain-generator.ts';
import { ALL_TABLES, copyOf, memoryStore, rowsOf } from '../../support/stores.ts';

const BLOCKS = 12;
// The same few signatures in hundreds of copies.
const check: SignatureCheck = memoizedCheck(createSignatureCheck(), 100_000).check;
let original: KeyValueReads;
let generated: ChainGenerator;

beforeAll(async () => {
  const store = memoryStore();
  original = store;
  generated = await generateChain(store, { seed: 11, blocks: BLOCKS, transactions: 10 });
});

async function verify(reads: KeyValueReads, stateBytesMax?: number) {
  const progress: VerifyProgress[] = [];
  let spills = 0;
  const openScratch = () => {
    spills += 1;
    return memoryStore();
  };
  const options = { reads, genesis: generated.genesis, check, openScratch };
  const run = verifyChain(stateBytesMax === undefined ? options : { ...options, stateBytesMax });
  for (;;) {
    const next = await run.next();
    if (next.done === true) return { verdict: next.value, progress, spills };
    progress.push(next.value);
  }
}

async function faultOf(changes: readonly KeyValueChange[]): Promise<ChainFault | undefined> {
  const { verdict } = await verify(await copyOf(original, changes));
  return verdict.ok ? undefined : verdict.error;
}

describe('a chain in order', () => {
  it('is counted, block by block', async () => {
    const { verdict, progress, spills } = await verify(original);
    if (!verdict.ok) throw new Error(JSON.stringify(verdict.error));
    const { blocks, transactions, tickets, head }: VerifiedChain = verdict.value;
    expect({ blocks, transactions, head }).toEqual({
      blocks: BLOCKS + 1,
      transactions: 10 * BLOCKS,
      head: { height: BLOCKS, hash: generated.chain.headHash },
    });
    expect(tickets).toBe([...original.range(TABLES.ticketsByState, {})].length);
    expect(tickets).toBeGreaterThan(50);
    expect(progress.slice(0, BLOCKS + 1)).toEqual(
      Array.from({ length: BLOCKS + 1 }, (_, height) => ({ height, of: BLOCKS })),
    );
    expect(spills).toBe(0);
  });

  it('may have come as a snapshot, and belong to a node that has halted', async () => {
    const halted = memoryStore();
    await new Promise<void>((durable, failed) =>
      writeHalt(halted, { reason: 'DIVERGED', certificates: [], checkpoints: [] }, { durable, failed }),
    );
    const marks = [...rowsOf(halted), { table: TABLES.meta, key: META.arrived, value: new Uint8Array() }];
    expect(await faultOf(marks)).toBeUndefined();
    const damaged = { table: TABLES.meta, key: META.halt, value: Uint8Array.of(255) };
    expect(await faultOf([damaged])).toMatchObject({ code: 'META_WRONG', what: 'the lasting halt' });
  });

  it('gives the same when the state does not fit into memory', async () => {
    const inMemory = await verify(original);
    const spilled = await verify(original, 50_000);
    expect(spilled.spills).toBe(1);
    expect(spilled.verdict).toEqual(inMemory.verdict);
  });

  it('holds every kind of traffic that the other tests tamper with', () => {
    const blocks = Array.from({ length: BLOCKS }, (_, index) => generated.chain.block(index + 1));
    const receipts = blocks.flatMap((block) => block?.receipts ?? []);
    expect(receipts.some(({ accepted }) => !accepted)).toBe(true);
    expect(receipts.some(({ replayOf }) => replayOf !== null)).toBe(true);
    expect(blocks.some((block) => block?.certifiedHeight !== block?.header.height)).toBe(true);
    expect(new Set(rowsOf(original).map(({ table }) => table)).size).toBe(11);
  });
});

/** What a change of one row of a table can be called, and the height that is then named. */
function expectedOf(row: { readonly table: number; readonly key: Uint8Array; readonly value: Uint8Array }) {
  const ofTable: ReadonlyMap<number, readonly ChainFaultCode[]> = new Map([
    [TABLES.meta, ['META_WRONG', 'OTHER_CHAIN']],
    [
      TABLES.blocks,
      [
        'BLOCK_DAMAGED',
        'BLOCK_MISSING',
        'GENESIS_WRONG',
        'HEADER_INVALID',
        'BODY_INVALID',
        'TRANSACTION_INVALID',
        'ROOT_WRONG',
        'CERTIFICATE_INVALID',
      ],
    ],
    [TABLES.receipts, ['RECEIPTS_WRONG', 'BLOCK_DAMAGED']],
    [TABLES.certificates, ['CERTIFICATE_INVALID', 'BLOCK_DAMAGED', 'GENESIS_WRONG']],
    [TABLES.heights, ['HEIGHT_INDEX_WRONG']],
    [TABLES.transactions, ['TRANSACTION_INDEX_WRONG']],
    [TABLES.state, ['STATE_WRONG']],
    [TABLES.pages, ['STATE_TREE_WRONG']],
    [TABLES.history, ['HISTORY_WRONG']],
    [TABLES.ticketsByState, ['TICKET_INDEX_WRONG']],
    [TABLES.treeKeys, ['STATE_TREE_WRONG']],
  ]);
  return { codes: ofTable.get(row.table) ?? [], height: heightOf(row) };
}

function heightOf({ table, key, value }: { table: number; key: Uint8Array; value: Uint8Array }): number | null {
  switch (table) {
    case TABLES.meta:
      return null;
    case TABLES.blocks:
    case TABLES.receipts:
    case TABLES.certificates:
      return heightOfKey(key) ?? -1;
    case TABLES.heights:
      return heightOfKey(value) ?? -1;
    case TABLES.transactions:
      return generated.chain.place(hashOfBytes(key))?.height ?? -1;
    case TABLES.history:
      return heightOfVersion(key);
    default:
      return BLOCKS;
  }
}

/** Of the block that made the version which a row of the history is about. */
function heightOfVersion(key: Uint8Array): number {
  const ticket = TicketId(fromUtf8(key.slice(0, -5)) ?? '');
  const version = new DataView(key.buffer, key.byteOffset).getUint32(key.length - 4);
  return readHistory(generated.chain.store, ticket, { after: version - 1, limit: 1 })[0]?.height ?? -1;
}

describe('any one row', () => {
  const random = createPrng(5);
  const picked = () => {
    return tablesOf().flatMap((rows) => Array.from({ length: 5 }, () => random.pick(rows)));
  };

  it.each([
    ['with one bit changed', (value: Uint8Array) => flipped(value, random.below(8 * Math.max(1, value.length)))],
    ['cut short', (value: Uint8Array) => value.slice(0, random.below(Math.max(1, value.length)))],
    ['made longer', (value: Uint8Array) => Uint8Array.of(...value, random.below(256))],
    ['removed', () => undefined],
  ])('%s is found, with its height', async (_, change: (value: Uint8Array) => Uint8Array | undefined) => {
    for (const row of picked()) {
      const value = change(row.value);
      const isEmptyBefore = row.value.length === 0 && value?.length === 0;
      // A directory without a witness is that of a node without a vote.
      const isWitness = row.table === TABLES.meta && Buffer.from(row.key).equals(META.witness) && value === undefined;
      if (isEmptyBefore || isWitness) continue;
      const { codes, height } = expectedOf(row);
      const fault = await faultOf([{ table: row.table, key: row.key, value }]);
      const seen = { table: row.table, height: fault?.height, expected: codes.includes(fault?.code ?? 'META_WRONG') };
      expect(seen, JSON.stringify(fault)).toEqual({ table: row.table, height, expected: true });
    }
  });

  it('that nobody wrote is found', async () => {
    for (const rows of tablesOf()) {
      for (const { table, key, value } of [random.pick(rows), random.pick(rows)]) {
        const other = key.slice();
        other[other.length - 1] = (other.at(-1) ?? 0) ^ 0x55;
        for (const added of [other, Uint8Array.of(...key, 7), Uint8Array.of(255)]) {
          if (rows.some((row) => Buffer.from(row.key).equals(added))) continue;
          const fault = await faultOf([{ table, key: added, value }]);
          expect(fault, `table ${table}, key ${Buffer.from(added).toString('hex')}`).toBeDefined();
        }
      }
    }
  });
});

/** The rows of each table that has some. */
function tablesOf() {
  const all = rowsOf(original);
  return ALL_TABLES.map((table) => all.filter((row) => row.table === table)).filter((rows) => rows.length > 0);
}

function flipped(value: Uint8Array, bit: number): Uint8Array {
  const changed = value.length === 0 ? new Uint8Array(1) : value.slice();
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

const OTHER: Hash = hashOfBytes(new Uint8Array(32).fill(9));

describe('any field of a header', () => {
  it.each<[keyof Header, Partial<Header>, ChainFaultCode]>([
    ['chainId', { chainId: OTHER }, 'HEADER_INVALID'],
    ['height', { height: Height(9) }, 'HEADER_INVALID'],
    ['view', { view: View(90) }, 'HEADER_INVALID'],
    ['previous', { previous: OTHER }, 'HEADER_INVALID'],
    ['timestamp', { timestamp: Timestamp(1) }, 'HEADER_INVALID'],
    ['timestamp', { timestamp: Timestamp(1_900_000_000_000) }, 'TRANSACTION_INVALID'],
    ['proposer', { proposer: 77 }, 'HEADER_INVALID'],
    ['transactionsRoot', { transactionsRoot: OTHER }, 'BODY_INVALID'],
    ['transactionCount', { transactionCount: 3 }, 'BODY_INVALID'],
    ['stateRoot', { stateRoot: OTHER }, 'ROOT_WRONG'],
    ['receiptsRoot', { receiptsRoot: OTHER }, 'ROOT_WRONG'],
    ['graphRoot', { graphRoot: OTHER }, 'ROOT_WRONG'],
    ['authoritiesHash', { authoritiesHash: OTHER }, 'HEADER_INVALID'],
    ['nextAuthoritiesHash', { nextAuthoritiesHash: OTHER }, 'HEADER_INVALID'],
  ])('%s', async (_, change, code) => {
    for (const height of [3, BLOCKS]) {
      const block = generated.chain.block(height);
      if (block === undefined) throw new Error(`no block ${height}`);
      const header = { ...block.header, ...change };
      const value = encode(blockLayout, { header, body: block.body });
      const fault = await faultOf([{ table: TABLES.blocks, key: heightKey(height), value }]);
      expect(fault).toMatchObject({ height });
      // A block below may be final through this one: then its certificate's way is broken first.
      expect([code, 'CERTIFICATE_INVALID']).toContain(fault?.code);
    }
  });
});

describe('a directory', () => {
  it('of another chain is none of ours', async () => {
    const fault = await faultOf([{ table: TABLES.meta, key: META.chainId, value: utf8(OTHER) }]);
    expect(fault).toMatchObject({ code: 'OTHER_CHAIN', height: null });
  });

  it('whose newest block was taken away has a state that is too new', async () => {
    const key = heightKey(BLOCKS);
    const tables = [TABLES.blocks, TABLES.receipts, TABLES.certificates];
    const fault = await faultOf(tables.map((table) => ({ table, key, value: undefined })));
    expect(fault).toMatchObject({ height: BLOCKS - 1 });
  });

  it('without a block between others says which', async () => {
    expect(await faultOf([{ table: TABLES.blocks, key: heightKey(7), value: undefined }])).toMatchObject({
      code: 'BLOCK_MISSING',
      height: 7,
    });
  });

  it('with two blocks in each other’s place says which comes first', async () => {
    const row = (height: number, from: number) => {
      const key = heightKey(from);
      return { table: TABLES.blocks, key: heightKey(height), value: original.get(TABLES.blocks, key) };
    };
    expect((await faultOf([row(5, 6), row(6, 5)]))?.height).toBe(5);
  });
});
