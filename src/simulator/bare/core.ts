import type { Effect } from '../../consensus/effect.ts';
import type { LocalEvent } from '../../consensus/event.ts';
import { step } from '../../consensus/pbft.ts';
import { createReplica } from '../../consensus/recover.ts';
import type { Configuration, Recovered, Replica } from '../../consensus/replica.ts';
import { wants } from '../../consensus/wants.ts';
import type { Timestamp } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import { type Verified, verifyMessage } from '../../model/verified.ts';

/** The functions under test; a mutant is another value of this. */
export interface Core {
  readonly createReplica: (config: Configuration, recovered: Recovered) => Replica;
  readonly step: (replica: Replica, event: LocalEvent & { now: Timestamp }) => readonly Effect[];
  readonly stepMessage: (
    replica: Replica,
    from: number,
    message: Verified<Message>,
    now: Timestamp,
  ) => readonly Effect[];
  readonly wants: (replica: Replica, from: number, message: Message) => boolean;
  readonly verify: typeof verifyMessage;
}

/** The core that ships. */
export const PRODUCTION: Core = {
  createReplica,
  step,
  stepMessage: (replica, from, message, now) => step(replica, { type: 'message', from, message, now }),
  wants,
  verify: verifyMessage,
};

/** What tells one node of a world from another. */
export interface NodeOptions {
  readonly name: string;
  /** Its place on the network; a dead key has one too, and the core does not know it. */
  readonly seat: number;
  /** A crash takes the store, and leaves the journal. */
  readonly isWipedByCrashes: boolean;
  /** Its number among all processes; twins share a seat, not this. */
  readonly instance: number;
  /** How far its clock is off, in milliseconds. */
  readonly skewMs: number;
  readonly syncMsMax: number;
  readonly executionMs: number;
  /** Its executions come to something else than they should, and it does not notice. */
  readonly isCorrupt: boolean;
  readonly sendsBeforeSync: boolean;
}
