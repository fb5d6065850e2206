import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeTerm } from '../../../src/provenance/canonical.ts';
import type { Term } from '../../../src/provenance/terms.ts';
import { readLines, termOf } from '../../../src/store/quad-lines.ts';

const XSD = 'http://www.w3.org/2001/XMLSchema#';
const LANG_STRING = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString';

function lineWith(object: string): string {
  return `<urn:s> <urn:p> ${object} <urn:g> .\n`;
}

function read(document: string): readonly string[][] | string {
  const lines: string[][] = [];
  const result = readLines(document, (...tokens) => lines.push(tokens));
  return result.ok ? lines : `${result.error.line}: ${result.error.reason}`;
}

describe('a canonical line', () => {
  it.each([
    '<urn:o>',
    '<http://example.org/grün?a=b#c>',
    '""',
    '"text with \\"quotes\\", \\\\ and \\b\\t\\n\\f\\r"',
    '"\\u0000\\u0007\\u000B\\u000E\\u001F\\u007F\\uFFFE\\uFFFF"',
    '"😀 \u0080 <> ^^ @en ."',
    `"1"^^<${XSD}integer>`,
    '"hallo"@de',
    '"hallo"@de-ch-1996',
  ])('is read as it is: %s', (object) => {
    expect(read(lineWith(object))).toEqual([['<urn:s>', '<urn:p>', object, '<urn:g>']]);
    expect(writeTerm(termOf(object))).toBe(object);
  });

  it.each([
    ['an escape in an IRI', '<urn:\\u00e9>'],
    ['a space in an IRI', '<urn: >'],
    ['an empty IRI', '<>'],
    ['a blank node', '_:a'],
    ['a quote', '"a"b"'],
    ['a raw line end', '"a\nb"'],
    ['a raw control', '"\u0001"'],
    ['a raw delete', '"\u007f"'],
    ['a raw non-character', '"\uffff"'],
    ['a long escape where there is a short one', '"\\u000A"'],
    ['an escape of a plain character', '"\\u0041"'],
    ['an escape in small letters', '"\\u001f"'],
    ['an escape of eight digits', '"\\U0001F600"'],
    ['an escaped apostrophe', '"\\\'"'],
    ['xsd:string by name', `"a"^^<${XSD}string>`],
    ['a language by datatype', `"a"^^<${LANG_STRING}>`],
    ['a language in capitals', '"a"@de-CH'],
    ['a base direction', '"a"@ar--rtl'],
    ['half a character', '"\ud83d"'],
    ['a triple term', '<<( <urn:s> <urn:p> <urn:o> )>>'],
  ])('has not %s', (_, object) => {
    expect(read(lineWith(object))).toMatch(/^1: /);
  });

  it.each([
    ['no graph', '<urn:s> <urn:p> <urn:o> .\n'],
    ['two spaces', '<urn:s>  <urn:p> <urn:o> <urn:g> .\n'],
    ['a carriage return', '<urn:s> <urn:p> <urn:o> <urn:g> .\r\n'],
    ['no end', '<urn:s> <urn:p> <urn:o> <urn:g> .'],
    ['a comment', '# hello\n'],
    ['an empty line', '\n'],
    ['a literal subject', '"s" <urn:p> <urn:o> <urn:g> .\n'],
  ])('does not come with %s', (_, line) => {
    expect(read(`${lineWith('<urn:o>')}${line}`)).toMatch(/^2: not a canonical line/);
  });

  it('is nothing in an empty document', () => {
    expect(read('')).toEqual([]);
  });
});

it('every term has one token, which reads as the term', () => {
  const literal = fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom(`${XSD}string`, `${XSD}date`, 'urn:d'));
  const terms: fc.Arbitrary<Term> = fc.oneof(
    literal.map(([value, datatype]) => ({ kind: 'literal', value, datatype, language: '' }) as const),
    fc
      .tuple(fc.string({ unit: 'binary' }), fc.constantFrom('de', 'en-gb'))
      .map(([value, language]) => ({ kind: 'literal', value, datatype: LANG_STRING, language }) as const),
    fc.webUrl().map((value) => ({ kind: 'iri', value }) as const),
  );
  fc.assert(
    fc.property(terms, (term) => {
      const token = writeTerm(term);
      expect(termOf(token)).toEqual(term);
      expect(read(lineWith(token))).toEqual([['<urn:s>', '<urn:p>', token, '<urn:g>']]);
    }),
  );
});
