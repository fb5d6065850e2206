import type { Block, Body, Header } from '../model/block.ts';
import type { Ballot, Certificate } from '../model/certificate.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Hash, View } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import type { Checkpoint, NewView, ViewChange } from '../model/view-change.ts';
import type { Timer } from './event.ts';
import type { JournalRecord, Retirement } from './record.ts';

/**
 * A statement that this authority signs. The host signs it, appends it and `support` to the journal, syncs, and only then
 * broadcasts it and feeds it back to the step as a message from itself. Nothing signed leaves in any other way.
 */
export type Pledge =
  | { readonly kind: 'vote'; readonly ballot: Ballot }
  /** The primary's PREPARE with the block that it proposes. */
  | { readonly kind: 'proposal'; readonly ballot: Ballot; readonly header: Header; readonly body: Body | null }
  | {
      readonly kind: 'view-change';
      readonly viewChange: Omit<ViewChange, 'signature'>;
      readonly certificate: Certificate | null;
    }
  | { readonly kind: 'new-view'; readonly newView: Omit<NewView, 'signature'> }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Omit<Checkpoint, 'signature'> };

/** Deeds asked of the shell, to be carried out in order. */
export type Effect =
  | {
      readonly type: 'pledge';
      readonly token: number;
      readonly pledge: Pledge;
      /** Written in front of the pledge, in the same sync. */
      readonly support: readonly JournalRecord[];
    }
  /** Durable without any message. */
  | { readonly type: 'record'; readonly token: number; readonly records: readonly JournalRecord[] }
  | { readonly type: 'send'; readonly to: number; readonly message: Message }
  /** To every other authority; never a message that carries a signature of ours that has not been pledged. */
  | { readonly type: 'broadcast'; readonly message: Message }
  | { readonly type: 'set-timer'; readonly timer: Timer; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: Timer }
  /** Execute on the parent's state, which is final or was found valid before, and keep the result in memory. */
  | { readonly type: 'validate'; readonly digest: Hash; readonly block: Block }
  /** Forget what executing these yielded; their transactions go back to the mempool unless `final` holds them. */
  | { readonly type: 'drop'; readonly digests: readonly Hash[] }
  /** Take pending transactions and execute them on the parent's state. `empty` asks for a block in any case. */
  | {
      readonly type: 'build';
      readonly view: View;
      readonly parent: Hash;
      readonly empty: boolean;
    }
  /** Final, in this order: write to the store what validation yielded. The certificate is of the last. */
  | { readonly type: 'commit'; readonly blocks: readonly Block[]; readonly certificate: Certificate }
  /** Certified blocks of a peer above the final one: check, execute, store. */
  | {
      readonly type: 'import';
      readonly from: number;
      readonly blocks: readonly Block[];
      readonly certificate: Certificate;
    }
  /** A request that only the store can answer. */
  | {
      readonly type: 'serve';
      readonly to: number;
      readonly request: Extract<Message, { kind: 'body-request' | 'blocks-request' }>;
    }
  | { readonly type: 'evidence'; readonly evidence: Evidence }
  /** A new segment that begins with this record; every older one may go. */
  | { readonly type: 'truncate'; readonly snapshot: JournalRecord }
  /** This replica's part is over. */
  | {
      readonly type: 'halt';
      readonly reason: 'DIVERGED' | 'SAFETY';
      readonly certificates: readonly Certificate[];
      /** Statements of others that this replica's own execution contradicts. */
      readonly checkpoints: readonly Checkpoint[];
    }
  /** The seat is given up for good: its key has signed `statement`, which this replica never did. It goes on as an observer. */
  | { readonly type: 'retire'; readonly reason: Retirement; readonly statement: string };
