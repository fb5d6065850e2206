import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { type Body, blockHash, type Header, transactionsRoot } from '../../../src/model/block.ts';
import type { Certificate } from '../../../src/model/certificate.ts';
import { encode } from '../../../src/model/codec.ts';
import { type Evidence, evidenceHash, evidenceLayout } from '../../../src/model/evidence.ts';
import { Epoch, Height, hexBytes, Signature, Timestamp, View, ZERO_HASH } from '../../../src/model/ids.ts';
import { parseTransaction, sealTransaction } from '../../../src/model/transaction.ts';
import { verifyChain } from '../../../src/node/audit/verify-chain.ts';
import { createSignatureCheck, memoizedCheck } from '../../../src/node/keys/signatures.ts';
import { blockChanges, CorruptionError, type StoredBlock } from '../../../src/store/blocks.ts';
import type { KeyValueChange, KeyValueReads } from '../../../src/store/key-value.ts';
import { checkNewestBlocks } from '../../../src/store/newest-blocks.ts';
import { TABLES } from '../../../src/store/schema.ts';
import { type ChainGenerator, generateChain } from '../../support/chain-generator.ts';
import { copyOf, memoryStore } from '../../support/stores.ts';

const BLOCKS = 10;
const { check } = memoizedCheck(createSignatureCheck(), 10_000);
let original: KeyValueReads;
let generated: ChainGenerator;

beforeAll(async () => {
  const store = memoryStore();
  original = store;
  generated = await generateChain(store, { seed: 5, blocks: BLOCKS, transactions: 6, blocksPerCertificateMax: 1 });
});

function block(height: number): StoredBlock {
  return defined(generated.chain.block(height), `block ${height}`);
}

async function verdictOf(changes: readonly KeyValueChange[]) {
  const reads = await copyOf(original, changes);
  const run = verifyChain({ reads, genesis: generated.genesis, check, openScratch: memoryStore });
  for (;;) {
    const next = await run.next();
    if (next.done === true) return next.value;
  }
}

/** The newest block with another header or body, made final by a quorum and indexed as if it were in order. */
function certified(change: { readonly header?: Partial<Header>; readonly body?: Body }): readonly KeyValueChange[] {
  const newest = block(BLOCKS);
  const body = change.body ?? newest.body;
  const header = {
    ...newest.header,
    transactionsRoot: transactionsRoot(body),
    transactionCount: body.length,
    ...change.header,
  };
  const receipts = body.map((_, index) => defined(newest.receipts[index] ?? newest.receipts[0], 'a receipt'));
  const certificate = generated.certify(header);
  return blockChanges({ ...newest, header, body, receipts, hash: blockHash(header), certificate });
}

describe('a block that a quorum signed although it breaks a rule', () => {
  it.each([
    ['an earlier time', () => ({ header: { timestamp: block(BLOCKS - 1).header.timestamp } }), 'TIME_NOT_LATER'],
    ['a view below its parent’s', () => ({ header: { view: View(block(BLOCKS - 1).header.view - 1) } }), 'WRONG_VIEW'],
    ['another proposer', () => ({ header: { proposer: (block(BLOCKS).header.proposer + 1) % 4 } }), 'WRONG_PROPOSER'],
    ['another epoch', () => ({ header: { epoch: Epoch(1) } }), 'WRONG_EPOCH'],
    ['another parent', () => ({ header: { previous: ZERO_HASH } }), 'WRONG_PREVIOUS'],
    ['another body', () => ({ header: { transactionsRoot: ZERO_HASH } }), 'WRONG_TRANSACTIONS'],
    ['a signature that is not its signer’s', () => ({ body: withBadSignature() }), 'BAD_SIGNATURE'],
    [
      'a transaction twice',
      () => ({ body: [...block(BLOCKS).body, ...block(BLOCKS).body.slice(0, 1)] }),
      'ALREADY_FINAL',
    ],
    ['a transaction that an ancestor holds', () => ({ body: block(BLOCKS - 1).body }), 'ALREADY_FINAL'],
    ['an expired transaction', () => ({ header: { timestamp: Timestamp(1_900_000_000_000) } }), 'EXPIRED'],
    ['another state', () => ({ header: { stateRoot: ZERO_HASH } }), 'WRONG_STATE_ROOT'],
    ['other receipts', () => ({ header: { receiptsRoot: ZERO_HASH } }), 'WRONG_RECEIPTS_ROOT'],
  ])('%s', async (_, change: () => Parameters<typeof certified>[0], reason) => {
    const verdict = await verdictOf(certified(change()));
    expect(verdict).toMatchObject({ ok: false, error: { height: BLOCKS } });
    expect(verdict.ok ? '' : verdict.error.detail).toContain(reason);
  });

  it('is taken when it breaks none', async () => {
    expect(await verdictOf(certified({}))).toMatchObject({ ok: true });
  });
});

function withBadSignature(): Body {
  const [first, ...rest] = block(BLOCKS).body;
  const { body, signature } = defined(first, 'a transaction');
  const other = defined(rest[0], 'another').signature;
  expect(other).not.toBe(signature);
  const parsed = parseTransaction(sealTransaction(body, other).bytes);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return [parsed.value, ...rest];
}

