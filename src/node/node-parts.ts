import type { Replica } from '../consensus/replica.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { AuthorityContact, Transport } from '../network/transport.ts';
import type { Chain } from '../store/chain.ts';
import type { Journal } from '../store/journal.ts';
import type { Executor } from './executor.ts';
import type { Mempool } from './mempool.ts';
import type { Metrics } from './metrics.ts';
import type { PeeringSettings } from './peering.ts';
import type { Clock, Log, SignatureCheckLater, Signer, Timers } from './ports.ts';

/** What a node is put together from. */
export interface NodeParts {
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
  readonly replica: Replica;
  /** -1 for one that only follows. */
  readonly seat: number;
  readonly signer: Signer | null;
  readonly journal: Journal | null;
  readonly chain: Chain;
  readonly executor: Executor;
  readonly mempool: Mempool;
  readonly transport: Transport;
  /** Every authority of the set, in its order, and where it listens if that is known. */
  readonly contacts: readonly AuthorityContact[];
  readonly checkLater: SignatureCheckLater;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly forwardAfterMs: number;
  /** Without it a node talks to authorities alone. */
  readonly peering?: PeeringSettings;
  /** The environment failed; nothing is signed any more, and the process must end. */
  readonly onFatal: (error: Error) => void;
}
