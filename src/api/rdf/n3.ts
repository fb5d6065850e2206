import { DataFactory, Parser } from 'n3';
import type { Iri, Term, Triple } from '../../provenance/terms.ts';
import type { Literal } from './literals.ts';

/** What of n3 is used, and no more: its grammar of Turtle and N-Triples. Everything it reads is judged here. */

export interface Token {
  readonly type: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** From 0, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Where it ends, when it has several lines. */
  readonly endLine?: number;
}

/** Told of everything in the order of the document; whatever these throw ends the reading. */
export interface Observer {
  onToken(token: Token): void;
  onIri(iri: Iri): void;
  /** Gives the literal as it shall be kept. */
  onLiteral(value: string, datatype: Iri, language: string): Literal;
  onTriple(triple: Triple): void;
}

/** Why n3 did not read on: the token that did not fit, or the last one before text that is no token. */
export interface SyntaxTrouble {
  readonly message: string;
  readonly token: Token | undefined;
  readonly previousToken: Token | undefined;
}

interface N3Term {
  readonly termType: string;
  readonly value: string;
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

/** The part of n3 that its published types leave out. */
interface TokenParser {
  parse(text: string, callbacks: { readonly onToken: (token: Token) => void }): unknown;
}

function isTrouble(error: unknown): error is Error & { readonly context: Omit<SyntaxTrouble, 'message'> } {
  return error instanceof Error && 'context' in error;
}

/** Reads a document to its end. @returns what stopped n3; undefined when nothing did */
export function readTokens(
  text: string,
  options: { readonly format: string; readonly base: Iri | undefined },
  observer: Observer,
): SyntaxTrouble | undefined {
  const factory = {
    ...DataFactory,
    namedNode: (iri: Iri) => {
      observer.onIri(iri);
      return DataFactory.namedNode(iri);
    },
    literal: (value: string, kind: string | N3Term | undefined) => {
      const language = typeof kind === 'string' ? kind : '';
      const datatype = typeof kind === 'object' ? kind.value : STRING;
      const kept = observer.onLiteral(value, datatype, language);
      return DataFactory.literal(kept.value, kept.language || DataFactory.namedNode(kept.datatype));
    },
    quad: (subject: N3Term, predicate: N3Term, object: N3Term) => {
      observer.onTriple({ subject: subject.value, predicate: predicate.value, object: termOf(object) });
    },
  };
  const settings: object = {
    format: options.format,
    factory,
    ...(options.base === undefined ? {} : { baseIRI: options.base }),
  };
  try {
    const parser = new Parser(settings as ConstructorParameters<typeof Parser>[0]) as Parser & TokenParser;
    parser.parse(text, { onToken: observer.onToken });
    return undefined;
  } catch (error) {
    if (!isTrouble(error)) throw error;
    return { message: error.message, token: error.context.token, previousToken: error.context.previousToken };
  }
}

const STRING = DataFactory.literal('').datatype.value;

function termOf({ termType, value, language = '', datatype }: N3Term): Term {
  return termType === 'Literal'
    ? { kind: 'literal', value, datatype: datatype?.value ?? STRING, language }
    : { kind: 'iri', value };
}
