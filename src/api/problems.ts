import type { TransactionFault } from '../ledger/validate.ts';
import { err, type Result } from '../lib/result.ts';
import type { Receipt, Refusal } from '../model/receipt.ts';

import type { SourceCode, SourceFault } from './rdf/read.ts';

interface ProblemKind {
  readonly status: number;
  /** The same for every occurrence (RFC 9457 §3.1.3); `detail` says what is special about this one, and what to do. */
  readonly title: string;
  /** When it is worth trying again; absent when the same request would fail again. */
  readonly retryAfterSeconds?: number;
}

/** Why a final transaction changed nothing. */
const REFUSED = {
  UNKNOWN_TICKET: { status: 404, title: 'No ticket has this id' },
  UNKNOWN_EVENT: { status: 404, title: 'No event has this id' },
  UNKNOWN_TIER: { status: 404, title: 'The event has no tier of this id' },
  UNKNOWN_ORGANISATION: { status: 404, title: 'No organisation has this id' },
  NOT_VALIDATED: { status: 409, title: 'The ticket is not activated yet' },
  ALREADY_VALIDATED: { status: 409, title: 'The ticket is activated already' },
  ALREADY_CONSUMED: { status: 409, title: 'The ticket was admitted before' },
  TICKET_DISPUTED: { status: 409, title: 'The ticket is contested' },
  OUTSIDE_VALIDITY: { status: 409, title: 'The ticket does not admit at this time' },
  WRONG_GATE: { status: 409, title: 'The ticket admits at another gate' },
  INVALID_TRANSITION: { status: 409, title: 'The ticket cannot go from its state to that one' },
  CAPACITY_EXCEEDED: { status: 409, title: 'More tickets than the event or tier holds' },
  SEAT_TAKEN: { status: 409, title: 'The seat is taken' },
  DUPLICATE_ID: { status: 409, title: 'The id is in use' },
  ROLE_NOT_ALLOWED: { status: 403, title: 'The organisation does not have the role that this takes' },
  ROLE_ALREADY_HELD: { status: 409, title: 'The organisation has this role already' },
  ROLE_NOT_HELD: { status: 409, title: 'The organisation does not have this role' },
  LAST_ORGANISER: { status: 409, title: 'An event keeps at least one organiser' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The idempotency key was used for another operation' },
  TICKET_HELD: { status: 409, title: 'The ticket is held back' },
  TICKET_REVOKED: { status: 409, title: 'The ticket was revoked' },
  NOT_HELD: { status: 409, title: 'The ticket is not held back' },
  TRANSFER_NOT_ALLOWED: { status: 409, title: 'The ticket may not change hands' },
  PRICE_ABOVE_CAP: { status: 409, title: 'The price is above what resale may ask' },
  CASE_ALREADY_OPEN: { status: 409, title: 'A case about the ticket is open already' },
  NO_OPEN_CASE: { status: 409, title: 'No case about the ticket is open' },
  SELF_ARBITRATION: { status: 403, title: 'Nobody decides what his own organisation has opened' },
} as const satisfies Record<Refusal, ProblemKind>;

/** Why a transaction can be in no block now. */
const INVALID = {
  WRONG_CHAIN: { status: 422, title: 'The transaction is for another chain' },
  EXPIRED: { status: 422, title: 'The transaction has expired' },
  TOO_FAR_AHEAD: { status: 422, title: 'The transaction expires too late to be taken' },
  EMPTY_BATCH: { status: 422, title: 'The operation names no ticket' },
  BAD_VALUE: { status: 422, title: 'A value of the operation cannot be recorded' },
  UNKNOWN_SIGNER: { status: 403, title: 'The key is not one of the organisation' },
  NOT_PERMITTED: { status: 403, title: 'The signer may not do this' },
  ALREADY_FINAL: { status: 409, title: 'The transaction is final already' },
  BAD_STATEMENTS: { status: 422, title: 'The statements are not canonical N-Triples' },
  SUBJECT_OUT_OF_SCOPE: { status: 403, title: 'The signer may not describe this' },
  RESERVED_VOCABULARY: { status: 403, title: 'Only the ledger states this' },
} as const satisfies Record<TransactionFault, ProblemKind>;

/** Why a document makes no statements of a transaction. */
const UNSTATED = {
  EMPTY_GRAPH: { status: 422, title: 'The document states nothing' },
  GRAPH_TOO_LARGE: { status: 413, title: 'The document states too much' },
  BAD_SYNTAX: { status: 422, title: 'The document is not of its format' },
  BAD_ENCODING: { status: 422, title: 'The document is not UTF-8' },
  BLANK_NODE_NOT_ALLOWED: { status: 422, title: 'Blank nodes are not taken' },
  TRIPLE_TERM_NOT_ALLOWED: { status: 422, title: 'Statements about statements are not taken' },
  BASE_DIRECTION_NOT_ALLOWED: { status: 422, title: 'Base directions are not taken' },
  VERSION_NOT_ALLOWED: { status: 422, title: 'A version of RDF is announced that is not taken' },
  NAMED_GRAPH_NOT_ALLOWED: { status: 422, title: 'Statements name no graph' },
  RELATIVE_IRI: { status: 422, title: 'An IRI is relative' },
  BAD_IRI: { status: 422, title: 'An IRI cannot be recorded' },
  BAD_CHARACTER: { status: 422, title: 'A text has characters that cannot be recorded' },
  BAD_ESCAPE: { status: 422, title: 'A text has an escape that it does not need' },
  BAD_LANGUAGE: { status: 422, title: 'A language tag cannot be recorded' },
  BAD_DATATYPE: { status: 422, title: 'A datatype cannot be written so' },
  BAD_LEXICAL_FORM: { status: 422, title: 'A value is not of its datatype' },
  NOT_SORTED: { status: 422, title: 'The statements are not in order' },
  DUPLICATE_STATEMENT: { status: 422, title: 'A statement stands there twice' },
} as const satisfies Record<Exclude<SourceCode, 'UNSUPPORTED_MEDIA_TYPE'>, ProblemKind>;

/** Every error of the HTTP surface. Codes are stable: clients compare them. */
export const PROBLEMS = {
  ...REFUSED,
  ...INVALID,
  ...UNSTATED,
  BAD_REQUEST: { status: 400, title: 'The request is not well-formed' },
  BAD_JSON: { status: 400, title: 'The body is not JSON that can be taken exactly' },
  UNAUTHORIZED: { status: 401, title: 'The operator token is missing or wrong' },
  BAD_QUERY: { status: 400, title: 'The text is no query in the language SPARQL' },
  READ_ONLY: { status: 403, title: 'Nothing can be written here' },
  SERVICE_NOT_ALLOWED: { status: 403, title: 'This node asks no other server for a query' },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'Pages of this origin may not call' },
  NO_SUCH_ROUTE: { status: 404, title: 'There is nothing at this address' },
  UNKNOWN_BLOCK: { status: 404, title: 'This node has no such block' },
  UNKNOWN_TRANSACTION: { status: 404, title: 'This node knows no such transaction' },
  UNKNOWN_RESOURCE: { status: 404, title: 'The graph says nothing of this' },
  UNKNOWN_QUESTION: { status: 404, title: 'No question has this name' },
  UNKNOWN_PEER: { status: 404, title: 'This node has nothing to do with such a peer' },
  PEER_IS_AUTHORITY: { status: 409, title: 'An authority of the chain is not banned' },
  PRUNED: { status: 410, title: 'This node does not keep what is so old' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This address does not take this method' },
  NOT_ACCEPTABLE: { status: 406, title: 'The answer has no form that was asked for' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  TARGET_TOO_LONG: { status: 414, title: 'Path and query are too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body has the wrong content type' },
  WRONG_HOST: { status: 421, title: 'This node does not answer for that host name' },
  PROOF_TOO_LARGE: { status: 422, title: 'The proof would be too large' },
  BAD_SIGNATURE: { status: 422, title: 'The signature is not of the signer' },
  CLOCK_SKEW: { status: 422, title: 'The clocks are too far apart' },
  QUERY_TOO_EXPENSIVE: { status: 422, title: 'The query takes more than this node gives to one' },
  RATE_LIMITED: { status: 429, title: 'Too many requests from this address' },
  QUERY_PENALTY: { status: 429, title: 'An earlier query from this address had to be killed' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL_ERROR: { status: 500, title: 'The node failed to answer' },
  QUERY_FAILED: { status: 500, title: 'The engine failed at the query' },
  PROVENANCE_OFF: { status: 501, title: 'This node keeps no graph, or answers no queries about it' },
  MIRROR_FAILED: {
    status: 502,
    title: 'The store that this node asks did not answer as it should',
    retryAfterSeconds: 5,
  },
  NO_QUORUM: { status: 503, title: 'Too few authorities are connected', retryAfterSeconds: 1 },
  OVERLOADED: { status: 503, title: 'The node has more work than it can take', retryAfterSeconds: 1 },
  NOT_SYNCED: { status: 503, title: 'The node is still catching up', retryAfterSeconds: 2 },
  NOT_READY: { status: 503, title: 'The node is not ready to serve', retryAfterSeconds: 2 },
  QUERY_DEADLINE: { status: 503, title: 'The query was not answered in time', retryAfterSeconds: 60 },
  STOPPING: { status: 503, title: 'The node is stopping', retryAfterSeconds: 5 },
  GRAPH_ABOVE_CEILING: { status: 507, title: 'The graph is larger than this node can query' },
  NOT_FINAL_YET: { status: 504, title: 'The transaction was taken and is not final yet' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One occurrence of a problem. */
export interface Problem {
  readonly code: ProblemCode;
  /** What happened here and what to do about it, in words for people. */
  readonly detail: string;
  /** Members beside those of RFC 9457: `transaction_id`, `height`, `first_scan`, `field`. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function fail(code: ProblemCode, detail: string): Result<never, Problem> {
  return err({ code, detail });
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

export function kindOf(code: ProblemCode): ProblemKind {
  return PROBLEMS[code];
}

/** The members of an `application/problem+json` document (RFC 9457 §3). */
export function problemDocument(problem: Problem, requestId: string): Readonly<Record<string, unknown>> {
  const { status, title } = kindOf(problem.code);
  return {
    type: `urn:counterfoil:problem:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.detail,
    ...problem.members,
    request_id: requestId,
  };
}

/** What is wrong with a document of statements, with its place as members. */
export function sourceProblem({ code, line, column, detail }: SourceFault): Problem {
  if (line === null) return { code, detail };
  return { code, detail: `line ${line}, column ${column}: ${detail}`, members: { line, column } };
}

const ADVICE: Readonly<Partial<Record<Refusal, string>>> = {
  UNKNOWN_TICKET: 'check the id, which is case-sensitive',
  UNKNOWN_EVENT: 'create the event first, or check its id',
  UNKNOWN_TIER: 'create the tier first, or check its id',
  NOT_VALIDATED: 'activate it with POST /api/v1/tickets/validate, then try again',
  ALREADY_VALIDATED: 'nothing is left to do',
  TICKET_DISPUTED:
    'its history tells who contested it, why, and how it was decided; it stays out, also then: a replacement admits',
  OUTSIDE_VALIDITY: "its tier's validity says when it admits",
  WRONG_GATE: 'send the holder to the gate that the ticket is assigned to',
  INVALID_TRANSITION: "look at the ticket's state, which only moves forward",
  CAPACITY_EXCEEDED: 'issue fewer, or into another tier',
  SEAT_TAKEN: 'choose another seat',
  DUPLICATE_ID: 'choose another id; ids are never used twice',
  ROLE_NOT_ALLOWED: "have the event's organiser grant the role, or ask a node of an organisation that has it",
  TICKET_HELD: 'its history tells who holds it back; they can release it',
  TICKET_REVOKED: 'its history tells who revoked it and why; a revoked ticket stays out',
  NOT_HELD: 'nothing is left to do',
  TRANSFER_NOT_ALLOWED: 'its tier says whether, how often and until when tickets change hands',
  PRICE_ABOVE_CAP: 'ask at most what its tier allows in percent of its price',
  CASE_ALREADY_OPEN: 'resolve the open one first',
  NO_OPEN_CASE: 'look at how the last one ended',
  SELF_ARBITRATION: 'ask an arbiter of another organisation',
  IDEMPOTENCY_KEY_REUSED: 'use a fresh key for another operation, or repeat the first one unchanged',
};

/** What a refused receipt says in words: which rule, about what, and what to do. */
export function refusalDetail(code: Refusal, receipt: Receipt): string {
  const subject = receipt.subject === null ? '' : `${receipt.subject}: `;
  const { firstScan } = receipt;
  if (code === 'ALREADY_CONSUMED' && firstScan !== null) {
    const when = new Date(firstScan.at).toISOString();
    return (
      `${subject}first admitted at ${when}, gate ${firstScan.gate}, by ${firstScan.organisation}, at height ` +
      `${firstScan.height} (transaction ${firstScan.transaction}); do not admit it again`
    );
  }
  const advice = ADVICE[code];
  const title = kindOf(code).title;
  return advice === undefined ? `${subject}${title}` : `${subject}${title}; ${advice}`;
}
