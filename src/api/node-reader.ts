import type { Replica } from '../consensus/replica.ts';
import { primaryOf } from '../consensus/replica.ts';
import type { Timing } from '../consensus/timing.ts';
import { stateKey } from '../ledger/records.ts';
import { TICKET, type TicketRecord } from '../ledger/ticket-record.ts';
import { defined } from '../lib/assert.ts';
import { type Height, type TicketId, Timestamp } from '../model/ids.ts';
import { TICKET_STATES } from '../model/ticket.ts';
import { type AuthorityFacts, type ChainFacts, explain } from '../node/explain.ts';
import type { Node } from '../node/node.ts';
import { isDiskFull } from '../store/disk.ts';
import { TABLES } from '../store/schema.ts';
import { decodeTicket, readHistory, readTicketIds, readTicketIdsOfAll } from '../store/tickets.ts';
import { createProver } from './node-proofs.ts';
import type { AuthorityView, Explanation, FinalBlock, NodeStatus, Reader } from './ports.ts';

/** What a reader knows of a node beside the node itself. */
export interface ReaderSettings {
  /** The authority's name in genesis, or the node key of one that only follows. */
  readonly nodeId: string;
  readonly version: string;
  readonly devnet: boolean;
  readonly observerReason: string | null;
  readonly genesisBytes: Uint8Array;
  readonly startedAt: Timestamp;
  readonly timing: Timing;
  readonly config: Readonly<Record<string, unknown>>;
  readonly storageSizes: () => Readonly<Record<string, number>>;
}

/** Answers every question of the HTTP surface from a running node. */
export function createReader(node: Node, settings: ReaderSettings): Reader {
  const { chain } = node.parts;
  return {
    status: () => statusOf(node, settings),
    genesis: () => settings.genesisBytes,
    block: (height) => blockAt(node, height),
    heightOf: (hash) => chain.heightOf(hash),
    oldest: () => chain.oldest,
    transaction: (id) => {
      const place = chain.place(id);
      const block = place === undefined ? undefined : chain.block(place.height);
      if (place !== undefined && block === undefined && place.height < chain.oldest) {
        return { state: 'pruned', height: place.height };
      }
      if (place === undefined || block === undefined) {
        // Final and not yet visible is still on its way for whoever reads here.
        return { state: node.parts.mempool.has(id) || chain.has(id) ? 'pending' : 'unknown' };
      }
      const receipt = defined(block.receipts[place.index], 'a final transaction has a receipt');
      const transaction = defined(block.body[place.index], 'a final transaction is in its block');
      return { state: 'final', height: place.height, blockHash: block.hash, receipt, transaction };
    },
    ticket: (id) => ticketOf(node, id),
    tickets: ({ state, limit, after }) => {
      const wanted = TICKET_STATES.find((one) => one === state);
      const ids =
        wanted === undefined
          ? readTicketIdsOfAll(chain.store, { after, limit })
          : readTicketIds(chain.store, { state: wanted, after, limit });
      return {
        tickets: ids.flatMap((id) => ticketOf(node, id as TicketId) ?? []),
        asOf: chain.visibleHead.header.height,
      };
    },
    history: (id, page) => readHistory(chain.store, id, page),
    proof: createProver(chain.store, node.parts.genesis.iriBase),
    peers: () =>
      node.parts.transport.peers().map((peer) => ({
        id:
          peer.authorityIndex === undefined
            ? peer.id
            : (node.parts.genesis.authorities[peer.authorityIndex]?.id ?? peer.id),
        role: peer.role,
        direction: peer.direction,
        address: peer.address,
        head: headOf(node.replica, peer.authorityIndex) ?? node.peering?.headOf(peer.id) ?? peer.head,
        latencyMs: peer.latencyMs ?? null,
        score: node.peering?.score(peer.id) ?? 0,
      })),
    authorities: () => authoritiesOf(node),
    explain: () => explanationOf(node, settings),
    evidence: () => node.evidence(),
    halt: () => node.halt,
    stats: () => ({
      cacheSize: node.parts.mempool.size,
      sequence: chain.visibleHead.header.height,
      storage: settings.storageSizes(),
      finalityMs: percentiles(node.latenciesMs),
    }),
    config: () => settings.config,
  };
}

