import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type StateChunk, stateChunkLayout } from '../../ledger/state-chunks.ts';
import { type Body, bodyLayout } from '../../model/block.ts';
import { decode, encode } from '../../model/codec.ts';
import { Signature } from '../../model/ids.ts';
import { LISTED_PEERS_MAX, SNAPSHOT_CHUNK_BYTES_MAX, SYNC_BYTES_MAX } from '../../model/limits.ts';
import type { ListedPeer, PeerMessage, PeerMessageOf } from '../../model/peer-message.ts';
import { sealTransaction } from '../../model/transaction.ts';
import { joinBodies, splitBodies } from '../../peering/bodies.ts';
import { pastBlocksLayout } from '../../peering/past-blocks.ts';
import { randomHash } from './chain-lies.ts';
import type { Alteration, Liar } from './liar.ts';

const ANSWERS = ['headers', 'block-response', 'snapshot-chunk', 'history', 'nodes', 'peer-list'] as const;
const BOMB = deflateRawSync(new Uint8Array(4 * SYNC_BYTES_MAX));
/** Slower than any question waits, at times. */
const SLOW_MS_MAX = 12_000;

/** Lies in what is served besides certificates, and ways not to serve. */
export const SERVICE_LIES = {
  'sends bodies of other blocks': bodies((all) => [...all].reverse()),
  'sends empty bodies': bodies((all) => all.map(() => [])),
  'sends too few bodies': bodies((all) => all.slice(1)),
  'sends more bodies than were asked for': bodies((all) => [...all, ...all]),
  'sends bodies with other signatures': bodies((all) =>
    all.map((body) => body.map((one) => sealTransaction(one.body, Signature('ab'.repeat(64))))),
  ),
  'sends bytes that inflate to nothing': deflated(() => Uint8Array.of(1, 2, 3, 4, 5)),
  'sends bytes that inflate for ever': deflated(() => BOMB),
  'sends chunks as large as they may be': deflated(({ prng }, kind) =>
    new Uint8Array(kind === 'snapshot-chunk' ? SNAPSHOT_CHUNK_BYTES_MAX : SYNC_BYTES_MAX).fill(prng.below(256)),
  ),
  'changes parts of a snapshot': chunks((chunk) =>
    chunk.kind === 'records'
      ? { ...chunk, records: chunk.records.map((one) => ({ ...one, value: Uint8Array.of(...one.value, 0) })) }
      : chunk,
  ),
  'leaves records of a snapshot out': chunks((chunk) =>
    chunk.kind === 'records' ? { ...chunk, records: chunk.records.slice(1) } : chunk,
  ),
  'offers a snapshot that is none': (message, liar) =>
    message.kind === 'chain-status'
      ? [{ ...message, snapshot: { height: message.head.height, hash: randomHash(liar.prng.below) } }]
      : [message],
  'offers the state of its newest block and serves none': (message) => {
    if (message.kind === 'chain-status') return [{ ...message, snapshot: message.head }];
    return message.kind === 'snapshot-chunk' || message.kind === 'history' ? [] : [message];
  },
  'changes the blocks before a snapshot': (message) => (message.kind === 'history' ? [rewritten(message)] : [message]),
  'answers nothing': (message) => (isAnswer(message) ? [] : [message]),
  'says nothing at all': () => [],
  'answers slowly': (message, liar) => {
    if (!isAnswer(message)) return [message];
    liar.after(liar.prng.next() * SLOW_MS_MAX, () => liar.say(message));
    return [];
  },
  'answers that it has nothing': failing('UNKNOWN'),
  'answers that it has no more': failing('PRUNED'),
  'answers that it is busy': failing('BUSY'),
  'answers questions that nobody asked': (message) =>
    'request' in message ? [{ ...message, request: (message.request + 7) % 2 ** 32 }, message] : [message, message],
  'tells of peers that are not there': (message, liar) => {
    if (message.kind !== 'peer-list' && message.kind !== 'nodes') return [message];
    return [{ ...message, peers: Array.from({ length: LISTED_PEERS_MAX }, () => nobody(liar)) }];
  },
  'passes on transactions that nobody signed': (message) =>
    message.kind === 'transactions'
      ? [{ ...message, transactions: message.transactions.map((one) => sealTransaction(one.body, NOBODYS)) }]
      : [message],
  'keeps transactions to itself': (message) => (message.kind.startsWith('transactions') ? [] : [message]),
} as const satisfies Readonly<Record<string, Alteration>>;

const NOBODYS = Signature('cd'.repeat(64));

function isAnswer({ kind }: PeerMessage): boolean {
  return ANSWERS.some((one) => one === kind);
}

function bodies(change: (all: readonly Body[]) => readonly Body[]): Alteration {
  return (message) => {
    if (message.kind !== 'block-response') return [message];
    const all = splitBodies(inflateRawSync(message.deflated), message.count);
    if (all === null) return [message];
    const changed = change(all);
    const joined = joinBodies(changed.map((body) => encode(bodyLayout, body)));
    return [{ ...message, count: changed.length, deflated: deflateRawSync(joined) }];
  };
}

type Deflated = PeerMessageOf<'block-response' | 'snapshot-chunk' | 'history'>;

function deflated(make: (liar: Liar, kind: Deflated['kind']) => Uint8Array): Alteration {
  return (message, liar) => ('deflated' in message ? [{ ...message, deflated: make(liar, message.kind) }] : [message]);
}

function chunks(change: (chunk: StateChunk) => StateChunk): Alteration {
  return (message) => {
    if (message.kind !== 'snapshot-chunk') return [message];
    const chunk = decode(stateChunkLayout, inflateRawSync(message.deflated));
    if (!chunk.ok) return [message];
    return [{ ...message, deflated: deflateRawSync(encode(stateChunkLayout, change(chunk.value))) }];
  };
}

function rewritten(message: PeerMessageOf<'history'>): PeerMessage {
  const past = decode(pastBlocksLayout, inflateRawSync(message.deflated));
  if (!past.ok) return message;
  const { blocks } = past.value;
  const changed = { ...past.value, blocks: blocks.map((one) => ({ ...one, receipts: [] })) };
  return { ...message, deflated: deflateRawSync(encode(pastBlocksLayout, changed)) };
}

function failing(reason: PeerMessageOf<'request-failed'>['reason']): Alteration {
  return (message) =>
    'request' in message && isAnswer(message)
      ? [{ kind: 'request-failed', request: message.request, reason }]
      : [message];
}

/** An address at which nobody lives, or one that is nobody's to tell. */
function nobody({ prng }: Pick<Liar, 'prng'>): ListedPeer {
  const octet = (): number => 1 + prng.below(250);
  const host = prng.chance(0.9) ? `${100 + prng.below(50)}.${octet()}.${octet()}.${octet()}` : '127.0.0.1';
  const role = prng.pick(['authority', 'follower', 'bootstrap'] as const);
  return { id: randomHash(prng.below), address: `${host}:${1_024 + prng.below(60_000)}`, role };
}
