import { utf8 } from '../../lib/bytes.ts';
import { ok } from '../../lib/result.ts';
import { canonicalDocument, writeQuad, writeTriple } from '../../provenance/canonical.ts';
import type { Iri, Triple } from '../../provenance/terms.ts';
import type { Outcome } from '../exchange.ts';
import { writeJsonLd } from './json-ld.ts';
import { contentTypeOf, type RdfFormat } from './media-types.ts';
import { type Prefixes, writeTrig, writeTurtle } from './turtle.ts';

/** A quad, or a triple of no graph, as the answer to CONSTRUCT has them. */
export type Statement = Triple & { readonly graph?: Iri };

/**
 * Statements in a form. The text depends on the statements alone, not on their order, and has each once. Turtle and
 * N-Triples have no graphs: there the statements of all graphs are put together. The caller bounds how many there are.
 */
export function serialise(format: RdfFormat, statements: readonly Statement[], prefixes: Prefixes): string {
  switch (format) {
    case 'turtle':
      return writeTurtle(statements, prefixes);
    case 'trig':
      return writeTrig(statements, prefixes);
    case 'n-triples':
      return canonicalDocument(statements.map(writeTriple));
    case 'n-quads':
      return canonicalDocument(statements.map(writeLine));
    case 'json-ld':
      return writeJsonLd(statements);
  }
}

function writeLine({ graph, ...triple }: Statement): string {
  return graph === undefined ? writeTriple(triple) : writeQuad({ ...triple, graph });
}

/** An answer in a form that was chosen by `Accept`: caches have to know that. */
export function rdfAnswer(format: RdfFormat, text: string, headers: Readonly<Record<string, string>> = {}): Outcome {
  return ok({
    status: 200,
    headers: { ...headers, vary: 'Accept' },
    content: { kind: 'bytes', mediaType: contentTypeOf(format), bytes: utf8(text) },
  });
}
