import { describe, expect, it } from 'vitest';
import { compareCodePoints, sortedByCodePoint } from '../../../src/lib/code-points.ts';
import {
  canonicalDocument,
  writeQuad,
  writeString,
  writeTerm,
  writeTriple,
} from '../../../src/provenance/canonical.ts';
import { RDF_LANG_STRING, XSD, XSD_STRING } from '../../../src/provenance/namespaces.ts';

describe('a text in quotes', () => {
  it('has the short escapes, then \\u in upper case, and nothing else', () => {
    const ascii = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code)).join('');
    expect(writeString(ascii)).toBe(
      '"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000B\\f\\r\\u000E\\u000F' +
        '\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A\\u001B\\u001C\\u001D\\u001E\\u001F' +
        ` !\\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_\`abcdefghijklmnopqrstuvwxyz{|}~\\u007F"`,
    );
  });

  it('escapes what XML 1.1 has no character for, and keeps the rest as it is', () => {
    expect(writeString('\ufffe\uffff')).toBe('"\\uFFFE\\uFFFF"');
    expect(writeString('\u0080é\ufffd\u{1f3ab}')).toBe('"\u0080é\ufffd\u{1f3ab}"');
  });
});

describe('a term', () => {
  it.each([
    [{ kind: 'iri', value: 'http://a.example/x' }, '<http://a.example/x>'],
    [{ kind: 'literal', value: 'a', datatype: XSD_STRING, language: '' }, '"a"'],
    [{ kind: 'literal', value: 'a', datatype: RDF_LANG_STRING, language: 'en-gb' }, '"a"@en-gb'],
    [
      { kind: 'literal', value: '5', datatype: `${XSD}integer`, language: '' },
      '"5"^^<http://www.w3.org/2001/XMLSchema#integer>',
    ],
  ] as const)('is written as N-Quads have it: %j', (term, written) => {
    expect(writeTerm(term)).toBe(written);
  });

  it('stands in a line with one space around it', () => {
    const triple = { subject: 'a:s', predicate: 'a:p', object: { kind: 'iri', value: 'a:o' } } as const;
    expect(writeTriple(triple)).toBe('<a:s> <a:p> <a:o> .');
    expect(writeQuad({ ...triple, graph: 'a:g' })).toBe('<a:s> <a:p> <a:o> <a:g> .');
  });
});

describe('a document', () => {
  it('has each line once, in the order of code points', () => {
    expect(canonicalDocument(['b', '\u{1f3ab}', 'a', '\ufffd', 'b'])).toBe('a\nb\n\ufffd\n\u{1f3ab}\n');
    expect(canonicalDocument([])).toBe('');
  });

  it('is ordered as its UTF-8 bytes are', () => {
    const texts = [
      '',
      'a',
      'ab',
      'b',
      '\u007f',
      '\u0080',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
      'a\u{10000}',
      'a\uffff',
    ];
    const bytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...texts].sort(compareCodePoints)).toEqual(bytes);
    expect(sortedByCodePoint(texts)).toEqual(bytes);
    expect(sortedByCodePoint(['b', 'a', '', 'ab', 'a'])).toEqual(['', 'a', 'a', 'ab', 'b']);
    expect(compareCodePoints('a', 'a')).toBe(0);
  });
});
