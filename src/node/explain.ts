import type { Timestamp } from '../model/ids.ts';

/** What is known of one of the other authorities. */
export interface AuthorityFacts {
  readonly id: string;
  readonly connected: boolean;
  /** When this node last heard its status, or since when it is gone; milliseconds since 1970. */
  readonly heardAt: Timestamp;
  /** Its final height, when it has said so. */
  readonly finalHeight: number | null;
  /** Its clock less ours when it last spoke, in milliseconds. */
  readonly clockOffsetMs: number | null;
  readonly isPrimary: boolean;
}

/** All that an explanation is drawn from. */
export interface ChainFacts {
  readonly now: Timestamp;
  readonly lastFinalAt: Timestamp;
  readonly finalHeight: number;
  /** Transactions that wait for a block. */
  readonly waiting: number;
  readonly mode: 'active' | 'changing' | 'halted';
  readonly view: number;
  readonly haltReason: string | null;
  /** Code of the failure of this node's disk or store, if any. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** Why this node holds an authority's key and does not vote. */
  readonly observerReason: string | null;
  /** Name of this node when it is an authority. */
  readonly self: string | null;
  readonly isPrimary: boolean;
  readonly quorum: number;
  readonly authorities: number;
  readonly others: readonly AuthorityFacts[];
  /** Work is overdue after this long without a block. */
  readonly patienceMs: number;
  /** How far honest clocks may be apart. */
  readonly precisionMs: number;
  /** How long an authority may be quiet. */
  readonly silenceMs: number;
}

export const CAUSES = [
  'MOVING',
  'IDLE',
  'DISK_FULL',
  'FAILED',
  'HALTED',
  'OBSERVER',
  'CLOCK_OFF',
  'LAGGING',
  'NO_QUORUM',
  'SILENT_PRIMARY',
  'VIEW_CHANGE',
  'WAITING',
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Explained {
  readonly moving: boolean;
  readonly reason: string;
  readonly code: Cause;
  readonly waitingFor: readonly { readonly authority: string; readonly since: Timestamp; readonly why: string }[];
}

/** Why the chain moves or does not, as this node sees it: the gravest cause first. */
export function explain(facts: ChainFacts): Explained {
  const absent = facts.others.filter(({ connected }) => !connected);
  const waitingFor = absent.map(({ id, heardAt }) => ({ authority: id, since: heardAt, why: 'not connected' }));
  const stuck = (code: Cause, reason: string, waiting: Explained['waitingFor'] = waitingFor): Explained => ({
    moving: false,
    code,
    reason,
    waitingFor: waiting,
  });
  if (facts.failure !== null) {
    const isFull = facts.failure.code === 'DISK_FULL';
    const advice = isFull ? 'Make room and restart it.' : 'Mend the cause and restart it.';
    return stuck(
      isFull ? 'DISK_FULL' : 'FAILED',
      `This node has stopped taking part: ${facts.failure.message}. ${advice} Reads go on.`,
    );
  }
  if (facts.haltReason !== null) return stuck('HALTED', haltSentence(facts.haltReason));
  const clock = clockSentence(facts);
  if (clock !== undefined) return stuck('CLOCK_OFF', clock);
  const ahead = aheadOf(facts);
  if (ahead !== undefined) {
    return stuck('LAGGING', `This node is at height ${facts.finalHeight}, others are at ${ahead}: it is catching up.`);
  }
  return networkCause(facts, waitingFor, stuck);
}

function networkCause(
  facts: ChainFacts,
  waitingFor: Explained['waitingFor'],
  stuck: (code: Cause, reason: string, waiting?: Explained['waitingFor']) => Explained,
): Explained {
  const votes = facts.others.filter(({ connected }) => connected).length + (facts.self === null ? 0 : 1);
  if (votes < facts.quorum) {
    return stuck(
      'NO_QUORUM',
      `${votes} of ${facts.authorities} authorities are here and a block needs ${facts.quorum}: nothing becomes final until ${facts.quorum - votes} more return.`,
    );
  }
  const age = facts.now - facts.lastFinalAt;
  const overdue = facts.waiting > 0 && age > facts.patienceMs;
  if (overdue) {
    const primary = facts.others.find(({ isPrimary }) => isPrimary);
    const isSilent = primary !== undefined && (!primary.connected || facts.now - primary.heardAt > facts.silenceMs);
    if (isSilent) {
      const silent = [{ authority: primary.id, since: primary.heardAt, why: 'it is the primary and silent' }];
      return stuck(
        'SILENT_PRIMARY',
        `The primary ${primary.id} is silent; the others are about to replace it.`,
        silent,
      );
    }
    if (facts.mode === 'changing') return stuck('VIEW_CHANGE', `The authorities are agreeing on view ${facts.view}.`);
    return stuck('WAITING', `${facts.waiting} transactions wait, the last block came ${seconds(age)} ago.`);
  }
  if (facts.observerReason !== null) {
    return {
      moving: true,
      code: 'OBSERVER',
      reason: `This node follows without a vote: ${facts.observerReason}`,
      waitingFor,
    };
  }
  const missing =
    waitingFor.length === 0 ? '' : ` ${waitingFor.map(({ authority }) => authority).join(', ')} not connected.`;
  return facts.waiting === 0 && age > facts.patienceMs
    ? {
        moving: true,
        code: 'IDLE',
        reason: `Nothing waits; the last block came ${seconds(age)} ago.${missing}`,
        waitingFor,
      }
    : {
        moving: true,
        code: 'MOVING',
        reason: `Blocks become final; the last one came ${seconds(age)} ago.${missing}`,
        waitingFor,
      };
}

function haltSentence(reason: string): string {
  switch (reason) {
    case 'DIVERGED':
      return 'Halted: a certified block is invalid by this node’s own execution. Wipe data/ (never the journal) and restart; if it happens again it is a bug.';
    case 'SAFETY':
      return 'Halted: two certificates for different blocks at one height exist, so more than f authorities are faulty. Both are kept as evidence; people must decide.';
    case 'DUPLICATE_KEY':
      return 'Halted: another machine signs with this authority’s key. Find it; this key must not vote again.';
    default:
      return `Halted: ${reason}.`;
  }
}

/** Off when a majority of those who speak agree among themselves and not with us. */
function clockSentence({ others, precisionMs }: ChainFacts): string | undefined {
  const offsets = others.flatMap(({ connected, clockOffsetMs }) =>
    connected && clockOffsetMs !== null ? [clockOffsetMs] : [],
  );
  if (offsets.length === 0) return undefined;
  const sorted = [...offsets].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  if (Math.abs(median) <= precisionMs) return undefined;
  const direction = median > 0 ? 'behind' : 'ahead of';
  return `The clock of this node is ${seconds(Math.abs(median))} ${direction} the other authorities: set it right (NTP), or its proposals are refused.`;
}

/** Height that the others have reached when it is well above ours. */
function aheadOf({ others, finalHeight }: ChainFacts): number | undefined {
  const heights = others.flatMap((other) => (other.connected && other.finalHeight !== null ? [other.finalHeight] : []));
  const highest = Math.max(-1, ...heights);
  return highest > finalHeight + LAG_BLOCKS ? highest : undefined;
}

/** Blocks behind that are more than a message under way. */
const LAG_BLOCKS = 8;

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
