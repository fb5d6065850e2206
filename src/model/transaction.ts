import { concat } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Codec, decode, encode, lines, type Malformed, nullable, struct, text, u53 } from './codec.ts';
import { STATEMENTS_BYTES_MAX } from './graph-limits.ts';
import { domain, taggedHash } from './hash.ts';
import type { Hash, OrganisationId, PublicKey, Signature, Timestamp } from './ids.ts';
import { hashLayout, organisationIdLayout, publicKeyLayout, signatureLayout, timestampLayout } from './layouts.ts';
import { IDEMPOTENCY_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX } from './limits.ts';
import { type Operation, operationLayout } from './operation.ts';

/** What a client signs. */
export interface TransactionBody {
  readonly chainId: Hash;
  readonly organisation: OrganisationId;
  readonly signer: PublicKey;
  /** No block whose time is later takes it. */
  readonly expiresAt: Timestamp;
  /** Tells apart transactions that are otherwise alike. */
  readonly nonce: number;
  /** Within the organisation: the same key and operation is done once, however often it is sent. */
  readonly idempotencyKey: string | null;
  readonly operation: Operation;
  /** What the signer says about the things of this transaction: canonical N-Triples, never empty; null for nothing. */
  readonly statements: string | null;
}

/** What of a transaction idempotency compares. */
export type Intent = Pick<TransactionBody, 'operation' | 'statements'>;

/** A transaction with its id and its one byte form. Made by `parseTransaction` and `sealTransaction` only. */
export interface Transaction {
  /** Hash of the signed bytes: does not depend on the signature's bytes. */
  readonly id: Hash;
  readonly body: TransactionBody;
  readonly signature: Signature;
  readonly bytes: Uint8Array;
}

const bodyLayout: Codec<TransactionBody> = struct<TransactionBody>({
  chainId: hashLayout,
  organisation: organisationIdLayout,
  signer: publicKeyLayout,
  expiresAt: timestampLayout,
  nonce: u53,
  idempotencyKey: nullable(text(IDEMPOTENCY_KEY_BYTES_MAX)),
  operation: operationLayout,
  statements: nullable(lines(STATEMENTS_BYTES_MAX)),
});

const intentLayout = struct<Intent>({
  operation: operationLayout,
  statements: nullable(lines(STATEMENTS_BYTES_MAX)),
});

const envelopeLayout = struct<{ readonly body: TransactionBody; readonly signature: Signature }>({
  body: bodyLayout,
  signature: signatureLayout,
});

const SIGNATURE_BYTES = 64;
const TX = domain('TX');
const OPERATION = domain('OPERATION');

/** The bytes that a client signs. */
export function transactionSigningBytes(body: TransactionBody): Uint8Array {
  return concat(TX, encode(bodyLayout, body));
}

/** The same bytes, of a transaction that has its byte form: nothing is encoded again. */
export function signedBytesOf(transaction: Transaction): Uint8Array {
  return concat(TX, bodyBytes(transaction.bytes));
}

/** An envelope without the signature at its end. */
function bodyBytes(envelope: Uint8Array): Uint8Array {
  return envelope.subarray(0, envelope.length - SIGNATURE_BYTES);
}

/** What idempotency compares: who sends it again, when and with which nonce does not matter. */
export function operationHash({ operation, statements }: Intent): Hash {
  return taggedHash(OPERATION, encode(intentLayout, { operation, statements }));
}

/** Bytes that an intent takes in a transaction. */
export function intentBytes(intent: Intent): number {
  return encode(intentLayout, intent).length;
}

export function sealTransaction(body: TransactionBody, signature: Signature): Transaction {
  const bytes = encode(envelopeLayout, { body, signature });
  return { id: taggedHash(TX, bodyBytes(bytes)), body, signature, bytes };
}

/** Reads a transaction's canonical bytes. Says nothing about its signature, its signer's rights or its guards. */
export function parseTransaction(source: Uint8Array): Result<Transaction, Malformed> {
  if (source.length > TRANSACTION_BYTES_MAX) {
    return err({
      code: 'MALFORMED',
      reason: `a transaction of ${source.length} bytes, at most ${TRANSACTION_BYTES_MAX}`,
    });
  }
  const envelope = decode(envelopeLayout, source);
  if (!envelope.ok) return envelope;
  const { body, signature } = envelope.value;
  return ok({ id: taggedHash(TX, bodyBytes(source)), body, signature, bytes: source });
}
