/** Which transactions and blocks are valid, and what state they yield. */
import { fromUtf8, utf8 } from '../lib/bytes.ts';
import { type AuthoritySet, authoritySetLayout } from '../model/authorities.ts';
import { type Codec, flag, list, nullable, oneOf, struct, text, textWhere, u32, u53 } from '../model/codec.ts';
import { sha256 } from '../model/hash.ts';
import {
  type EventId,
  type Hash,
  type Height,
  isName,
  type OrganisationId,
  type PublicKey,
  type TicketId,
  type TierId,
  type Timestamp,
} from '../model/ids.ts';
import {
  eventIdLayout,
  hashLayout,
  heightLayout,
  organisationIdLayout,
  publicKeyLayout,
  ticketIdLayout,
  tierIdLayout,
  timestampLayout,
} from '../model/layouts.ts';
import { IRI_BASE_BYTES_MAX, NAME_CHARS_MAX, ORGANISATION_KEYS_MAX, TEXT_BYTES_MAX } from '../model/limits.ts';
import { ROLES, type Role, type TransferPolicy, transferPolicyLayout } from '../model/operation.ts';
import { type FirstScan, firstScanLayout, REFUSALS, type Refusal } from '../model/receipt.ts';
import type { Iri } from '../provenance/terms.ts';
import { type RecordKind, versioned } from './record-kind.ts';

export interface EventRecord {
  readonly event: EventId;
  readonly title: string;
  /** Who created it. */
  readonly organisation: OrganisationId;
  readonly startsAt: Timestamp;
  readonly capacity: number;
  /** Tickets ever issued. */
  readonly issued: number;
  /** Organisations that hold the organiser role; never 0. */
  readonly organisers: number;
}

export interface TierRecord {
  readonly event: EventId;
  readonly tier: TierId;
  readonly title: string;
  /** In the smallest unit of the currency. */
  readonly price: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly capacity: number;
  /** First and last moment, both included, at which its tickets admit; null is without bound. */
  readonly validFrom: Timestamp | null;
  readonly validThrough: Timestamp | null;
  readonly transfer: TransferPolicy;
  /** Tickets ever issued. */
  readonly issued: number;
  /** Tickets now in each later state; the rest of `issued` is still ISSUED. */
  readonly validated: number;
  readonly consumed: number;
  readonly disputed: number;
}

export interface SeatRecord {
  /** Of several that were given it, the newest: each took the place of the one before. */
  readonly ticket: TicketId;
}

export interface OrganisationRecord {
  readonly organisation: OrganisationId;
  readonly title: string;
  /** The roles that it may be given at all. */
  readonly roles: readonly Role[];
  readonly keys: readonly PublicKey[];
  /** What the IRIs of its own things begin with, which it may describe; null for none. */
  readonly namespace: Iri | null;
}

/** Whose a signer's key is. */
export interface KeyRecord {
  readonly organisation: OrganisationId;
}

/** A role that was granted once; kept when it is revoked, since ids are never deleted. */
export interface RoleRecord {
  readonly event: EventId;
  readonly organisation: OrganisationId;
  readonly role: Role;
  readonly held: boolean;
  /** Height of the last grant or revocation. */
  readonly since: Height;
}

/** What a transaction did, less what depends on which transaction it was. */
export interface Outcome {
  readonly accepted: boolean;
  readonly code: Refusal | null;
  readonly subject: string | null;
  readonly firstScan: FirstScan | null;
}

/** The first use of an idempotency key. */
export interface IdempotencyRecord {
  readonly operation: Hash;
  readonly transaction: Hash;
  readonly height: Height;
  readonly outcome: Outcome;
}

const outcomeLayout: Codec<Outcome> = struct<Outcome>({
  accepted: flag,
  code: nullable(oneOf(REFUSALS)),
  subject: nullable(textWhere(NAME_CHARS_MAX, isName)),
  firstScan: nullable(firstScanLayout),
});

