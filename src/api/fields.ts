import { z } from 'zod';
import { utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { EventId, GateId, Hash, isHex, isName, TicketId, TierId } from '../model/ids.ts';
import { NAME_CHARS_MAX, TEXT_BYTES_MAX, TICKET_DATA_BYTES_MAX } from '../model/limits.ts';
import { parseJson } from './json.ts';
import type { Problem } from './problems.ts';
import { firstFault, wording } from './wording.ts';

/** What the fields of a body may hold, and how a body is read. */

const NAME_RULE = `is 1 to ${NAME_CHARS_MAX} characters of A-Z a-z 0-9 . _ -`;
export const name = z.string().refine(isName, NAME_RULE);
export const ticketId = name.transform(TicketId);
export const gateId = name.transform(GateId);
export const eventId = name.transform(EventId);
export const tierId = name.transform(TierId);

/** Null stands for a field that is not there, and for one that is null. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? null);
}

/** Normal form at the edge, once: two ways to write one letter must not become two texts on the ledger. */
export const text = z
  .string()
  .transform((value) => value.normalize('NFC'))
  .refine((value) => utf8(value).length <= TEXT_BYTES_MAX, `has at most ${TEXT_BYTES_MAX} bytes of UTF-8`);

/** Base64 with its padding (RFC 4648 §4), in the one form that encodes back to itself. */
export const data = z
  .string()
  .refine((value) => Buffer.from(value, 'base64').toString('base64') === value, 'is base64 with padding')
  .transform((value) => new Uint8Array(Buffer.from(value, 'base64')))
  .refine((bytes) => bytes.length <= TICKET_DATA_BYTES_MAX, `has at most ${TICKET_DATA_BYTES_MAX} bytes`);

const hex32 = (what: string) =>
  z
    .string()
    .refine((value) => isHex(value, 32), `is ${what} in 64 characters of lower-case hex`)
    .transform(Hash);
export const holder = hex32('a salted SHA-256');
export const transactionId = hex32('the id of a transaction');

/** In the smallest unit of a currency. */
export const price = z.int().min(0);

/** A parsed body as a schema has it, or what is wrong with its first bad field. */
export function take<T extends z.ZodType>(schema: T, value: unknown): Result<z.output<T>, Problem> {
  const parsed = schema.safeParse(value, { error: wording });
  if (parsed.success) return ok(parsed.data);
  return err(firstFault(parsed.error, 'the body is a JSON object with the fields of the operation'));
}

/** A body of bytes as a schema has it. */
function parseBody<T extends z.ZodType>(schema: T, body: Uint8Array): Result<z.output<T>, Problem> {
  const value = parseJson(body);
  return value.ok ? take(schema, value.value) : value;
}

/** `{}`. */
export function parseNothing(body: Uint8Array): Result<unknown, Problem> {
  return parseBody(z.strictObject({}), body);
}
