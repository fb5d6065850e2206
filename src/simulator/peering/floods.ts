import { blockHash } from '../../model/block.ts';
import { Height } from '../../model/ids.ts';
import { ANNOUNCED_IDS_MAX, PEER_MESSAGE_RATES } from '../../model/limits.ts';
import type { PeerMessage, PeerMessageKind } from '../../model/peer-message.ts';
import { randomHash } from './chain-lies.ts';
import type { Liar, Pestering } from './liar.ts';
import { certify, foundEvent, tooFew } from './past.ts';

/** How often every peer is pestered. */
export const PESTER_MS = 100;
/** Many times what a peer may send in one round, within what a simulation can carry. */
const MESSAGES_PER_ROUND_MAX = 150;
const FRAME_BYTES = 64;

/** What hostile peers do without being asked. */
export const FLOODS = {
  'floods with one kind of message': (liar) => {
    const { perSecond, burst } = PEER_MESSAGE_RATES[liar.floodKind];
    const count = Math.min(MESSAGES_PER_ROUND_MAX, burst + perSecond);
    for (let index = 0; index < count; index += 1) liar.say(EXAMPLES[liar.floodKind](liar));
  },
  'sends bytes that are no messages': (liar) => {
    const bytes = Uint8Array.from({ length: 1 + liar.prng.below(FRAME_BYTES) }, () => liar.prng.below(256));
    liar.shout(Uint8Array.of(liar.prng.below(256), ...bytes));
  },
  'announces other blocks at heights that are final': (liar) => {
    const header = { ...liar.chain.head, stateRoot: randomHash(liar.prng.below) };
    const certificate = certify(liar.network, header, { seats: tooFew(liar.network) });
    liar.say({ kind: 'block-announcement', header, certificate, hops: 8 });
  },
  'asks for everything again and again': (liar) => {
    for (let index = 0; index < 4; index += 1) {
      liar.say({ kind: 'block-request', request: index, from: Height(1), count: 255 });
      liar.say({ kind: 'header-request', request: index, from: Height(1), count: 255 });
      liar.say({ kind: 'snapshot-request', request: index, height: liar.chain.head.height, prefix: '' });
      liar.say({ kind: 'history-request', request: index, below: liar.chain.head.height, count: 255 });
    }
  },
  'asks for what is far above': (liar) => {
    const from = Height(liar.chain.head.height + 1_000_000);
    liar.say({ kind: 'block-request', request: 1, from, count: 2 ** 31 });
    liar.say({ kind: 'header-request', request: 1, from, count: 2 ** 31 });
  },
} as const satisfies Readonly<Record<string, Pestering>>;

/** One message of each kind, as nobody honest would send it now. */
const EXAMPLES: Readonly<Record<PeerMessageKind, (liar: Liar) => PeerMessage>> = {
  'chain-status-request': () => ({ kind: 'chain-status-request' }),
  'chain-status': ({ chain }) => ({
    kind: 'chain-status',
    head: { height: Height(0), hash: blockHash(chain.head) },
    certificate: null,
    oldest: Height(0),
    snapshot: null,
  }),
  'block-announcement': (liar) => {
    const header = { ...liar.chain.head, stateRoot: randomHash(liar.prng.below) };
    return {
      kind: 'block-announcement',
      header,
      certificate: certify(liar.network, header, { seats: tooFew(liar.network) }),
      hops: 8,
    };
  },
  'header-request': () => ({ kind: 'header-request', request: 1, from: Height(1), count: 32 }),
  headers: (liar) => ({
    kind: 'headers',
    request: liar.prng.below(32),
    headers: [liar.chain.head],
    certificate: certify(liar.network, liar.chain.head),
  }),
  'block-request': () => ({ kind: 'block-request', request: 1, from: Height(1), count: 32 }),
  'block-response': ({ prng }) => ({
    kind: 'block-response',
    request: prng.below(32),
    from: Height(1),
    count: 1,
    deflated: Uint8Array.of(3, 0),
  }),
  'snapshot-request': ({ chain }) => ({
    kind: 'snapshot-request',
    request: 1,
    height: chain.head.height,
    prefix: '',
  }),
  'snapshot-chunk': ({ prng }) => ({
    kind: 'snapshot-chunk',
    request: prng.below(32),
    prefix: '',
    deflated: Uint8Array.of(3, 0),
  }),
  'request-failed': ({ prng }) => ({ kind: 'request-failed', request: prng.below(64), reason: 'UNKNOWN' }),
  transactions: (liar) => {
    const number = liar.prng.below(2 ** 30);
    const { timestamp } = liar.chain.head;
    return { kind: 'transactions', transactions: [foundEvent(forger(liar), number, timestamp)], hops: 8 };
  },
  'transactions-held': ({ prng }) => ({
    kind: 'transactions-held',
    ids: Array.from({ length: Math.min(8, ANNOUNCED_IDS_MAX) }, () => randomHash(prng.below)),
  }),
  'transactions-wanted': ({ prng }) => ({ kind: 'transactions-wanted', ids: [randomHash(prng.below)] }),
  'peer-discovery': () => ({ kind: 'peer-discovery' }),
  'peer-list': () => ({ kind: 'peer-list', peers: [] }),
  'find-node': ({ prng }) => ({ kind: 'find-node', request: 1, target: randomHash(prng.below) }),
  nodes: ({ prng }) => ({ kind: 'nodes', request: prng.below(4), peers: [] }),
  'history-request': ({ chain }) => ({ kind: 'history-request', request: 1, below: chain.head.height, count: 32 }),
  history: ({ prng, chain }) => ({
    kind: 'history',
    request: prng.below(32),
    below: chain.head.height,
    deflated: Uint8Array.of(3, 0),
  }),
};

export const FLOOD_KINDS = Object.keys(EXAMPLES) as readonly PeerMessageKind[];

/** Signs with a key that is not that of the organisation. */
function forger({ network }: Liar): Liar['network'] {
  const { signerOf } = network.keys;
  const { publicKey } = signerOf('federation');
  const { sign } = signerOf('stranger-0');
  return { ...network, keys: { ...network.keys, signerOf: () => ({ publicKey, sign }) } };
}