describe('a certificate', () => {
  const of = (height: number) => generated.certify(block(height).header);
  const cases: readonly (readonly [string, () => Certificate | null])[] = [
    ['that is not there', () => null],
    ['of PREPAREs', () => generated.certify(block(5).header, { phase: 'PREPARE' })],
    ['of another block', () => of(4)],
    ['of another height', () => generated.certify(block(5).header, { height: Height(4) })],
    ['of another epoch', () => generated.certify(block(5).header, { epoch: Epoch(1) })],
    ['of too few', () => ({ ...of(5), signers: [0, 1], signatures: of(5).signatures.slice(0, 2) })],
    ['with one signature for two seats', () => ({ ...of(5), signatures: of(5).signatures.map(() => sign()) })],
    ['of seats that did not sign', () => ({ ...of(5), signatures: [...of(5).signatures].reverse() })],
    ['with a spoilt signature', () => ({ ...of(5), signatures: of(5).signatures.map(spoilt) })],
  ];
  const sign = () => defined(of(5).signatures[0], 'a signature');
  const spoilt = (text: string) => Signature(`${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`);
  const changed = (certificate: Certificate | null) =>
    blockChanges({ ...block(5), certificate }).filter(({ table }) => table === TABLES.certificates);

  it.each(cases)('%s makes nothing final: not for verify', async (_, certificate) => {
    expect(await verdictOf(changed(certificate()))).toMatchObject({
      ok: false,
      error: { code: 'CERTIFICATE_INVALID', height: 5 },
    });
  });

  it.each(cases)('%s makes nothing final: not at a start', async (_, certificate) => {
    const reads = await copyOf(original, changed(certificate()));
    expect(() => start(reads)).toThrow(/certificate of block 5/);
  });

  it('of another quorum is as good', async () => {
    const other = Array.from({ length: 20 }, () => of(5)).find(
      ({ signers }) => signers.join() !== block(5).certificate?.signers.join(),
    );
    const changes = changed(defined(other, 'quorums differ'));
    expect(await verdictOf(changes)).toMatchObject({ ok: true });
    start(await copyOf(original, changes));
  });
});

function start(reads: KeyValueReads, count?: number): void {
  const jurisdiction = { chainId: generated.genesis.chainId, authorities: generated.set, check };
  checkNewestBlocks(reads, jurisdiction, count);
}

describe('a start', () => {
  it('takes a chain in order, a long one as far back as it looks, and an empty store', () => {
    start(original);
    start(original, 3);
    start(memoryStore());
  });

  it('refuses a block that is missing, damaged, or cannot be found, and says which', async () => {
    const { hash, header } = block(6);
    const key = defined(blockChanges(block(6))[0], 'the row of a block').key;
    const damaged: readonly (readonly [KeyValueChange, RegExp])[] = [
      [{ table: TABLES.blocks, key, value: undefined }, /block 6 is missing/],
      [{ table: TABLES.blocks, key, value: new Uint8Array(9) }, /block 6 is damaged/],
      [{ table: TABLES.receipts, key, value: undefined }, /block 6 is incomplete/],
      [{ table: TABLES.heights, key: hexBytes(hash), value: undefined }, /block 6 cannot be found/],
    ];
    for (const [change, message] of damaged) {
      const reads = await copyOf(original, [change]);
      expect(() => start(reads)).toThrow(CorruptionError);
      expect(() => start(reads)).toThrow(message);
      // It is behind what a start looks at.
      start(reads, 3);
    }
    expect(header.height).toBe(6);
  });

  it('refuses another block in the place of one', async () => {
    const reads = await copyOf(original, [
      ...blockChanges({ ...block(6), header: { ...block(6).header, view: View(99) } }),
    ]);
    expect(() => start(reads)).toThrow(/block 6/);
  });
});

describe('evidence', () => {
  const row = (evidence: Evidence, key = evidenceHash(evidence)): KeyValueChange => {
    return { table: TABLES.evidence, key: hexBytes(key), value: encode(evidenceLayout, evidence) };
  };
  const doubleVote = (heights: readonly [number, number]): Evidence => {
    const vote = (height: number) => {
      const { signers, signatures, ...ballot } = generated.certify(block(height).header, {
        height: Height(5),
        view: View(7),
      });
      return { ...ballot, signer: 0, signature: defined(signatures[signers.indexOf(0)], 'seat 0 signed') };
    };
    return { kind: 'double-vote', first: vote(heights[0]), second: vote(heights[1]) };
  };
  /** Seat 0 is not in every quorum. */
  const convicting = (): Evidence => {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      try {
        return doubleVote([4, 5]);
      } catch {
        // Another quorum next time.
      }
    }
    throw new Error('seat 0 never signs');
  };

  it('that convicts may be kept', async () => {
    expect(await verdictOf([row(convicting())])).toMatchObject({ ok: true });
  });

  it('under another hash, without a contradiction, or damaged may not', async () => {
    const evidence = convicting();
    if (evidence.kind !== 'double-vote') throw new Error('a double vote');
    const harmless: Evidence = { ...evidence, second: evidence.first };
    const bytes = encode(evidenceLayout, evidence).slice(0, -1);
    for (const change of [row(evidence, ZERO_HASH), row(harmless), { ...row(evidence), value: bytes }]) {
      expect(await verdictOf([change])).toMatchObject({ ok: false, error: { code: 'EVIDENCE_WRONG', height: null } });
    }
  });
});
