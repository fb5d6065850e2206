/** Checks what a node says about a ticket with nothing but the genesis document: in a program, or in a page. */
import { fromUtf8, utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { PROOF_BYTES_MAX, PROOF_VERSIONS_MAX } from '../model/graph-limits.ts';
import { isName } from '../model/ids.ts';
import { AUTHORITIES_MAX, SYNC_BLOCKS_MAX } from '../model/limits.ts';
import { type Fault, fault } from './faults.ts';
import { anyHex, exactly, hex, listOf, none, object, orNull, type Shape, take, textWhere, whole } from './shape.ts';

/** A final block, as far as a proof needs it: its header, and what makes it final. */
export interface BlockPart {
  readonly header: string;
  /** The headers that lead to the block that was signed, one after another; empty when it is this one. */
  readonly path: string;
  /** In which the votes were cast. */
  readonly view: number;
  /** Of those who signed: exactly a quorum, ascending. */
  readonly seats: readonly number[];
  /** One of each seat, one after another. */
  readonly signatures: string;
}

/** What a transaction says as RDF: the canonical N-Quads documents whose hashes are under the graph root. */
export interface GraphsPart {
  readonly graph: string;
  /** What its submitter stated; null when that is nothing. */
  readonly stated: string | null;
  /** Hashes beside the way to the graph root, nearest first. */
  readonly path: string;
}

/** A transaction that gave the ticket one or more versions. */
export interface ChangePart {
  readonly block: BlockPart;
  /** Its place in the block. */
  readonly index: number;
  readonly transaction: string;
  /** Hashes beside the way to the transactions root, nearest first. */
  readonly transaction_path: string;
  readonly receipt: string;
  /** The same to the receipts root. */
  readonly receipt_path: string;
  /** Null when they were not asked for. */
  readonly graphs: GraphsPart | null;
}

/** What stands in the state where the ticket's record would. */
interface AbsencePart {
  /** SHA-256 of the ticket's state key. Where a way ends early it is that of many keys: this says which one was asked for. */
  readonly key: string;
  /** The leaf that the way ends with: key hash and record hash of another record; null for nothing. */
  readonly leaf: string | null;
}

/** A proof of what a ticket is, or that there is none: docs/proofs.md says what each member means. */
export interface Bundle {
  readonly format: typeof FORMAT;
  readonly ticket: string;
  /** The ticket's record in the state; null when there is none. */
  readonly record: string | null;
  /** Hashes beside the way in the state tree, from the root down. */
  readonly siblings: string;
  /** Null when there is a record. */
  readonly absence: AbsencePart | null;
  /** The block whose state that is. */
  readonly block: BlockPart;
  /** What leads from the authority set of genesis to the one that signed: nothing, since in this version it never changes. */
  readonly handovers: readonly never[];
  /** Every change from the first to the record's version; null when they were not asked for. */
  readonly history: readonly ChangePart[] | null;
}

export const FORMAT = 'counterfoil-proof/1';

const HASH_BYTES = 32;
export const HEADER_BYTES = 294;
const SIGNATURE_BYTES = 64;

const hashes = hex(HASH_BYTES, 'repeated');

// A lone surrogate has an escape of its own in JSON and none in UTF-8: another text with the same hash.
const document = textWhere(
  (text) => text !== '' && fromUtf8(utf8(text)) === text,
  'is a document of well-formed Unicode, not empty',
);

const block: Shape<BlockPart> = object<BlockPart>({
  header: hex(HEADER_BYTES),
  path: hex(HEADER_BYTES, 'repeated'),
  view: whole(),
  seats: listOf(whole(AUTHORITIES_MAX - 1), 1, AUTHORITIES_MAX),
  signatures: hex(SIGNATURE_BYTES, 'repeated'),
});

const bundle: Shape<Bundle> = object<Bundle>({
  format: exactly(FORMAT),
  ticket: textWhere(isName, 'is the id of a ticket'),
  record: orNull(anyHex),
  siblings: hashes,
  absence: orNull(object<AbsencePart>({ key: hex(HASH_BYTES), leaf: orNull(hex(2 * HASH_BYTES)) })),
  block,
  handovers: listOf(none, 0, 0),
  history: orNull(
    listOf(
      object<ChangePart>({
        block,
        index: whole(),
        transaction: anyHex,
        transaction_path: hashes,
        receipt: anyHex,
        receipt_path: hashes,
        graphs: orNull(object<GraphsPart>({ graph: document, stated: orNull(document), path: hashes })),
      }),
      1,
      PROOF_VERSIONS_MAX,
    ),
  ),
});

/** Headers that may lead from a block to the one that was signed. */
export const PATH_HEADERS_MAX = SYNC_BLOCKS_MAX - 1;

/** The one byte form of a proof. Its keys may come in any order. */
export function writeBundle(proof: Bundle): Uint8Array {
  return utf8(`${JSON.stringify(bundle(proof, '$'))}\n`);
}

/** Takes exactly the bytes that `writeBundle` would write. Says nothing about what is in them. */
export function readBundle(bytes: Uint8Array): Result<Bundle, Fault> {
  if (bytes.length > PROOF_BYTES_MAX) {
    return fault('TOO_LARGE', '$', `a proof has at most ${PROOF_BYTES_MAX} bytes, not ${bytes.length}`);
  }
  const text = fromUtf8(bytes);
  const json = text === undefined ? undefined : parseJson(text);
  if (json === undefined) return fault('NOT_JSON', '$', 'these bytes are not JSON in UTF-8');
  const taken = take(bundle, json);
  if (!taken.ok) return err({ code: codeAt(taken.error.path), path: taken.error.path, message: taken.error.reason });
  // Two spellings of one value would be bytes that nothing is bound to.
  if (`${JSON.stringify(taken.value)}\n` !== text) {
    return fault('NOT_CANONICAL', '$', 'a proof is one line without blanks, its keys in their order, and a newline');
  }
  return ok(taken.value);
}

function codeAt(path: string): 'UNKNOWN_FORMAT' | 'WRONG_FORM' {
  return path === '$.format' ? 'UNKNOWN_FORMAT' : 'WRONG_FORM';
}

/** Undefined for text that is not JSON, which has no such value. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