function statusOf(node: Node, settings: ReaderSettings): NodeStatus {
  const { chain, genesis, mempool, transport, clock } = node.parts;
  const { replica } = node;
  const { header, hash } = chain.visibleHead;
  const isLagging = node.heightAhead() !== undefined;
  return {
    nodeId: settings.nodeId,
    role: replica.config.self >= 0 ? 'authority' : observerReasonOf(node, settings) === null ? 'follower' : 'observer',
    version: settings.version,
    networkId: genesis.networkId,
    chainId: genesis.chainId,
    head: { height: header.height, hash, time: header.timestamp },
    epoch: replica.config.authorities.epoch,
    view: replica.view,
    primary: genesis.authorities[primaryOf(replica, replica.view)]?.id ?? '',
    authorities: genesis.authorities.length,
    quorum: node.quorum,
    connected: node.connectedAuthorities(),
    peers: transport.peers().length,
    syncing: isLagging,
    sync: node.syncProgress(),
    mempool: mempool.size,
    uptimeSeconds: Math.floor((clock.now() - settings.startedAt) / 1_000),
    observerReason: observerReasonOf(node, settings),
    ready:
      !isLagging && (!node.isFollower || transport.peers().length > 0) && node.halt === null && node.fatal === null,
    devnet: settings.devnet,
  };
}

/** Why it holds an authority's key and does not vote: known at the start, or found out since. */
function observerReasonOf(node: Node, { observerReason }: ReaderSettings): string | null {
  return observerReason ?? node.retirement;
}

function blockAt(node: Node, height: Height): FinalBlock | undefined {
  return node.parts.chain.block(height);
}

function ticketOf(node: Node, id: TicketId): TicketRecord | undefined {
  const bytes = node.parts.chain.store.get(TABLES.state, stateKey(TICKET, id));
  return bytes === undefined ? undefined : decodeTicket(bytes, id);
}

function headOf(replica: Replica, seat: number | undefined) {
  const status = seat === undefined ? undefined : replica.peers[seat]?.status;
  return status ? { height: status.finalHeight, hash: status.finalHash } : undefined;
}

function authoritiesOf(node: Node): readonly AuthorityView[] {
  const { genesis, seat } = node.parts;
  const connected = new Set(node.connectedSeats());
  return genesis.authorities.map(({ id, publicKey, organisation }, index) => ({
    id,
    publicKey,
    organisation,
    connected: index === seat || connected.has(index),
    ...node.share(index),
  }));
}

function explanationOf(node: Node, settings: ReaderSettings): Explanation {
  const { clock, chain, mempool, genesis } = node.parts;
  const { replica } = node;
  const oldest = mempool.oldest();
  const facts: ChainFacts = {
    now: clock.now(),
    lastFinalAt: Timestamp(node.lastFinalAt),
    finalHeight: chain.head.height,
    heightAhead: node.heightAhead() ?? null,
    waiting: mempool.size,
    oldestWaitMs: oldest === undefined ? 0 : clock.monotonicMs() - oldest.arrivedMs,
    mode: replica.mode,
    view: replica.view,
    haltReason: node.halt?.reason ?? null,
    failure: failureOf(node.fatal),
    observerReason: observerReasonOf(node, settings),
    twinAddress: node.turnedAway.twinAddress,
    isSeatTaken: node.turnedAway.isSeatTaken,
    voters: node.connectedAuthorities(),
    quorum: node.quorum,
    weakQuorum: replica.weakQuorum,
    authorities: genesis.authorities.length,
    others: othersOf(node, settings),
    following: node.followerFacts(),
    prunedBelow: node.syncProgress()?.prunedBelow ?? null,
    contradiction: node.peering?.contradiction() ?? null,
    noSnapshot: node.peering?.noSnapshot() ?? null,
    patienceMs: settings.timing.progressMs,
    precisionMs: settings.timing.precisionMs,
    silenceMs: 2 * settings.timing.statusMs,
  };
  return explain(facts);
}

function othersOf(node: Node, settings: ReaderSettings): readonly AuthorityFacts[] {
  const { genesis, seat } = node.parts;
  const { replica } = node;
  // A follower hears of authorities by what they sign.
  if (node.isFollower) return [];
  const connected = new Set(node.connectedSeats());
  const primary = primaryOf(replica, replica.view);
  return genesis.authorities.flatMap(({ id }, index) => {
    // An observer has its place in genesis and no seat.
    if (index === seat || id === settings.nodeId) return [];
    const status = replica.peers[index]?.status ?? null;
    const heardAt = replica.peers[index]?.heardAt;
    return [
      {
        id,
        connected: connected.has(index),
        heardAt: status === null || heardAt === undefined ? settings.startedAt : heardAt,
        clockOffsetMs: status === null || heardAt === undefined ? null : status.now - heardAt,
        isPrimary: index === primary,
        isHalted: status?.mode === 'halted',
        isObserver: status?.mode === 'observer',
      },
    ];
  });
}

function failureOf(error: Error | null): ChainFacts['failure'] {
  return error === null ? null : { code: isDiskFull(error) ? 'DISK_FULL' : 'FAILED', message: error.message };
}

function percentiles(values: readonly number[]) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
