import { beforeEach, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import type { Certificate } from '../../../src/model/certificate.ts';
import { Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import type { PeerMessage } from '../../../src/model/peer-message.ts';
import type { PeerId } from '../../../src/network/transport.ts';
import { ForkWatch } from '../../../src/node/fork-watch.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

const PEER = 'peer' as PeerId;
const BLOCKS = 6;
const HEIGHT = 4;

let generator: ChainGenerator;
let watch: ForkWatch;
let charges: string[];
let conflicts: Certificate[];
let checks: number;

beforeEach(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 5, transactions: 2, blocksPerCertificateMax: 1 });
  await generator.grow(BLOCKS);
  [charges, conflicts, checks] = [[], [], 0];
  const check = createSignatureCheck();
  const ignore = (): void => undefined;
  watch = new ForkWatch({
    post: { send: () => true, hasRoom: () => true, charge: (_, offence) => charges.push(offence), peers: () => [] },
    chain: generator.chain,
    jurisdiction: {
      chainId: generator.genesis.chainId,
      authorities: generator.set,
      check: (...signed) => {
        checks += 1;
        return check(...signed);
      },
    },
    report: (event) => void (event.type === 'conflict' && conflicts.push(event.certificate)),
    log: { info: ignore, warn: ignore, error: ignore },
  });
});

function own(height: number = HEIGHT) {
  return defined(generator.chain.block(height), 'it is stored');
}

function rival(): Header {
  return { ...own().header, timestamp: Timestamp(own().header.timestamp + 1) };
}

function tooFew(certificate: Certificate): Certificate {
  const { signers, signatures } = certificate;
  return { ...certificate, signers: signers.slice(1), signatures: signatures.slice(1) };
}

function announcement(header: Header, certificate: Certificate): PeerMessage {
  return { kind: 'block-announcement', header, certificate, hops: 3 };
}

function status(header: Header, certificate: Certificate | null): PeerMessage {
  const head = { height: header.height, hash: blockHash(header) };
  return { kind: 'chain-status', head, certificate, oldest: Height(0), snapshot: null };
}

describe.each([
  ['an announcement', announcement],
  ['a status', status],
] as const)('%s of a height that is final here', (_, said) => {
  it('is nothing new when it is of the own chain, and costs no check of a signature', () => {
    const { header, certificate } = own();
    watch.message(PEER, said(header, defined(certificate ?? undefined, 'it is final')));
    expect({ charges, conflicts, checks }).toEqual({ charges: [], conflicts: [], checks: 0 });
  });

  it('ends this node when a quorum has signed another block', () => {
    const certificate = generator.certify(rival());
    watch.message(PEER, said(rival(), certificate));
    expect({ charges, conflicts }).toEqual({ charges: [], conflicts: [certificate] });
  });

  it('costs its sender dearly when the certificate of the other block is none', () => {
    for (const certificate of [
      tooFew(generator.certify(rival())),
      generator.certify(rival(), { phase: 'PREPARE' }),
      { ...generator.certify(own(HEIGHT + 1).header), digest: blockHash(rival()) },
    ]) {
      charges = [];
      watch.message(PEER, said(rival(), certificate));
      expect({ charges, conflicts }).toEqual({ charges: ['BAD_CERTIFICATE'], conflicts: [] });
    }
  });

  it('is left to whoever fetches blocks when it is higher', () => {
    const header = { ...rival(), height: Height(BLOCKS + 1) };
    watch.message(PEER, said(header, tooFew(generator.certify(header))));
    expect({ charges, conflicts, checks }).toEqual({ charges: [], conflicts: [], checks: 0 });
  });
});

describe('a status', () => {
  it('without a certificate says nothing', () => {
    watch.message(PEER, status(rival(), null));
    expect(charges).toEqual([]);
  });
});

describe('an announcement', () => {
  it('of a block of another chain is charged as such', () => {
    const header = { ...rival(), chainId: Hash('ab'.repeat(32)) };
    watch.message(PEER, announcement(header, generator.certify(header)));
    expect({ charges, conflicts }).toEqual({ charges: ['WRONG_CHAIN'], conflicts: [] });
  });
});
