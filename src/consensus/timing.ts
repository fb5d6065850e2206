/** How long things may take, in milliseconds. Local to a node: no two nodes need to agree on any of it. */
export interface Timing {
  /** Work without a finalisation for this long makes the view suspect; doubles with every failed view. */
  readonly progressMs: number;
  /** From a quorum of VIEW-CHANGEs to the NEW-VIEW; doubles with every failed view. */
  readonly newViewMs: number;
  /** What doubling stops at: a network that heals is back within one such wait. */
  readonly timeoutMsMax: number;
  /** Between two broadcasts of the own VIEW-CHANGE. */
  readonly resendMs: number;
  /** Between two Status messages. */
  readonly statusMs: number;
  /** What a batch that is not full waits for while another block is in flight. */
  readonly batchMs: number;
  /** A missing block may still be under way for this long before it is asked for. */
  readonly fetchDelayMs: number;
  /** After this long another peer is asked. */
  readonly fetchRetryMs: number;
  /** From seeing a transaction to forwarding it to the primary. */
  readonly forwardMs: number;
  /** What a transaction may wait for more than a later one; doubles with every failed view. */
  readonly requestMs: number;
  /** How far honest clocks may be apart (PBTS). */
  readonly precisionMs: number;
  /** How old a fresh proposal's time may be (PBTS); grows with failed views. */
  readonly messageDelayMs: number;
}

/** One building, or one machine. */
export const LAN: Timing = {
  progressMs: 500,
  newViewMs: 1_000,
  timeoutMsMax: 4_000,
  resendMs: 300,
  statusMs: 1_000,
  batchMs: 2,
  fetchDelayMs: 20,
  fetchRetryMs: 150,
  forwardMs: 100,
  requestMs: 1_000,
  precisionMs: 500,
  messageDelayMs: 2_000,
};

/** Between cities, over the public internet. */
export const WAN: Timing = {
  progressMs: 3_000,
  newViewMs: 5_000,
  timeoutMsMax: 60_000,
  resendMs: 2_000,
  statusMs: 3_000,
  batchMs: 20,
  fetchDelayMs: 150,
  fetchRetryMs: 1_500,
  forwardMs: 1_000,
  requestMs: 6_000,
  precisionMs: 500,
  messageDelayMs: 2_000,
};

/** Transactions that make a batch worth sending while another block is in flight. */
export const BATCH_TRANSACTIONS_MIN = 64;
/** Status intervals after which what a silent peer said about itself lapses. */
export const STATUS_LAPSE_INTERVALS = 3;

/** Timeouts are at least this many times what the blocks of a full window take here: execution and transfer. */
export const PACE_MARGIN = 8;
/** What is left of a measured time with every later, shorter one: a large block among small ones is remembered for about twenty. */
const PACE_MEMORY = 7 / 8;

/** What a timeout is drawn from. */
export interface Pace {
  readonly timing: Timing;
  /** Failed views in a row. */
  readonly failures: number;
  /** What the blocks of a full window take here by measure, in milliseconds. */
  readonly windowMs: number;
}

/** A timeout: not shorter than this machine can be held to, doubled with every failed view, both up to the cap. Milliseconds. */
export function timeoutMs(baseMs: number, { timing, failures, windowMs }: Pace): number {
  const { timeoutMsMax } = timing;
  const fairMs = Math.max(baseMs, Math.min(PACE_MARGIN * windowMs, timeoutMsMax));
  return Math.max(fairMs, Math.min(fairMs * 2 ** failures, timeoutMsMax));
}

/** What a block takes, after one more measure: the longest of late. Milliseconds. */
export function remembered(blockMs: number, measuredMs: number, { timeoutMsMax }: Timing): number {
  return Math.max(Math.min(measuredMs, timeoutMsMax), blockMs * PACE_MEMORY);
}

/** The number of failed views beyond which no timeout grows any more. */
export function failuresCounted(failures: number, timing: Timing): number {
  const shortest = Math.min(timing.progressMs, timing.newViewMs);
  return Math.min(failures, Math.ceil(Math.log2(Math.max(1, timing.timeoutMsMax / shortest))));
}

/** What a fresh proposal's time may lie behind the local clock (PBTS `timely`): grows so that a bound set too small heals. */
export function lateMsMax(timing: Timing, failures: number): number {
  return timing.messageDelayMs * 1.1 ** failures + timing.precisionMs;
}
