import fc from 'fast-check';
import { Parser } from 'n3';
import { parse as parseByOxigraph, Store } from 'oxigraph';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts';
import { compareCodePoints } from '../../src/lib/code-points.ts';
import { canonicalDocument, writeTriple } from '../../src/provenance/canonical.ts';
import { parseStatements } from '../../src/provenance/statements.ts';
import { foreignQuads, triple } from './rdf-arbitraries.ts';

const document = fc
  .array(triple, { minLength: 1, maxLength: 8 })
  .map((triples) => canonicalDocument(triples.map(writeTriple)));

/** Either refused, or exactly what is written of what was read. */
function expectCanonical(text: string): boolean {
  const read = parseStatements(text);
  if (read.ok) expect(canonicalDocument(read.value.map(writeTriple))).toBe(text);
  return read.ok;
}

/** Triples of a library in our canonical form. */
function written(triples: Parameters<typeof foreignQuads>[0]): string {
  return canonicalDocument(foreignQuads(triples).map(writeTriple));
}

describe('statements', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(triple, { minLength: 1, maxLength: 8 }), (triples) => {
        const text = canonicalDocument(triples.map(writeTriple));
        const byLine = new Map(triples.map((one) => [writeTriple(one), one]));
        const expected = [...byLine.keys()].sort(compareCodePoints).map((line) => byLine.get(line));
        expect(parseStatements(text)).toEqual({ ok: true, value: expected });
      }),
      { numRuns: 300 },
    );
  });

  it('with one byte changed are refused, or canonical again', () => {
    let taken = 0;
    fc.assert(
      fc.property(document, fc.nat(), fc.integer({ min: 0, max: 255 }), (text, place, byte) => {
        const bytes = utf8(text);
        bytes[place % bytes.length] = byte;
        const changed = fromUtf8(bytes);
        if (changed !== undefined && expectCanonical(changed)) taken += 1;
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('with a character taken out, put in or doubled are refused, or canonical again', () => {
    const inserted = fc.constantFrom(
      ' ',
      '\n',
      '\r',
      '\t',
      '.',
      '<',
      '>',
      '"',
      '\\',
      '@',
      '^',
      '_',
      ':',
      '0',
      '+',
      '-',
      'Z',
      '\u202e',
      '\ud800',
    );
    fc.assert(
      fc.property(document, fc.nat(), fc.nat(2), inserted, (text, place, removed, character) => {
        const at = place % text.length;
        expectCanonical(text.slice(0, at) + text.slice(at + removed));
        expectCanonical(text.slice(0, at) + character + text.slice(at + removed));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any bytes are refused, or canonical', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void expectCanonical(text)));
  });

  it('mean the same to oxigraph and to n3: what the chain takes never breaks what answers questions', () => {
    fc.assert(
      fc.property(document, (text) => {
        expect(written(parseByOxigraph(text, { format: 'application/n-triples' }))).toBe(text);
        const store = new Store();
        store.load(text, { format: 'application/n-triples' });
        expect(written(store.match()), 'kept by the engine').toBe(text);
        expect(written(new Parser({ format: 'application/n-triples' }).parse(text))).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });
});
