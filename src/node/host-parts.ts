import type { Effect } from '../consensus/effect.ts';
import type { Retirement } from '../consensus/record.ts';
import type { Replica } from '../consensus/replica.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Height, View } from '../model/ids.ts';
import type { MessageKind } from '../model/message.ts';
import type { Chain, ChainEntry } from '../store/chain.ts';
import type { Journal } from '../store/journal.ts';
import type { Executor } from './executor.ts';
import type { Mempool } from './mempool.ts';
import type { Clock, Links, SignatureCheckLater, Signer, Timers } from './ports.ts';

/** Why a replica ended its part, with what shows it. */
export type Halt = Omit<Extract<Effect, { type: 'halt' }>, 'type'>;

/** What the host tells whoever runs it; every call is made outside a step. */
interface HostListener {
  /** Final and visible in this order, one call a block; not yet durable. `waited`: for how long its oldest transaction was known here. */
  readonly final: (entry: ChainEntry, waitedMs: number | null) => void;
  /** Blocks that were handed in were executed, or not; they are not visible yet. */
  readonly importEnded?: () => void;
  /** A crash no longer loses the chain up to this height. */
  readonly durable: (height: Height) => void;
  readonly evidence: (evidence: Evidence) => void;
  readonly halted: (halt: Halt) => void;
  /** The key of this node's seat has signed `statement` without this node: it goes on as an observer. */
  readonly retired: (reason: Retirement, statement: string) => void;
  /** The replica has come to another view. */
  readonly entered: (view: View) => void;
  /** The environment failed (disk full, journal lost): nothing may be signed any more and the process must end. */
  readonly fatal: (error: Error) => void;
  readonly sent: (kind: MessageKind, bytes: number, copies: number) => void;
  readonly received: (kind: MessageKind, bytes: number) => void;
  /** How long it took until it was durable, in milliseconds. */
  readonly stored: (operation: 'journal_append' | 'chain_commit', ms: number) => void;
  /** A frame was refused before it reached the core. */
  readonly rejected: (seat: number, code: string) => void;
}

export interface HostParts {
  readonly replica: Replica;
  /** Seat of this authority; -1 for one that only follows. */
  readonly seat: number;
  readonly signer: Signer | null;
  readonly journal: Journal | null;
  readonly jurisdiction: Jurisdiction;
  readonly checkLater: SignatureCheckLater;
  readonly executor: Executor;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly links: Links;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly listener: HostListener;
}