/** Tags are never used again for anything else. */
export const EVENT: RecordKind<EventRecord> = {
  tag: 1,
  layout: versioned(
    1,
    struct<EventRecord>({
      event: eventIdLayout,
      title: text(TEXT_BYTES_MAX),
      organisation: organisationIdLayout,
      startsAt: timestampLayout,
      capacity: u32,
      issued: u32,
      organisers: u32,
    }),
  ),
};

export const TIER: RecordKind<TierRecord> = {
  tag: 2,
  layout: versioned(
    1,
    struct<TierRecord>({
      event: eventIdLayout,
      tier: tierIdLayout,
      title: text(TEXT_BYTES_MAX),
      price: u53,
      currency: text(3),
      capacity: u32,
      validFrom: nullable(timestampLayout),
      validThrough: nullable(timestampLayout),
      transfer: transferPolicyLayout,
      issued: u32,
      validated: u32,
      consumed: u32,
      disputed: u32,
    }),
  ),
};

export const SEAT: RecordKind<SeatRecord> = {
  tag: 3,
  layout: versioned(1, struct<SeatRecord>({ ticket: ticketIdLayout })),
};

export const ORGANISATION: RecordKind<OrganisationRecord> = {
  tag: 5,
  layout: versioned(
    1,
    struct<OrganisationRecord>({
      organisation: organisationIdLayout,
      title: text(TEXT_BYTES_MAX),
      roles: list(oneOf(ROLES), ROLES.length),
      keys: list(publicKeyLayout, ORGANISATION_KEYS_MAX),
      namespace: nullable(text(IRI_BASE_BYTES_MAX)),
    }),
  ),
};

export const KEY: RecordKind<KeyRecord> = {
  tag: 6,
  layout: versioned(1, struct<KeyRecord>({ organisation: organisationIdLayout })),
};

export const ROLE: RecordKind<RoleRecord> = {
  tag: 7,
  layout: versioned(
    1,
    struct<RoleRecord>({
      event: eventIdLayout,
      organisation: organisationIdLayout,
      role: oneOf(ROLES),
      held: flag,
      since: heightLayout,
    }),
  ),
};

/** The authority set in force, parameters included. */
export const AUTHORITIES: RecordKind<AuthoritySet> = { tag: 8, layout: versioned(1, authoritySetLayout) };

export const IDEMPOTENCY: RecordKind<IdempotencyRecord> = {
  tag: 9,
  layout: versioned(
    1,
    struct<IdempotencyRecord>({
      operation: hashLayout,
      transaction: hashLayout,
      height: heightLayout,
      outcome: outcomeLayout,
    }),
  ),
};

/** Names never contain it, so the parts of an id cannot run into each other. */
const SEPARATOR = '\0';

export function tierKey(event: EventId, tier: TierId): string {
  return event + SEPARATOR + tier;
}

export function seatKey(event: EventId, seat: string): string {
  return event + SEPARATOR + seat;
}

export function roleKey(event: EventId, organisation: OrganisationId, role: Role): string {
  return event + SEPARATOR + organisation + SEPARATOR + role;
}

export function idempotencyKey(organisation: OrganisationId, key: string): string {
  return organisation + SEPARATOR + key;
}

/** The id of the one authority set record. */
export const AUTHORITIES_KEY = '';

/** Key of a record in the state: the tag of its kind, then its id in UTF-8. */
export function stateKey<T>(kind: RecordKind<T>, id: string): Uint8Array {
  return utf8(String.fromCharCode(kind.tag) + id);
}

/** The tag and id that a state key was made of; undefined for bytes that are none. */
export function parseStateKey(key: Uint8Array): { readonly tag: number; readonly id: string } | undefined {
  const tag = key[0];
  const id = fromUtf8(key.subarray(1));
  return tag === undefined || id === undefined ? undefined : { tag, id };
}

/** Where a record lies in the state tree. */
export function treeKey(key: Uint8Array): Uint8Array {
  return sha256(key);
}

/** What the state tree and the next version of a ticket hold of a record's bytes. */
export function recordHash(record: Uint8Array): Uint8Array {
  return sha256(record);
}
