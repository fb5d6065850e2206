import { assert, defined } from '../lib/assert.ts';
import { compareBytes } from '../lib/bytes.ts';
import type { AuthoritySet } from '../model/authorities.ts';
import { decode, encode } from '../model/codec.ts';
import { type Hash, hashOfBytes } from '../model/ids.ts';
import type { RecordKind } from './record-kind.ts';
import {
  AUTHORITIES,
  EVENT,
  type EventRecord,
  IDEMPOTENCY,
  type IdempotencyRecord,
  KEY,
  type KeyRecord,
  ORGANISATION,
  type OrganisationRecord,
  parseStateKey,
  ROLE,
  type RoleRecord,
  recordHash,
  SEAT,
  type SeatRecord,
  stateKey,
  TIER,
  type TierRecord,
} from './records.ts';
import { TICKET, type TicketRecord } from './ticket-record.ts';

/** Port: the newest final state, by state key. The bytes are not changed by anybody. */
export interface StateReader {
  get(key: Uint8Array): Uint8Array | undefined;
}

export interface StateChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A record and, once somebody needed them, its bytes. */
interface Entry<T> {
  readonly record: T;
  bytes: Uint8Array | undefined;
}

/** The records of one kind as a block leaves them: its own writes on top of its parent's view. */
export class RecordLayer<T> {
  readonly #kind: RecordKind<T>;
  readonly #base: StateReader;
  #parent: RecordLayer<T> | undefined;
  readonly #written = new Map<string, Entry<T>>();
  readonly #known = new Map<string, Entry<T>>();

  constructor(kind: RecordKind<T>, base: StateReader, parent: RecordLayer<T> | undefined) {
    this.#kind = kind;
    this.#base = base;
    this.#parent = parent;
  }

  get(id: string): T | undefined {
    return this.#entry(id)?.record;
  }

  put(id: string, record: T): void {
    this.#written.set(id, { record, bytes: undefined });
  }

  bytes(id: string): Uint8Array | undefined {
    const entry = this.#entry(id);
    return entry === undefined ? undefined : this.#bytesOf(entry);
  }

  /** Hash of a record that exists. */
  hash(id: string): Hash {
    return hashOfBytes(recordHash(defined(this.bytes(id), `no record ${this.#kind.tag} ${id}`)));
  }

  /** This layer's own writes, in no particular order. */
  changes(): readonly StateChange[] {
    return [...this.#written].map(([id, entry]) => ({ key: stateKey(this.#kind, id), value: this.#bytesOf(entry) }));
  }

  detach(): void {
    this.#parent = undefined;
  }

  #bytesOf(entry: Entry<T>): Uint8Array {
    entry.bytes ??= encode(this.#kind.layout, entry.record);
    return entry.bytes;
  }

  #entry(id: string): Entry<T> | undefined {
    const own = this.#written.get(id) ?? this.#known.get(id);
    if (own !== undefined) return own;
    return this.#parent === undefined ? this.#load(id) : this.#parent.#entry(id);
  }

  #load(id: string): Entry<T> | undefined {
    const bytes = this.#base.get(stateKey(this.#kind, id));
    if (bytes === undefined) return undefined;
    const record = decode(this.#kind.layout, bytes);
    assert(record.ok, `the stored record ${this.#kind.tag} ${id} is corrupt`);
    const entry = { record: record.value, bytes };
    this.#known.set(id, entry);
    return entry;
  }
}

/**
 * The state after one block: its writes on top of its parent's overlay, and so down to the stored state. Records are
 * decoded once and encoded once, however often a block touches them. The stored state may advance under an overlay
 * along the overlay's own chain, and along no other.
 */
export class Overlay implements StateReader {
  readonly events: RecordLayer<EventRecord>;
  readonly tiers: RecordLayer<TierRecord>;
  readonly seats: RecordLayer<SeatRecord>;
  readonly tickets: RecordLayer<TicketRecord>;
  readonly organisations: RecordLayer<OrganisationRecord>;
  readonly keys: RecordLayer<KeyRecord>;
  readonly roles: RecordLayer<RoleRecord>;
  readonly authorities: RecordLayer<AuthoritySet>;
  readonly idempotency: RecordLayer<IdempotencyRecord>;
  readonly #base: StateReader;

  constructor(base: StateReader, parent?: Overlay) {
    this.#base = base;
    this.events = new RecordLayer(EVENT, base, parent?.events);
    this.tiers = new RecordLayer(TIER, base, parent?.tiers);
    this.seats = new RecordLayer(SEAT, base, parent?.seats);
    this.tickets = new RecordLayer(TICKET, base, parent?.tickets);
    this.organisations = new RecordLayer(ORGANISATION, base, parent?.organisations);
    this.keys = new RecordLayer(KEY, base, parent?.keys);
    this.roles = new RecordLayer(ROLE, base, parent?.roles);
    this.authorities = new RecordLayer(AUTHORITIES, base, parent?.authorities);
    this.idempotency = new RecordLayer(IDEMPOTENCY, base, parent?.idempotency);
  }

  /** An empty overlay for the next block. */
  child(): Overlay {
    return new Overlay(this.#base, this);
  }

  /** Lets the parent go, once the stored state holds everything that the parent wrote. */
  detach(): void {
    for (const layer of this.#layers()) layer.detach();
  }

  /** The bytes under any state key, as after this block. */
  get(key: Uint8Array): Uint8Array | undefined {
    const parsed = parseStateKey(key);
    return parsed === undefined ? undefined : this.#byTag(parsed.tag)?.bytes(parsed.id);
  }

  /** This block's own writes, sorted by key. */
  changes(): readonly StateChange[] {
    return this.#layers()
      .flatMap((layer) => layer.changes())
      .sort((a, b) => compareBytes(a.key, b.key));
  }

  #byTag(tag: number): { bytes(id: string): Uint8Array | undefined } | undefined {
    return this.#layers()[tag - 1];
  }

  /** In the order of their tags, which run from 1 without a gap. */
  #layers() {
    return [
      this.events,
      this.tiers,
      this.seats,
      this.tickets,
      this.organisations,
      this.keys,
      this.roles,
      this.authorities,
      this.idempotency,
    ] as const;
  }
}
