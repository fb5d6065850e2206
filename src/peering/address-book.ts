import { concat, utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import {
  ADDRESS_BUCKET_SIZE,
  ADDRESS_SOURCES_MAX,
  ADDRESS_SOURCES_MIN,
  HEARD_ADDRESS_MS_MAX,
  HEARD_ADDRESSES_MAX,
  HEARD_BUCKETS_PER_SOURCE,
  LISTED_ADDRESS_MS_MAX,
  LOST_ADDRESS_MS_MAX,
  REDIAL_MS_MAX,
  REDIAL_MS_MIN,
  TRIED_ADDRESSES_MAX,
  TRIED_BUCKETS_PER_GROUP,
  UNREACHED_FAILURES_MAX,
} from '../model/limits.ts';
import type { ListedPeer } from '../model/peer-message.ts';
import { type AddressOrigin, isTellable, originOf } from './address-group.ts';

/** What is known of one address. Times are milliseconds of one steady clock; those before a restart are below zero. */
export interface KnownAddress extends ListedPeer {
  /** Groups of those who told of it, the first one first; empty for one that was only met. */
  readonly sources: readonly string[];
  readonly heardAt: number;
  /** When this node itself last found there the node that `id` names; null while that is hearsay. */
  readonly reachedAt: number | null;
  readonly triedAt: number | null;
  /** Not to be dialled before. */
  readonly retryAt: number;
  /** Dials in vain since it was last reached. */
  readonly failures: number;
}

/** With what its address says of itself. */
export interface PlacedAddress extends KnownAddress {
  readonly origin: AddressOrigin;
}

/**
 * Addresses in places that a secret hash assigns, as in Bitcoin's addrman (Heilman et al., "Eclipse Attacks on
 * Bitcoin's Peer-to-Peer Network", §5): whoever tells many addresses competes with himself for few places, and nothing
 * told ever takes the place of what was reached.
 */
export interface AddressBook {
  readonly salt: Uint8Array;
  readonly records: Map<string, PlacedAddress>;
  /** Place → address. The first TRIED_ADDRESSES_MAX places are for addresses that were reached. */
  readonly places: Map<number, string>;
  /** A reached address → one that waits for its place: it is looked at, and makes room if it does not answer. */
  readonly contested: Map<string, string>;
  /** Addresses whose record changed since `takeChanges`. */
  readonly changed: Set<string>;
}

/** @param salt at least 16 secret bytes, the same at every start: whoever knows them can aim at places */
export function createAddressBook(salt: Uint8Array, records: readonly KnownAddress[] = []): AddressBook {
  const book: AddressBook = {
    salt,
    records: new Map(),
    places: new Map(),
    contested: new Map(),
    changed: new Set(),
  };
  for (const record of records) {
    const origin = originOf(record.address);
    if (origin !== undefined) place(book, { ...record, origin });
  }
  book.changed.clear();
  return book;
}

/** Takes hearsay of a peer; false when it is not taken: not an address, not one for that peer to know, or no place. */
export function hear(book: AddressBook, told: ListedPeer, teller: AddressOrigin, now: number): boolean {
  const origin = originOf(told.address);
  if (origin === undefined || !isTellable(origin, teller)) return false;
  const known = book.records.get(told.address);
  if (known === undefined) {
    const { id, address, role } = told;
    const sources = [teller.group];
    const times = { heardAt: now, reachedAt: null, triedAt: null, retryAt: now };
    return place(book, { id, address, role, origin, sources, ...times, failures: 0 }, now);
  }
  const isNew = !known.sources.includes(teller.group) && known.sources.length < ADDRESS_SOURCES_MAX;
  const sources = isNew ? [...known.sources, teller.group] : known.sources;
  // Who lives there is hearsay as well, until it is proven.
  const { id, role } = known.reachedAt === null ? told : known;
  if (!isNew && id === known.id && role === known.role && now - known.heardAt < LISTED_ADDRESS_MS_MAX) return true;
  keep(book, { ...known, id, role, sources, heardAt: now });
  return true;
}

/** The node `id` has proven itself at an address that this node dialled. */
export function reached(book: AddressBook, met: ListedPeer, now: number): void {
  const { id, address, role } = met;
  const known = book.records.get(address);
  const origin = known?.origin ?? originOf(address);
  if (origin === undefined) return;
  // A session that comes of it is about to be told.
  const times = { heardAt: now, reachedAt: now, triedAt: now, retryAt: now + REDIAL_MS_MIN };
  const record: PlacedAddress = { id, address, role, origin, sources: known?.sources ?? [], ...times, failures: 0 };
  book.contested.delete(address);
  if (known !== undefined && known.reachedAt !== null) keep(book, record);
  else place(book, record, now);
}

/** A dial led to nothing. @param random in [0, 1), spreads the next one */
export function failed(book: AddressBook, address: string, now: number, random: number): void {
  const known = book.records.get(address);
  if (known === undefined) return;
  const ceiling = Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** Math.min(known.failures, 30));
  const failures = known.failures + 1;
  const isGivenUp = known.reachedAt === null && failures >= UNREACHED_FAILURES_MAX;
  // It is remembered for a while, so that it is not dialled anew whenever somebody tells of it.
  const waitMs = isGivenUp ? REDIAL_MS_MAX : ceiling * (0.5 + random / 2);
  keep(book, { ...known, failures, triedAt: now, retryAt: now + waitMs });
  const contender = book.contested.get(address);
  if (contender !== undefined && failures >= UNREACHED_FAILURES_MAX) yieldPlace(book, address, contender, now);
}

