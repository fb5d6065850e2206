import { TokenBucket } from '../lib/token-bucket.ts';
import { DIALS_BURST, DIALS_PER_SECOND } from '../model/limits.ts';
import type { ListedPeer, PeerRole } from '../model/peer-message.ts';
import type { AddressBook } from './address-book.ts';
import type { AddressOrigin } from './address-group.ts';

export interface DiscoverySettings {
  /** This node's id. */
  readonly self: string;
  /** Configured `host:port`s: the first to be asked, and never given up. */
  readonly bootstrap: readonly string[];
  /** Sessions to open, if there are as many to be found. */
  readonly outboundMin: number;
  /** Sessions with nodes that are no authorities, at most; a node that only knows peers makes room near it. */
  readonly peersMax: number;
  /** False for a node that knows peers and keeps no chain: others leave it again once they know enough. */
  readonly keepsChain: boolean;
  /** Nodes that are neither dialled nor told of. */
  readonly isShunned: (id: string) => boolean;
}

/** A session that is up. */
export interface MetPeer {
  readonly id: string;
  /** Proven for an authority, said by others. */
  readonly role: PeerRole;
  readonly direction: 'inbound' | 'outbound';
  /** `host:port` of the socket's other end: what was dialled, when this node dialled. */
  readonly address: string;
  /** Where it says that it listens. */
  readonly listenAddress?: string;
}

export interface DiscoverySession extends MetPeer {
  readonly since: number;
  readonly origin: AddressOrigin;
  askedAt: number | null;
  /** How long to wait before it is asked again: grows while it has nothing new to say. Milliseconds. */
  askMs: number;
  isAnswerDue: boolean;
  /** Lists that it was sent. */
  listed: number;
}

export type DialPurpose = 'session' | 'probe';

export type DiscoveryEffect =
  /** `probe`: only looks who lives there. */
  | { readonly type: 'dial'; readonly address: string; readonly purpose: DialPurpose }
  | { readonly type: 'ask'; readonly to: string }
  | { readonly type: 'list'; readonly to: string; readonly peers: readonly ListedPeer[] }
  /** This node and that one have no more use for each other. */
  | { readonly type: 'drop'; readonly id: string }
  /** It sent a list that nobody had asked for. */
  | { readonly type: 'unsolicited'; readonly id: string };

export interface BootstrapAddress {
  failures: number;
  retryAt: number;
}

export interface Discovery {
  readonly settings: DiscoverySettings;
  readonly book: AddressBook;
  readonly sessions: Map<string, DiscoverySession>;
  readonly dials: Map<string, DialPurpose>;
  readonly bootstrap: Map<string, BootstrapAddress>;
  /** Addresses that connected nodes say are theirs, to be looked at. */
  readonly claims: Map<string, string>;
  /** Addresses that lead back to this node. */
  readonly own: Set<string>;
  /** So that lists of strangers do not make this node a nuisance to them. */
  readonly dialRate: TokenBucket;
  feltAt: number;
}

/** The present moment, as the world gives it. */
export interface Moment {
  /** Milliseconds of a steady clock. */
  readonly now: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

export function createDiscovery(settings: DiscoverySettings, book: AddressBook, now: number): Discovery {
  return {
    settings,
    book,
    sessions: new Map(),
    dials: new Map(),
    bootstrap: new Map(settings.bootstrap.map((address) => [address, { failures: 0, retryAt: now }])),
    claims: new Map(),
    own: new Set(),
    dialRate: new TokenBucket(DIALS_PER_SECOND, DIALS_BURST, now),
    feltAt: now,
  };
}

/** The sessions that this node opened with nodes that keep the chain. */
export function outboundSessions({ sessions }: Discovery): readonly DiscoverySession[] {
  return [...sessions.values()].filter(({ direction, role }) => direction === 'outbound' && role !== 'bootstrap');
}

/** Some of a list, each as likely as the others. */
export function sample<T>(items: readonly T[], count: number, { random }: Pick<Moment, 'random'>): T[] {
  const rest = [...items];
  const taken: T[] = [];
  while (taken.length < count && rest.length > 0) {
    const index = Math.floor(random() * rest.length);
    const last = rest.pop();
    const item = index < rest.length ? rest[index] : last;
    if (item === undefined || last === undefined) break;
    taken.push(item);
    if (index < rest.length) rest[index] = last;
  }
  return taken;
}
