import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import type { Jurisdiction } from '../../../src/model/certificate.ts';
import { Hash, Height } from '../../../src/model/ids.ts';
import type { BlockReference } from '../../../src/model/peer-message.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import {
  chooseSnapshot,
  contradictsCheckpoint,
  createSearch,
  distrust,
  giveUp,
  heardOffer,
  offerers,
  provenTarget,
} from '../../../src/peering/snapshot-search.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

function block(height: number, digits = 'a'): BlockReference {
  return { height: Height(height), hash: Hash(digits.repeat(64)) };
}

/** Nobody who offers something is an authority. */
const NOBODYS = { above: 0, authorities: new Set<string>(), weakQuorum: 2 };

describe('which snapshot is asked for', () => {
  it('is one that several offer rather than a newer one of a single peer', () => {
    const offers = new Map([
      ['a', block(100)],
      ['b', block(100)],
      ['c', block(900)],
    ]);
    expect(chooseSnapshot(offers, NOBODYS)).toEqual(block(100));
    expect(offerers(offers, block(100))).toEqual(['a', 'b']);
  });

  it('is the newest of those, however many offer an older one', () => {
    const old = ['a', 'b', 'c', 'd'].map((peer): [string, BlockReference] => [peer, block(100)]);
    const offers = new Map([...old, ['e', block(200)], ['f', block(200)]] as const);
    expect(chooseSnapshot(offers, NOBODYS)).toEqual(block(200));
  });

  it('is one that more authorities offer than may lie, whatever others do, or as many as there are', () => {
    const liars = ['x', 'y', 'z'].map((peer): [string, BlockReference] => [peer, block(900)]);
    const offers = new Map([...liars, ['a', block(100)]] as const);
    expect(chooseSnapshot(offers, { ...NOBODYS, authorities: new Set(['a']) })).toEqual(block(100));
    const more = new Map([...offers, ['b', block(80)], ['c', block(80)]] as const);
    expect(chooseSnapshot(more, { ...NOBODYS, authorities: new Set(['a', 'b', 'c']) })).toEqual(block(80));
    // More of them say nothing that two do not say.
    const all = new Map([...more, ['d', block(100)], ['e', block(80)]] as const);
    expect(chooseSnapshot(all, { ...NOBODYS, authorities: new Set(['a', 'b', 'c', 'd', 'e']) })).toEqual(block(100));
  });

  it('is none of a peer that did not keep its word, and none that nobody served', () => {
    const search = createSearch();
    expect(heardOffer(search, 'liar', block(900))).toEqual(block(900));
    heardOffer(search, 'a', block(100));
    distrust(search, 'liar');
    expect(heardOffer(search, 'liar', block(800))).toBeNull();
    expect(chooseSnapshot(search.offers, NOBODYS)).toEqual(block(100));
    giveUp(search, block(100));
    expect(chooseSnapshot(search.offers, NOBODYS)).toBeUndefined();
    expect(heardOffer(search, 'b', block(100))).toBeNull();
    expect(heardOffer(search, 'a', block(120))).toEqual(block(120));
    heardOffer(search, 'a', null);
    expect(search.offers.size).toBe(0);
  });

  it('is none that is not worth it', () => {
    expect(chooseSnapshot(new Map([['a', block(100)]]), { ...NOBODYS, above: 100 })).toBeUndefined();
    expect(chooseSnapshot(new Map(), NOBODYS)).toBeUndefined();
  });

  it('is none that contradicts the operator', () => {
    expect(contradictsCheckpoint(block(100), block(100, 'b'))).toBe(true);
    expect(contradictsCheckpoint(block(100), block(100))).toBe(false);
    expect(contradictsCheckpoint(block(100), block(99, 'b'))).toBe(false);
    expect(contradictsCheckpoint(block(100), undefined)).toBe(false);
  });
});

describe('the block of a snapshot', () => {
  let generator: ChainGenerator;
  let jurisdiction: Jurisdiction;

  beforeAll(async () => {
    generator = await ChainGenerator.open(memoryStore(), { seed: 6, transactions: 2, blocksPerCertificateMax: 1 });
    await generator.grow(6);
    jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() };
  });

  it('is the one that was chosen, under a certificate of its own, and nothing else', () => {
    const { chain } = generator;
    const stored = defined(chain.block(5), 'it is stored');
    const other = defined(chain.block(4), 'it is stored');
    const certificate = defined(stored.certificate ?? undefined, 'it is final');
    const chosen = { height: stored.header.height, hash: stored.hash };
    const accepts = (headers: readonly (typeof stored.header)[], proof = certificate): boolean =>
      provenTarget(chosen, { headers, certificate: proof }, jurisdiction) !== undefined;
    expect(accepts([stored.header])).toBe(true);
    expect(accepts([])).toBe(false);
    expect(accepts([other.header])).toBe(false);
    expect(accepts([stored.header, defined(chain.block(6), 'it is stored').header])).toBe(false);
    expect(accepts([stored.header], defined(other.certificate ?? undefined, 'it is final'))).toBe(false);
    expect(
      accepts([stored.header], {
        ...certificate,
        signers: certificate.signers.slice(1),
        signatures: certificate.signatures.slice(1),
      }),
    ).toBe(false);
    expect(accepts([stored.header], generator.certify(stored.header, { phase: 'PREPARE' }))).toBe(false);
  });
});
