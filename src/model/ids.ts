import { assert } from '../lib/assert.ts';
import { fromHex, toHex } from '../lib/bytes.ts';
import { NAME_CHARS_MAX } from './limits.ts';

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Number of a block on the chain; genesis is 0. */
export type Height = Brand<number, 'Height'>;
/** Number of a primary's term within an epoch. */
export type View = Brand<number, 'View'>;
/** Number of an authority set's term. */
export type Epoch = Brand<number, 'Epoch'>;
/** SHA-256, as 64 characters of lower-case hex: comparable with `===`, usable as a map key. */
export type Hash = Brand<string, 'Hash'>;
/** Ed25519 public key, as 64 characters of lower-case hex. */
export type PublicKey = Brand<string, 'PublicKey'>;
/** Ed25519 signature, as 128 characters of lower-case hex. */
export type Signature = Brand<string, 'Signature'>;
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Timestamp = Brand<number, 'Timestamp'>;
/** 1 to 64 characters of `A-Z a-z 0-9 . _ -`, as are the four below. */
export type TicketId = Brand<string, 'TicketId'>;
export type EventId = Brand<string, 'EventId'>;
export type TierId = Brand<string, 'TierId'>;
export type OrganisationId = Brand<string, 'OrganisationId'>;
export type GateId = Brand<string, 'GateId'>;

function natural(value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, `not a natural number: ${value}`);
  return value;
}

function hex(text: string, bytes: number): string {
  assert(isHex(text, bytes), `not ${bytes} bytes of lower-case hex`);
  return text;
}

export function Height(value: number): Height {
  return natural(value) as Height;
}

export function View(value: number): View {
  return natural(value) as View;
}

export function Epoch(value: number): Epoch {
  return natural(value) as Epoch;
}

export function Timestamp(value: number): Timestamp {
  return natural(value) as Timestamp;
}

export function Hash(text: string): Hash {
  return hex(text, 32) as Hash;
}

export function PublicKey(text: string): PublicKey {
  return hex(text, 32) as PublicKey;
}

export function Signature(text: string): Signature {
  return hex(text, 64) as Signature;
}

export function isHex(text: string, bytes: number): boolean {
  return text.length === 2 * bytes && fromHex(text) !== undefined;
}

/** Bytes of a hash, key or signature. */
export function hexBytes(text: Hash | PublicKey | Signature): Uint8Array {
  const bytes = fromHex(text);
  assert(bytes !== undefined, 'a branded hex string holds lower-case hex');
  return bytes;
}

export function hashOfBytes(bytes: Uint8Array): Hash {
  assert(bytes.length === 32, 'a hash has 32 bytes');
  return toHex(bytes) as Hash;
}

const NAME = new RegExp(`^[A-Za-z0-9._-]{1,${NAME_CHARS_MAX}}$`);

/** Whether `text` can be the id of a ticket, event, tier, organisation or gate. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

function name(text: string): string {
  assert(isName(text), `not a name: ${JSON.stringify(text.slice(0, NAME_CHARS_MAX))}`);
  return text;
}

export function TicketId(text: string): TicketId {
  return name(text) as TicketId;
}

export function EventId(text: string): EventId {
  return name(text) as EventId;
}

export function TierId(text: string): TierId {
  return name(text) as TierId;
}

export function OrganisationId(text: string): OrganisationId {
  return name(text) as OrganisationId;
}

export function GateId(text: string): GateId {
  return name(text) as GateId;
}

/** Thirty-two zero bytes: the hash that stands for "nothing". */
export const ZERO_HASH = Hash('0'.repeat(64));
