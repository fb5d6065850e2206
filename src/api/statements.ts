import { utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { reservedVocabulary } from '../provenance/scope.ts';
import { parseStatements } from '../provenance/statements.ts';
import { badField } from './exchange.ts';
import { parseJson } from './json.ts';
import { fail, type Problem, sourceProblem } from './problems.ts';
import { RDF_MEDIA_TYPES } from './rdf/media-types.ts';
import { readTurtle } from './rdf/read.ts';

const FIELD = 'statements';

/** The body of a write: what it asks for, and what stands under `statements` beside that. */
export interface WriteBody {
  readonly fields: unknown;
  readonly stated: unknown;
}

/** A body of bytes, taken apart; that its fields are in order is for others to say. */
export function parseWrite(bytes: Uint8Array): Result<WriteBody, Problem> {
  const body = parseJson(bytes, FIELD);
  if (!body.ok) return body;
  const { value } = body;
  if (typeof value !== 'object' || value === null || !(FIELD in value)) return ok({ fields: value, stated: null });
  const { [FIELD]: stated, ...fields } = value;
  return ok({ fields, stated });
}

/**
 * What a write states, as the ledger keeps it: canonical N-Triples; null for nothing. Words that are the ledger's own
 * are refused here, where they can be named; whom it may be about is for the ledger to say.
 *
 * @param stated a complete document in Turtle, or null
 */
export function readStated(stated: unknown): Result<string | null, Problem> {
  if (stated === null) return ok(null);
  if (typeof stated !== 'string') return badField(FIELD, 'is a text in Turtle, which N-Triples are as well');
  const read = readTurtle(utf8(stated), RDF_MEDIA_TYPES.turtle);
  if (!read.ok) {
    const { members, ...problem } = sourceProblem(read.error);
    return err({ ...problem, members: { field: FIELD, ...members } });
  }
  const triples = parseStatements(read.value);
  const reserved = triples.ok ? reservedVocabulary(triples.value) : undefined;
  return reserved === undefined
    ? read
    : fail(reserved.code, `${reserved.iri} is a word of the ledger: say it in another vocabulary, or your own`);
}
