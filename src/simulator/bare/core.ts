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
