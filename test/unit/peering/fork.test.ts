import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import type { Certificate, Jurisdiction } from '../../../src/model/certificate.ts';
import { type Epoch, Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { AGREEING_PEERS_MIN, type Held, judgeAbsence, judgeFork, type Shown } from '../../../src/peering/fork.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const BLOCKS = 12;
const OTHER = Hash('ab'.repeat(32));

let generator: ChainGenerator;
let jurisdiction: Jurisdiction;
let held: Held;

beforeAll(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 4, transactions: 3, blocksPerCertificateMax: 3 });
  await generator.grow(BLOCKS);
  const { chain } = generator;
  jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() };
  held = {
    final: { height: chain.head.height, hash: chain.headHash },
    jurisdiction,
    earlier: () => undefined,
    blockAt: (height) => chain.block(height),
  };
});

function headerAt(height: number): Header {
  return defined(generator.chain.block(height), 'it is stored').header;
}

/** Another block at a height, with the votes of a quorum that broke its word. */
function rival(height: number): { readonly header: Header; readonly certificate: Certificate } {
  const header = { ...headerAt(height), timestamp: Timestamp(headerAt(height).timestamp + 1) };
  return { header, certificate: generator.certify(header) };
}

function block(header: Header, certificate: Certificate | null, path: readonly Header[] = []): Shown {
  return { kind: 'block', header, path, certificate };
}

describe('what to do about a fork', () => {
  it('siblings above what is final are for consensus, and their own votes decide', () => {
    const above = { ...headerAt(BLOCKS), height: Height(BLOCKS + 1), previous: held.final.hash };
    expect(judgeFork(held, block(above, null))).toEqual({ action: 'leave-to-consensus' });
  });

  it('a longer chain is synced, a shorter one is served', () => {
    expect(judgeFork(held, { kind: 'head', head: { height: Height(1_000_000), hash: OTHER } })).toEqual({
      action: 'sync',
    });
    expect(judgeFork(held, { kind: 'head', head: { height: Height(3), hash: blockHash(headerAt(3)) } })).toEqual({
      action: 'serve',
    });
    expect(judgeFork(held, { kind: 'head', head: held.final })).toEqual({ action: 'none' });
    const above = { ...headerAt(BLOCKS), height: Height(BLOCKS + 1), previous: held.final.hash };
    expect(judgeFork(held, block(above, generator.certify(above)))).toEqual({ action: 'sync' });
  });

  it('the own block is in no dispute, whatever certificate it comes with', () => {
    const own = headerAt(5);
    expect(judgeFork(held, block(own, null))).toEqual({ action: 'none' });
    expect(judgeFork(held, block(own, generator.certify(own)))).toEqual({ action: 'none' });
  });

  it.each<[string, () => Certificate | null, (() => readonly Header[])?]>([
    ['none', () => null],
    ['one of too few', () => few(rival(5).certificate)],
    ['one signed twice by the same', () => twice(rival(5).certificate)],
    [
      'one with a signature of another ballot',
      () => ({ ...rival(5).certificate, signatures: rival(6).certificate.signatures }),
    ],
    ['one of PREPAREs', () => generator.certify(rival(5).header, { phase: 'PREPARE' })],
    ['one of another height', () => rival(6).certificate],
    ['that of the block which is final', () => generator.certify(headerAt(5))],
    ['one of an epoch that never was', () => generator.certify(rival(5).header, { epoch: 7 as Epoch })],
    ['one of a descendant that is none', () => rival(6).certificate, () => [rival(6).header]],
  ])('another block with a certificate that proves nothing costs its peer: %s', (_, certificate, path) => {
    const verdict = judgeFork(held, block(rival(5).header, certificate(), path?.()));
    expect(verdict).toMatchObject({ action: 'penalize', code: 'UNPROVEN_CONFLICT' });
  });

  it('another block with a valid certificate of the current epoch halts, with both certificates', () => {
    const { header, certificate } = rival(5);
    const own = defined(generator.chain.block(5), 'it is stored').certificate;
    expect(judgeFork(held, block(header, certificate))).toEqual({
      action: 'halt',
      reason: 'SAFETY',
      certificates: [own, certificate],
    });
    const child = { ...headerAt(6), previous: blockHash(header) };
    const ofChild = generator.certify(child);
    expect(judgeFork(held, block(header, ofChild, [child]))).toMatchObject({
      action: 'halt',
      certificates: [own, ofChild],
    });
  });

  it('the same of an earlier epoch is an alarm: those keys may have leaked', () => {
    const { header, certificate } = rival(5);
    const later: Held = {
      ...held,
      jurisdiction: { ...jurisdiction, authorities: { ...jurisdiction.authorities, epoch: 1 as Epoch } },
      earlier: (epoch) => (epoch === 0 ? jurisdiction : undefined),
    };
    expect(judgeFork(later, block(header, certificate))).toMatchObject({ action: 'alarm', code: 'RETIRED_KEYS' });
    expect(judgeFork(later, block(header, few(certificate)))).toMatchObject({ action: 'penalize' });
  });

  it('another genesis is refused', () => {
    expect(judgeFork(held, { kind: 'chain', chainId: OTHER })).toEqual({ action: 'refuse', code: 'WRONG_GENESIS' });
    expect(judgeFork(held, { kind: 'chain', chainId: jurisdiction.chainId })).toEqual({ action: 'none' });
    const foreign = { ...headerAt(5), chainId: OTHER };
    expect(judgeFork(held, block(foreign, generator.certify(foreign)))).toMatchObject({ action: 'refuse' });
  });

  it('a damaged end is cut off', () => {
    expect(judgeFork(held, { kind: 'damage', from: Height(9) })).toEqual({ action: 'truncate', from: 9 });
  });

  it('a certified block that the own execution refuses halts', () => {
    const { certificate } = rival(BLOCKS);
    expect(judgeFork(held, { kind: 'divergence', certificate })).toEqual({
      action: 'halt',
      reason: 'DIVERGED',
      certificates: [certificate],
    });
  });

  it('only the operator’s word takes back what is final', () => {
    const trusted = { height: Height(5), hash: OTHER };
    expect(judgeFork(held, { kind: 'checkpoint', trusted })).toEqual({ action: 'roll-back', trusted });
    const own = { height: Height(5), hash: blockHash(headerAt(5)) };
    expect(judgeFork(held, { kind: 'checkpoint', trusted: own })).toEqual({ action: 'none' });
    expect(judgeFork(held, { kind: 'checkpoint', trusted: { height: Height(99), hash: OTHER } })).toEqual({
      action: 'sync',
    });
  });

  it('nothing is said about what is not stored any more', () => {
    const pruned: Held = { ...held, blockAt: (height) => (height < 6 ? undefined : held.blockAt(height)) };
    const { header, certificate } = rival(5);
    expect(judgeFork(pruned, block(header, certificate))).toEqual({ action: 'unknown' });
    expect(judgeFork(pruned, { kind: 'head', head: { height: Height(5), hash: OTHER } })).toEqual({
      action: 'unknown',
    });
    expect(judgeFork(pruned, { kind: 'checkpoint', trusted: { height: Height(5), hash: OTHER } })).toEqual({
      action: 'unknown',
    });
  });
});

