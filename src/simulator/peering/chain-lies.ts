import { blockHash, type Header } from '../../model/block.ts';
import { ballotSigningBytes, type Certificate } from '../../model/certificate.ts';
import { Hash, Height, Timestamp } from '../../model/ids.ts';
import type { PeerMessage, PeerMessageOf } from '../../model/peer-message.ts';
import type { Alteration, Liar } from './liar.ts';
import { certify, tooFew } from './past.ts';

const FAR = 1_000;

/** Lies about where the chain is and about what has made it final. */
export const CHAIN_LIES = {
  'claims a height that nobody signed': status((said) => ({
    ...said,
    head: { ...said.head, height: Height(said.head.height + FAR) },
  })),
  'claims a height without a certificate': status((said) => ({
    ...said,
    head: { ...said.head, height: Height(said.head.height + FAR) },
    certificate: null,
  })),
  'claims a height that strangers signed': status((said, liar) => {
    const header = { ...liar.chain.head, height: Height(said.head.height + FAR) };
    const head = { height: header.height, hash: blockHash(header) };
    return { ...said, head, certificate: byStrangers(liar, certify(liar.network, header)) };
  }),
  'claims a height that too few signed': status((said, liar) => {
    const header = { ...liar.chain.head, height: Height(said.head.height + FAR) };
    const head = { height: header.height, hash: blockHash(header) };
    return { ...said, head, certificate: certify(liar.network, header, { seats: tooFew(liar.network) }) };
  }),
  'lowers its height': status((said, liar) => lowered(said, liar)),
  'says that it has pruned everything': status((said) => ({ ...said, oldest: said.head.height })),
  'leaves headers out': headers((said) => ({ ...said, headers: said.headers.filter((_, index) => index !== 1) })),
  'sends headers in another order': headers((said) => ({ ...said, headers: [...said.headers].reverse() })),
  'sends no headers': headers((said) => ({ ...said, headers: [] })),
  'sends headers from another height on': headers((said) => ({ ...said, headers: said.headers.slice(1) })),
  'changes a header': headers((said) => ({
    ...said,
    headers: said.headers.map((header, index) =>
      index === 0 ? { ...header, timestamp: Timestamp(header.timestamp + 1) } : header,
    ),
  })),
  'makes another history that ends in the true one': headers((said, liar) => {
    const { prng } = liar;
    const last = said.headers.length - 1;
    return {
      ...said,
      headers: said.headers.map((header, index) =>
        index === last ? header : { ...header, stateRoot: randomHash(prng.below) },
      ),
    };
  }),
  'shows headers of another genesis': headers((said, liar) => {
    const chainId = randomHash(liar.prng.below);
    const made = said.headers.map((header) => ({ ...header, chainId }));
    return { ...said, headers: made, certificate: certifyLast(made, said.certificate, liar) };
  }),
  'shows a certificate of too few': headers((said) => ({
    ...said,
    certificate: {
      ...said.certificate,
      signers: said.certificate.signers.slice(1),
      signatures: said.certificate.signatures.slice(1),
    },
  })),
  'shows one signature for all': headers((said) => ({
    ...said,
    certificate: {
      ...said.certificate,
      signatures: said.certificate.signatures.map((own) => said.certificate.signatures[0] ?? own),
    },
  })),
  'shows signatures of strangers': headers((said, liar) => ({
    ...said,
    certificate: byStrangers(liar, said.certificate),
  })),
  'shows the certificate of another height': headers((said, liar) => {
    const other = liar.chain.block(1)?.certificate ?? said.certificate;
    return { ...said, certificate: other };
  }),
  'shows PREPAREs for COMMITs': headers((said, liar) => {
    const last = said.headers.at(-1);
    if (last === undefined) return said;
    return { ...said, certificate: certify(liar.network, last, { phase: 'PREPARE' }) };
  }),
  'announces blocks that nobody made': (message) => {
    if (message.kind !== 'block-announcement') return [message];
    const header = { ...message.header, stateRoot: Hash('5e'.repeat(32)) };
    return [message, { ...message, header, certificate: { ...message.certificate, digest: blockHash(header) } }];
  },
  'announces blocks far ahead, signed by too few': (message, liar) => {
    if (message.kind !== 'block-announcement') return [message];
    const header = { ...message.header, height: Height(message.header.height + 1) };
    return [
      message,
      { ...message, header, certificate: certify(liar.network, header, { seats: tooFew(liar.network) }) },
    ];
  },
  'lets news travel for ever': (message) =>
    message.kind === 'block-announcement' || message.kind === 'transactions' ? [{ ...message, hops: 255 }] : [message],
} as const satisfies Readonly<Record<string, Alteration>>;

function status(
  change: (said: PeerMessageOf<'chain-status'>, liar: Liar) => PeerMessageOf<'chain-status'>,
): Alteration {
  return (message, liar) => (message.kind === 'chain-status' ? [change(message, liar)] : [message]);
}

function headers(change: (said: PeerMessageOf<'headers'>, liar: Liar) => PeerMessageOf<'headers'>): Alteration {
  return (message, liar): readonly PeerMessage[] => (message.kind === 'headers' ? [change(message, liar)] : [message]);
}

function lowered(said: PeerMessageOf<'chain-status'>, { chain, prng }: Liar): PeerMessageOf<'chain-status'> {
  const stored = chain.block(prng.below(said.head.height + 1));
  if (stored === undefined || stored.certifiedHeight !== stored.header.height) return said;
  return { ...said, head: { height: stored.header.height, hash: stored.hash }, certificate: stored.certificate };
}

/** Keys that are in no set, in the seats of a quorum. */
function byStrangers({ network }: Liar, certificate: Certificate): Certificate {
  const message = ballotSigningBytes(network.genesis.chainId, certificate);
  const signatures = certificate.signers.map((seat) => network.keys.signerOf(`stranger-${seat}`).sign(message));
  return { ...certificate, signatures };
}

function certifyLast(made: readonly Header[], otherwise: Certificate, liar: Liar): Certificate {
  const last = made.at(-1);
  return last === undefined ? otherwise : byStrangers(liar, certify(liar.network, last));
}

export function randomHash(below: (bound: number) => number): Hash {
  return Hash(Array.from({ length: 32 }, () => below(256).toString(16).padStart(2, '0')).join(''));
}
