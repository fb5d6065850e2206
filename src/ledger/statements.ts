import { err, type Result } from '../lib/result.ts';
import type { Operation } from '../model/operation.ts';
import { ticketsNamed } from '../model/operation.ts';
import type { TransactionBody } from '../model/transaction.ts';
import { irisUnder } from '../provenance/iris.ts';
import { outOfScope, reservedVocabulary, type ScopeFault } from '../provenance/scope.ts';
import { parseStatements, type StatementFault } from '../provenance/statements.ts';
import type { Iri, Triple } from '../provenance/terms.ts';

/** Statements that were read once need not be read again when they are judged on another state. */
const known = new WeakMap<TransactionBody, Result<readonly Triple[], StatementFault>>();

function triplesOf(body: TransactionBody, statements: string): Result<readonly Triple[], StatementFault> {
  let read = known.get(body);
  if (read === undefined) {
    read = parseStatements(statements);
    known.set(body, read.ok ? read : err(read.error));
  }
  return read;
}

/** Whose words may be about what: where the chain's IRIs begin, and the namespace that is the signer's own. */
export interface StatementScope {
  readonly iriBase: Iri;
  /** What the IRIs of its own things begin with; ends with a slash; null for none. */
  readonly namespace: Iri | null;
}

/** Why the statements of a transaction may not be recorded; undefined when they may, or when there are none. */
export function statementProblem(
  body: TransactionBody,
  scope: StatementScope,
): StatementFault | ScopeFault | undefined {
  if (body.statements === null) return undefined;
  const triples = triplesOf(body, body.statements);
  if (!triples.ok) return triples.error;
  const things = new Set(thingsOf(body.operation, scope.iriBase));
  const { namespace } = scope;
  const isSubjectAllowed = (iri: Iri): boolean =>
    things.has(iri) || (namespace !== null && iri.startsWith(namespace) && iri !== namespace);
  return reservedVocabulary(triples.value) ?? outOfScope(triples.value, { isSubjectAllowed });
}

/** What a transaction is about, and its signer may therefore describe with it. */
function thingsOf(operation: Operation, iriBase: Iri): readonly Iri[] {
  const iris = irisUnder(iriBase);
  switch (operation.kind) {
    case 'event.create':
      return [iris.event(operation.event)];
    case 'tier.create':
      return [iris.tier(operation.event, operation.tier)];
    default:
      return ticketsNamed(operation).map((ticket) => iris.ticket(ticket));
  }
}
