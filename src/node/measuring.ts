import { parseStateKey, TIER, type TierRecord } from '../ledger/records.ts';
import type { StateChange } from '../ledger/state.ts';
import { decode } from '../model/codec.ts';
import type { MessageKind } from '../model/message.ts';
import type { OperationKind } from '../model/operation.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import { afterPrefix, TABLES } from '../store/schema.ts';
import type { Metrics, TicketTransition } from './metrics.ts';

/** Turns what the host tells into figures. */
export interface Measuring {
  sent(kind: MessageKind, bytes: number, copies: number): void;
  received(kind: MessageKind, bytes: number): void;
  /** `waitedMs`: how long the block's oldest transaction was known here; null when none was. */
  final(entry: ChainEntry, waitedMs: number | null): void;
  stored(operation: 'journal_append' | 'chain_commit', ms: number): void;
}

/** Tickets in each state, of every tier. */
type TierCounts = Pick<TierRecord, 'issued' | 'validated' | 'consumed' | 'disputed'>;

export function createMeasuring(metrics: Metrics, chain: Chain): Measuring {
  const tiers = readTiers(chain);
  metrics.ticketStates(ticketStates(tiers));
  return {
    sent: (kind, bytes, copies) => {
      if (kind === 'pre-prepare') metrics.roundStarted();
      for (let copy = 0; copy < copies; copy += 1) {
        metrics.messageSent(kind, bytes);
        if (kind === 'transactions') metrics.gossipSent(kind);
      }
    },
    received: (kind, bytes) => {
      metrics.messageReceived(kind, bytes);
      if (kind === 'pre-prepare') metrics.roundStarted();
      if (kind === 'transactions') metrics.gossipReceived(kind);
    },
    final: (entry, waitedMs) => {
      const { height } = entry.stored.header;
      metrics.blockFinalised({ height, latencySeconds: waitedMs === null ? null : waitedMs / 1_000 });
      countMoves(metrics, entry);
      const changed = entry.changes.filter((change) => takeTier(tiers, change));
      if (changed.length > 0) metrics.ticketStates(ticketStates(tiers));
    },
    stored: (operation, ms) => metrics.storageOperation(operation, ms / 1_000),
  };
}

function readTiers(chain: Chain): Map<string, TierCounts> {
  const tiers = new Map<string, TierCounts>();
  const from = Uint8Array.of(TIER.tag);
  const to = afterPrefix(from);
  for (const entry of chain.store.range(TABLES.state, to === undefined ? { from } : { from, to }))
    takeTier(tiers, entry);
  return tiers;
}

/** Whether this record is a tier, which is then counted anew. */
function takeTier(tiers: Map<string, TierCounts>, { key, value }: StateChange): boolean {
  const parsed = parseStateKey(key);
  if (parsed?.tag !== TIER.tag) return false;
  const record = decode(TIER.layout, value);
  if (!record.ok) return false;
  const { issued, validated, consumed, disputed } = record.value;
  tiers.set(parsed.id, { issued, validated, consumed, disputed });
  return true;
}

function ticketStates(tiers: ReadonlyMap<string, TierCounts>): ReadonlyMap<string, number> {
  const sum = { ISSUED: 0, VALIDATED: 0, CONSUMED: 0, DISPUTED: 0 };
  for (const { issued, validated, consumed, disputed } of tiers.values()) {
    sum.ISSUED += issued - validated - consumed - disputed;
    sum.VALIDATED += validated;
    sum.CONSUMED += consumed;
    sum.DISPUTED += disputed;
  }
  return new Map(Object.entries(sum));
}

/** What is counted of operations that make one version of one ticket. */
const TRANSITIONS: Readonly<Partial<Record<OperationKind, TicketTransition>>> = {
  dispute: 'disputed',
  transfer: 'transferred',
  hold: 'held',
  release: 'released',
  revoke: 'revoked',
  'case.open': 'case_opened',
  resolve: 'case_resolved',
};

function countMoves(metrics: Metrics, { stored }: ChainEntry): void {
  for (const [index, { body }] of stored.body.entries()) {
    const receipt = stored.receipts[index];
    if (receipt === undefined || !receipt.accepted || receipt.replayOf !== null) continue;
    const { operation } = body;
    const { changes } = receipt;
    if (operation.kind === 'validate') metrics.ticketTransition('validated', changes.length);
    // Of a ticket that was activated before, an admission makes one version only.
    if (operation.kind === 'admit' && changes.length > 1) metrics.ticketTransition('validated', 1);
    if (operation.kind === 'consume' || operation.kind === 'admit') metrics.ticketTransition('consumed', 1);
    const transition = TRANSITIONS[operation.kind];
    if (transition !== undefined) metrics.ticketTransition(transition, 1);
  }
}
