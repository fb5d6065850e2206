import fc from 'fast-check';
import { Parser } from 'n3';
import { parse as parseByOxigraph } from 'oxigraph';
import { describe, expect, it } from 'vitest';
import { RDF_MEDIA_TYPES, type RdfFormat } from '../../src/api/rdf/media-types.ts';
import { readTurtle } from '../../src/api/rdf/read.ts';
import { type Statement, serialise } from '../../src/api/rdf/serialise.ts';
import { utf8 } from '../../src/lib/bytes.ts';
import { canonicalDocument, writeTriple } from '../../src/provenance/canonical.ts';
import { CF, PROV, RDF, SCHEMA, XSD } from '../../src/provenance/namespaces.ts';
import { parseStatements } from '../../src/provenance/statements.ts';
import { foreignQuads, quads, triple } from './rdf-arbitraries.ts';

const PREFIXES = {
  cf: CF,
  prov: PROV,
  schema: SCHEMA,
  xsd: XSD,
  rdf: RDF,
  a: 'http://a.example/',
  b: 'http://a.example/a',
};
const FORMATS = Object.keys(RDF_MEDIA_TYPES) as RdfFormat[];
const HAS_GRAPHS: ReadonlySet<RdfFormat> = new Set(['trig', 'n-quads', 'json-ld']);

/** What of the statements a form keeps, in canonical lines. */
function kept(format: RdfFormat, statements: readonly Statement[]): string {
  return HAS_GRAPHS.has(format) ? serialise('n-quads', statements, {}) : serialise('n-triples', statements, {});
}

describe.each(FORMATS)('%s', (format) => {
  const mediaType = RDF_MEDIA_TYPES[format];

  it('is read by oxigraph as what was written', () => {
    fc.assert(
      fc.property(quads, (statements) => {
        const text = serialise(format, statements, PREFIXES);
        const read = foreignQuads(parseByOxigraph(text, { format: mediaType }));
        expect(serialise('n-quads', read, {})).toBe(kept(format, statements));
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order in which statements come', () => {
    fc.assert(
      fc.property(quads, (statements) => {
        const text = serialise(format, statements, PREFIXES);
        expect(serialise(format, [...statements].reverse(), PREFIXES)).toBe(text);
        expect(serialise(format, [...statements, ...statements], PREFIXES)).toBe(text);
        expect(text === '' || text.endsWith('\n')).toBe(true);
      }),
    );
  });
});

describe('a form of text', () => {
  it.each(FORMATS.filter((format) => format !== 'json-ld'))('%s is read by n3 as what was written', (format) => {
    fc.assert(
      fc.property(quads, (statements) => {
        const text = serialise(format, statements, PREFIXES);
        const read = foreignQuads(new Parser({ format: RDF_MEDIA_TYPES[format] }).parse(text));
        expect(serialise('n-quads', read, {})).toBe(kept(format, statements));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a document of statements', () => {
  it('that we write as Turtle comes back as the statements it was made of', () => {
    fc.assert(
      fc.property(fc.array(triple, { minLength: 1, maxLength: 8 }), (triples) => {
        const written = canonicalDocument(triples.map(writeTriple));
        const composed = triples.map(({ object, ...rest }) =>
          object.kind === 'literal'
            ? { ...rest, object: { ...object, value: object.value.normalize('NFC') } }
            : { ...rest, object },
        );
        const turtle = readTurtle(utf8(serialise('turtle', triples, PREFIXES)), 'text/turtle');
        expect(turtle).toEqual({ ok: true, value: canonicalDocument(composed.map(writeTriple)) });
        expect(readTurtle(utf8(written), 'application/n-triples')).toEqual(turtle);
      }),
      { numRuns: 300 },
    );
  });

  it('of any text is read into what the chain takes, or refused at a place in it', () => {
    const scrap = fc.oneof(
      fc.constantFrom(
        '<a:s>',
        '<a:p>',
        '"x"',
        '@en',
        '--ltr',
        '^^',
        '_:b',
        '[',
        ']',
        '(',
        ')',
        '{',
        '}',
        '{|',
        '|}',
        '<<',
        '>>',
        '<<(',
      ),
      fc.constantFrom(
        '.',
        ';',
        ',',
        'a',
        '@prefix',
        ':',
        '<>',
        '5',
        '+.5',
        '1e1',
        'true',
        '#',
        '\n',
        '\r',
        '"""',
        "'",
        '~',
        '@base',
        'VERSION',
      ),
      fc.constantFrom('p:', 'p:x', '\\', '\u{1f3ab}', ' '),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    const text = fc
      .array(scrap, { maxLength: 16 })
      .map((scraps) => `@prefix p: <a:> . <a:s> <a:p> ${scraps.join(' ')}`);
    fc.assert(
      fc.property(text, fc.constantFrom('text/turtle', 'application/n-triples'), (source, contentType) => {
        const read = readTurtle(utf8(source), contentType);
        if (read.ok) expect(parseStatements(read.value).ok).toBe(true);
        const { line, column } = read.ok ? { line: null, column: null } : read.error;
        if (line === null || column === null) return;
        const lines = source.split(/\r\n|\r|\n/);
        expect([line >= 1, line <= lines.length]).toEqual([true, true]);
        expect([column >= 1, column <= [...(lines[line - 1] ?? '')].length + 1]).toEqual([true, true]);
      }),
      { numRuns: 3_000 },
    );
  });
});