/** Leaves an address alone for a while, through no fault of it that counts. */
export function postpone(book: AddressBook, address: string, until: number): void {
  const known = book.records.get(address);
  if (known !== undefined) keep(book, { ...known, retryAt: Math.max(known.retryAt, until) });
}

export function forget(book: AddressBook, address: string): void {
  if (!book.records.delete(address)) return;
  book.changed.add(address);
  book.contested.delete(address);
  for (const [slot, occupant] of book.places) if (occupant === address) book.places.delete(slot);
}

/** Forgets what has not answered for too long, once its next dial is due. */
export function sweep(book: AddressBook, now: number): void {
  for (const record of book.records.values()) {
    if (record.retryAt <= now && isDead(record, now)) forget(book, record.address);
  }
}

/** Whether nobody is likely to answer there any more. */
function isDead({ reachedAt, heardAt, failures }: KnownAddress, now: number): boolean {
  if (reachedAt !== null) return failures > 0 && now - reachedAt > LOST_ADDRESS_MS_MAX;
  return failures >= UNREACHED_FAILURES_MAX || now - heardAt > HEARD_ADDRESS_MS_MAX;
}

/** Whether it may be told to others: lately reached, or told by several that are not one hand. */
export function isListable(record: KnownAddress, now: number): boolean {
  if (record.failures > 0) return false;
  if (record.reachedAt !== null) return now - record.reachedAt <= LISTED_ADDRESS_MS_MAX;
  return record.sources.length >= ADDRESS_SOURCES_MIN;
}

/** What must be written to survive a restart: records that changed, and addresses that are forgotten. */
export function takeChanges(book: AddressBook): {
  readonly kept: readonly KnownAddress[];
  readonly forgotten: readonly string[];
} {
  const all = [...book.changed];
  book.changed.clear();
  return {
    kept: all.flatMap((address) => book.records.get(address) ?? []),
    forgotten: all.filter((address) => !book.records.has(address)),
  };
}

function keep(book: AddressBook, record: PlacedAddress): void {
  book.records.set(record.address, record);
  book.changed.add(record.address);
}

/** Gives a record its place; false when somebody better holds it. */
function place(book: AddressBook, record: PlacedAddress, now?: number): boolean {
  const { address } = record;
  const isReached = record.reachedAt !== null;
  const slot = isReached ? triedSlot(book.salt, record) : heardSlot(book.salt, record);
  const occupant = book.places.get(slot);
  if (occupant !== undefined && occupant !== address) {
    const holder = book.records.get(occupant);
    const givesWay = holder === undefined || (now !== undefined && isDead(holder, now));
    if (!givesWay) return isReached && contend(book, record, occupant);
    forget(book, occupant);
  }
  forget(book, address);
  book.places.set(slot, address);
  keep(book, record);
  return true;
}

/** Waits among the hearsay for a place that is taken; what was met goes before what was only told. */
function contend(book: AddressBook, record: PlacedAddress, holder: string): boolean {
  const { address } = record;
  const slot = heardSlot(book.salt, record);
  const occupant = book.places.get(slot);
  if (occupant !== undefined && occupant !== address) {
    if ((book.records.get(occupant)?.reachedAt ?? null) !== null) return false;
    forget(book, occupant);
  }
  if (!book.contested.has(holder)) book.contested.set(holder, address);
  book.places.set(slot, address);
  keep(book, record);
  return true;
}

function yieldPlace(book: AddressBook, holder: string, contender: string, now: number): void {
  book.contested.delete(holder);
  const record = book.records.get(contender);
  if (record === undefined) return;
  forget(book, holder);
  place(book, record, now);
}

const BUCKETS_TRIED = TRIED_ADDRESSES_MAX / ADDRESS_BUCKET_SIZE;
const BUCKETS_HEARD = HEARD_ADDRESSES_MAX / ADDRESS_BUCKET_SIZE;

function triedSlot(salt: Uint8Array, { address, origin }: PlacedAddress): number {
  const lane = number(salt, ['lane', address]) % TRIED_BUCKETS_PER_GROUP;
  const bucket = number(salt, ['tried', origin.group, String(lane)]) % BUCKETS_TRIED;
  return bucket * ADDRESS_BUCKET_SIZE + (number(salt, ['place', address]) % ADDRESS_BUCKET_SIZE);
}

function heardSlot(salt: Uint8Array, { address, origin, sources: [source = ''] }: PlacedAddress): number {
  const lane = number(salt, ['lane', origin.group, source]) % HEARD_BUCKETS_PER_SOURCE;
  const bucket = number(salt, ['heard', source, String(lane)]) % BUCKETS_HEARD;
  const offset = number(salt, ['place', address]) % ADDRESS_BUCKET_SIZE;
  return TRIED_ADDRESSES_MAX + bucket * ADDRESS_BUCKET_SIZE + offset;
}

/** A number below 2^32 that only the holder of the salt can foresee. */
function number(salt: Uint8Array, parts: readonly string[]): number {
  const digest = sha256(concat(salt, ...parts.map((part) => utf8(`${part}\0`))));
  return new DataView(digest.buffer, digest.byteOffset, 4).getUint32(0);
}
