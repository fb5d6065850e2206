import fc, { type Arbitrary } from 'fast-check';
import { iriFault } from '../../src/provenance/iri-form.ts';
import { isFitText, isLanguage } from '../../src/provenance/literal-form.ts';
import { RDF_LANG_STRING, RDF_TYPE, XSD, XSD_STRING } from '../../src/provenance/namespaces.ts';
import type { Iri, Quad, Term, Triple } from '../../src/provenance/terms.ts';

/** Pieces that make grammars trip, beside whatever comes. */
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '?',
    '#',
    ':',
    '@',
    '%41',
    '%',
    '.',
    '..',
    '[',
    ']',
    '\u00e9',
    '\u{20000}',
    '\ue000',
    'a',
    '1',
    '-',
    '_',
  ),
  fc.constantFrom("'", '(', ')', ';', '=', '&', '+', ',', '!', '$', '*', '~', ' ', '\\', '\u200d', '\ufdfa', 'example'),
  fc.string({ unit: 'binary', maxLength: 2 }),
);

/** Any IRI that statements may have, strange ones first. */
const iri: Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      'http://a.example/',
      'https://w3id.org/counterfoil#',
      'urn:',
      'a:',
      'x+y-1.z:',
      'http://',
      'cf:',
      'prov:',
      RDF_TYPE,
    ),
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  )
  .map(([head, rest]) => head + rest)
  .filter((text) => iriFault(text) === undefined);

const fitText = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', '\\', '\n', '\r', '\t', "'", '\u{1f3ab}', 'e\u0301', '\ufffd'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(''))
  .filter(isFitText);

const language = fc
  .array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('-'))
  .filter(isLanguage);

const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,20})$/);
const typed = fc.oneof(
  fc.tuple(fc.constant('boolean'), fc.constantFrom('true', 'false')),
  fc.tuple(
    fc.constant('integer'),
    digits.map((text) => (text === '0' ? text : `-${text}`)),
  ),
  fc.tuple(fc.constant('integer'), digits),
  fc.tuple(
    fc.constant('decimal'),
    fc.tuple(digits, fc.stringMatching(/^\d{0,8}[1-9]$/)).map((parts) => parts.join('.')),
  ),
  fc.tuple(
    fc.constant('dateTime'),
    fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
      .map((date) => date.toISOString().replace(/\.?0+Z$/, 'Z')),
  ),
  fc.tuple(fc.constant('gYear'), fitText),
);

const literal: Arbitrary<Term> = fc.oneof(
  fitText.map((value): Term => ({ kind: 'literal', value, datatype: XSD_STRING, language: '' })),
  fc
    .tuple(fitText, language)
    .map(([value, tag]): Term => ({ kind: 'literal', value, datatype: RDF_LANG_STRING, language: tag })),
  typed.map(([name, value]): Term => ({ kind: 'literal', value, datatype: XSD + name, language: '' })),
);

const term: Arbitrary<Term> = fc.oneof(
  iri.map((value): Term => ({ kind: 'iri', value })),
  literal,
);

export const triple: Arbitrary<Triple> = fc.record({
  subject: iri,
  predicate: fc.oneof(iri, fc.constant(RDF_TYPE)),
  object: term,
});

/** Quads that share subjects, predicates and graphs, as real ones do. */
export const quads: Arbitrary<readonly Quad[]> = fc
  .tuple(fc.array(iri, { minLength: 1, maxLength: 3 }), fc.array(iri, { minLength: 1, maxLength: 3 }))
  .chain(([names, graphs]) =>
    fc.array(
      fc.record({
        subject: fc.constantFrom(...names),
        predicate: fc.oneof(fc.constantFrom(...names), fc.constant(RDF_TYPE)),
        object: term,
        graph: fc.constantFrom(...graphs),
      }),
      { maxLength: 12 },
    ),
  );

interface ForeignTerm {
  readonly termType: string;
  readonly value: string;
  readonly language?: string;
  readonly datatype?: { readonly value: string };
}

interface ForeignQuad {
  readonly subject: ForeignTerm;
  readonly predicate: ForeignTerm;
  readonly object: ForeignTerm;
  readonly graph: ForeignTerm;
}

/** What a library read, in our terms. */
export function foreignQuads(read: Iterable<ForeignQuad>): readonly (Triple & { readonly graph?: Iri })[] {
  return [...read].map(({ subject, predicate, object, graph }) => ({
    subject: subject.value,
    predicate: predicate.value,
    object:
      object.termType === 'NamedNode'
        ? { kind: 'iri', value: object.value }
        : {
            kind: 'literal',
            value: object.value,
            language: object.language ?? '',
            datatype: object.datatype?.value ?? '',
          },
    ...(graph.termType === 'NamedNode' ? { graph: graph.value } : {}),
  }));
}