describe('a node that was away', () => {
  const DAY_MS = 86_400_000;
  const away = { awayMs: 31 * DAY_MS, trustPeriodMs: 30 * DAY_MS, hasCheckpoint: false, agreeing: 0 };

  it('for less than the trust period believes certificates', () => {
    expect(judgeAbsence({ ...away, awayMs: 30 * DAY_MS })).toBe('trusted');
    expect(judgeAbsence({ ...away, awayMs: -DAY_MS })).toBe('trusted');
  });

  it('for longer wants a checkpoint, or peers of its configuration that agree', () => {
    expect(judgeAbsence(away)).toBe('needs-checkpoint');
    expect(judgeAbsence({ ...away, agreeing: AGREEING_PEERS_MIN - 1 })).toBe('needs-checkpoint');
    expect(judgeAbsence({ ...away, agreeing: AGREEING_PEERS_MIN })).toBe('trusted');
    expect(judgeAbsence({ ...away, hasCheckpoint: true })).toBe('trusted');
  });
});

function few(certificate: Certificate): Certificate {
  return { ...certificate, signers: certificate.signers.slice(1), signatures: certificate.signatures.slice(1) };
}

function twice(certificate: Certificate): Certificate {
  const { signers, signatures } = certificate;
  return {
    ...certificate,
    signers: [...signers.slice(1), ...signers.slice(-1)],
    signatures: [...signatures.slice(1), ...signatures.slice(-1)],
  };
}
