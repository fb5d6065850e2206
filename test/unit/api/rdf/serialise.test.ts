import { Parser } from 'n3';
import { describe, expect, it } from 'vitest';
import { rdfAnswer, type Statement, serialise } from '../../../../src/api/rdf/serialise.ts';
import { CF, RDF_LANG_STRING, RDF_TYPE, SCHEMA, XSD, XSD_STRING } from '../../../../src/provenance/namespaces.ts';

const PREFIXES = { schema: SCHEMA, cf: CF, xsd: XSD, prov: 'http://www.w3.org/ns/prov#' };
const T = 'http://localhost/id/ticket/T-1';
const TX = 'http://localhost/id/tx/1';

const literal = (value: string, datatype = XSD_STRING, language = ''): Statement['object'] => ({
  kind: 'literal',
  value,
  datatype,
  language,
});
const iri = (value: string): Statement['object'] => ({ kind: 'iri', value });

const STATEMENTS: readonly Statement[] = [
  { subject: T, predicate: `${CF}version`, object: literal('1', `${XSD}integer`), graph: TX },
  { subject: T, predicate: RDF_TYPE, object: iri(`${CF}Ticket`), graph: TX },
  { subject: T, predicate: RDF_TYPE, object: iri(`${SCHEMA}Ticket`), graph: TX },
  {
    subject: T,
    predicate: `${SCHEMA}name`,
    object: literal('Block "C"\n', RDF_LANG_STRING, 'en'),
    graph: `${TX}#stated`,
  },
  { subject: T, predicate: `${SCHEMA}totalPrice`, object: literal('99.75', `${XSD}decimal`), graph: TX },
  { subject: T, predicate: `${CF}at`, object: literal('2026-06-12T18:25:37Z', `${XSD}dateTime`), graph: TX },
];

describe('statements', () => {
  it('as Turtle: prefixes that are used, types first, one subject once', () => {
    expect(serialise('turtle', STATEMENTS, PREFIXES)).toBe(`@prefix cf: <https://w3id.org/counterfoil#> .
@prefix schema: <http://schema.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

<http://localhost/id/ticket/T-1> a schema:Ticket, cf:Ticket ;
  schema:name "Block \\"C\\"\\n"@en ;
  schema:totalPrice 99.75 ;
  cf:at "2026-06-12T18:25:37Z"^^xsd:dateTime ;
  cf:version 1 .
`);
  });

  it('as TriG: one block for each graph', () => {
    const statements = [...STATEMENTS.slice(0, 4), { subject: TX, predicate: 'a:p', object: iri(T) }];
    expect(serialise('trig', statements, PREFIXES)).toBe(`@prefix cf: <https://w3id.org/counterfoil#> .
@prefix schema: <http://schema.org/> .

<http://localhost/id/tx/1> <a:p> <http://localhost/id/ticket/T-1> .

<http://localhost/id/tx/1> {
  <http://localhost/id/ticket/T-1> a schema:Ticket, cf:Ticket ;
    cf:version 1 .
}

<http://localhost/id/tx/1#stated> {
  <http://localhost/id/ticket/T-1> schema:name "Block \\"C\\"\\n"@en .
}
`);
  });

  it('as canonical lines', () => {
    const [first, second] = STATEMENTS;
    const two = [first, second].filter((one) => one !== undefined);
    expect(serialise('n-triples', two, PREFIXES)).toBe(
      `<${T}> <${RDF_TYPE}> <${CF}Ticket> .\n<${T}> <${CF}version> "1"^^<${XSD}integer> .\n`,
    );
    expect(serialise('n-quads', two, PREFIXES)).toBe(
      `<${T}> <${RDF_TYPE}> <${CF}Ticket> <${TX}> .\n<${T}> <${CF}version> "1"^^<${XSD}integer> <${TX}> .\n`,
    );
  });

  it('as expanded JSON-LD, without a context', () => {
    expect(JSON.parse(serialise('json-ld', STATEMENTS, PREFIXES))).toEqual([
      {
        '@id': TX,
        '@graph': [
          {
            '@id': T,
            '@type': [`${SCHEMA}Ticket`, `${CF}Ticket`],
            [`${SCHEMA}totalPrice`]: [{ '@value': '99.75', '@type': `${XSD}decimal` }],
            [`${CF}at`]: [{ '@value': '2026-06-12T18:25:37Z', '@type': `${XSD}dateTime` }],
            [`${CF}version`]: [{ '@value': '1', '@type': `${XSD}integer` }],
          },
        ],
      },
      {
        '@id': `${TX}#stated`,
        '@graph': [{ '@id': T, [`${SCHEMA}name`]: [{ '@value': 'Block "C"\n', '@language': 'en' }] }],
      },
    ]);
  });

  it('of which there are none', () => {
    expect(serialise('turtle', [], PREFIXES)).toBe('');
    expect(serialise('trig', [], PREFIXES)).toBe('');
    expect(serialise('n-quads', [], PREFIXES)).toBe('');
    expect(serialise('json-ld', [], PREFIXES)).toBe('[]\n');
  });

  it('never pass for the ledger’s words by an IRI that looks like a short name', () => {
    const forged: Statement = { subject: T, predicate: 'cf:state', object: iri('cf:Consumed') };
    const [read] = new Parser()
      .parse(serialise('turtle', [forged, ...STATEMENTS], PREFIXES))
      .filter(({ predicate }) => predicate.value.endsWith('state'));
    expect([read?.predicate.value, read?.object.value]).toEqual(['cf:state', 'cf:Consumed']);
  });

  it('write out what has no safe short name', () => {
    for (const rest of ['', 'a/b', 'a.', '-a', '1', '%41', 'a\u00e9', "a'", 'a;b']) {
      const [object] = new Parser().parse(
        serialise('turtle', [{ subject: T, predicate: 'a:p', object: iri(CF + rest) }], PREFIXES),
      );
      expect(object?.object.value).toBe(CF + rest);
    }
  });
});

describe('an answer', () => {
  it('says its form, and that it depends on what was asked for', () => {
    const answer = rdfAnswer('turtle', '<a:s> <a:p> <a:o> .\n', { etag: '"1"' });
    expect(answer.ok && answer.value.headers).toEqual({ etag: '"1"', vary: 'Accept' });
    expect(answer.ok && answer.value.content).toMatchObject({ kind: 'bytes', mediaType: 'text/turtle; charset=utf-8' });
  });
});
