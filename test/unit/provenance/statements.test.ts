import { describe, expect, it } from 'vitest';
import { STATEMENTS_BYTES_MAX, STATEMENTS_MAX } from '../../../src/model/graph-limits.ts';
import { canonicalDocument, writeTriple } from '../../../src/provenance/canonical.ts';
import { XSD } from '../../../src/provenance/namespaces.ts';
import { parseStatements } from '../../../src/provenance/statements.ts';

const S = '<http://a.example/s>';
const P = '<http://a.example/p>';

/** Where a single line is refused, and why; `ok` when it is taken. */
function fate(text: string): string {
  const read = parseStatements(text);
  if (read.ok) {
    expect(canonicalDocument(read.value.map(writeTriple))).toBe(text);
    return 'ok';
  }
  const { code, line, column } = read.error;
  return `${code} ${line}:${column}`;
}

/** The same of the object alone: columns count from where it begins. */
function fateOf(object: string): string {
  const head = `${S} ${P} `;
  return fate(`${head}${object} .\n`).replace(/\d+$/, (column) => String(Number(column) - head.length));
}

describe('the form of a line', () => {
  it.each([
    [`${S} ${P} <a:o> .\n`, 'ok'],
    [`${S} ${P} "o" .\n`, 'ok'],
    ['', 'EMPTY_GRAPH 1:1'],
    ['\n', 'BAD_SYNTAX 1:1'],
    [`${S} ${P} "o" .`, 'BAD_SYNTAX 1:48'],
    [`${S} ${P} "o" .\n\n`, 'BAD_SYNTAX 2:1'],
    [`${S} ${P} "o" .\r\n`, 'BAD_SYNTAX 1:48'],
    [`${S} ${P} "o".\n`, 'BAD_SYNTAX 1:46'],
    [`${S}  ${P} "o" .\n`, 'BAD_SYNTAX 1:22'],
    [`${S}\t${P} "o" .\n`, 'BAD_SYNTAX 1:21'],
    [`\ufeff${S} ${P} "o" .\n`, 'BAD_SYNTAX 1:1'],
    [`# comment\n`, 'BAD_SYNTAX 1:1'],
    [`${S} ${P} "o" . # comment\n`, 'BAD_SYNTAX 1:48'],
    [`${S} ${P} "o" <a:g> .\n`, 'BAD_SYNTAX 1:46'],
    [`"s" ${P} "o" .\n`, 'BAD_SYNTAX 1:1'],
    [`${S} "p" "o" .\n`, 'BAD_SYNTAX 1:22'],
    [`${S} a "o" .\n`, 'BAD_SYNTAX 1:22'],
    [`_:b ${P} "o" .\n`, 'BLANK_NODE_NOT_ALLOWED 1:1'],
    [`${S} _:b "o" .\n`, 'BLANK_NODE_NOT_ALLOWED 1:22'],
    [`${S} ${P} _:b .\n`, 'BLANK_NODE_NOT_ALLOWED 1:43'],
    [`${S} ${P} <<( <a:s> <a:p> <a:o> )>> .\n`, 'TRIPLE_TERM_NOT_ALLOWED 1:43'],
    [`<< <a:s> <a:p> <a:o> >> ${P} "o" .\n`, 'TRIPLE_TERM_NOT_ALLOWED 1:1'],
    [`VERSION "1.2"\n`, 'BAD_SYNTAX 1:1'],
  ])('%j: %s', (text, expected) => {
    expect(fate(text)).toBe(expected);
  });

  it('counts columns in characters', () => {
    expect(fate(`<http://a.example/\u{20000}> ${P} nothing .\n`)).toBe('BAD_SYNTAX 1:43');
  });
});

describe('the order of lines', () => {
  const [a, b, astral] = [`${S} ${P} "a" .\n`, `${S} ${P} "b" .\n`, `${S} ${P} "\u{1f3ab}" .\n`];

  it.each([
    [a + b, 'ok'],
    [`${a}${S} ${P} "\ufffd" .\n${astral}`, 'ok'],
    [b + a, 'NOT_SORTED 2:1'],
    [`${a}${astral}${S} ${P} "\ufffd" .\n`, 'NOT_SORTED 3:1'],
    [a + b + b, 'DUPLICATE_STATEMENT 3:1'],
  ])('%j: %s', (text, expected) => {
    expect(fate(text)).toBe(expected);
  });
});

describe('an IRI', () => {
  it.each([
    ['<http://a.example/caf\u00e9?x=%C3%A9#frag>', 'ok'],
    ['<urn:isbn:0451450523>', 'ok'],
    ['<mailto:a@b.example>', 'ok'],
    ['<a:>', 'ok'],
    ["<http://u:p@a.example:8080/a;b=c,d/!$&'()*+~_-.x>", 'ok'],
    ['<>', 'RELATIVE_IRI 1:2'],
    ['<s>', 'RELATIVE_IRI 1:2'],
    ['<#s>', 'RELATIVE_IRI 1:2'],
    ['</a/b>', 'RELATIVE_IRI 1:2'],
    ['<//a.example/b>', 'RELATIVE_IRI 1:2'],
    ['<1a:b>', 'RELATIVE_IRI 1:2'],
    ['<a:b c>', 'BAD_IRI 1:5'],
    ['<a:b<c>', 'BAD_IRI 1:5'],
    ['<a:"b>', 'BAD_IRI 1:4'],
    ['<a:{b}>', 'BAD_IRI 1:4'],
    ['<a:b|c>', 'BAD_IRI 1:5'],
    ['<a:b^c>', 'BAD_IRI 1:5'],
    ['<a:b`c>', 'BAD_IRI 1:5'],
    ['<a:b\\u0063>', 'BAD_IRI 1:5'],
    ['<a:b\tc>', 'BAD_IRI 1:5'],
    ['<a:b\u007fc>', 'BAD_IRI 1:5'],
    ['<a:b\u0085c>', 'BAD_IRI 1:5'],
    ['<a:b\u202ec>', 'BAD_IRI 1:5'],
    ['<a:b\ufeffc>', 'BAD_IRI 1:5'],
    ['<a:b\ue000c>', 'BAD_IRI 1:5'],
    ['<a:b\u{1fffe}c>', 'BAD_IRI 1:5'],
    ['<a:b\ud800c>', 'BAD_IRI 1:5'],
    ['<a:%4>', 'BAD_IRI 1:4'],
    ['<a:%zz>', 'BAD_IRI 1:4'],
    ['<a:b#c#d>', 'BAD_IRI 1:7'],
    ['<http://[::1]/>', 'BAD_IRI 1:9'],
    ['<http://a.example:port/>', 'BAD_IRI 1:9'],
    ['<http://a@b@c/>', 'BAD_IRI 1:9'],
    ['<http://a.example/ns/../other>', 'BAD_IRI 1:18'],
    ['<http://a.example/ns/%2E%2e/other>', 'BAD_IRI 1:18'],
    ['<http://a.example/ns/..>', 'BAD_IRI 1:18'],
    ['<http://a.example/ns/.?x>', 'BAD_IRI 1:18'],
    ['<http://a.example/.well-known/..x/...?/../>', 'ok'],
    [`<a:${'b'.repeat(1_022)}>`, 'ok'],
    [`<a:${'b'.repeat(1_023)}>`, 'BAD_IRI 1:2'],
    [`<a:${'\u00e9'.repeat(512)}>`, 'BAD_IRI 1:2'],
    ['<a:b', 'BAD_SYNTAX 1:1'],
  ])('%j: %s', (iri, expected) => {
    expect(fateOf(iri)).toBe(expected);
  });
});

describe('a text', () => {
  it.each([
    ['""', 'ok'],
    ['"\\t\\n\\r\\"\\\\"', 'ok'],
    ['"\u{1f3ab} \u0645\u0631\u062d\u0628\u0627 e\u0301"', 'ok'],
    ['"a', 'BAD_SYNTAX 1:1'],
    ['"a\\"', 'BAD_SYNTAX 1:1'],
    ["'a'", 'BAD_SYNTAX 1:1'],
    ['"""a"""', 'BAD_SYNTAX 1:3'],
    ['"a\tb"', 'BAD_CHARACTER 1:3'],
    ['"a\u0000b"', 'BAD_CHARACTER 1:3'],
    ['"a\u007fb"', 'BAD_CHARACTER 1:3'],
    ['"a\u009bb"', 'BAD_CHARACTER 1:3'],
    ['"a\u202eb"', 'BAD_CHARACTER 1:3'],
    ['"a\u2028b"', 'BAD_CHARACTER 1:3'],
    ['"a\ufeffb"', 'BAD_CHARACTER 1:3'],
    ['"a\uffffb"', 'BAD_CHARACTER 1:3'],
    ['"a\ufdd0b"', 'BAD_CHARACTER 1:3'],
    ['"a\u{10ffff}b"', 'BAD_CHARACTER 1:3'],
    ['"a\udc00b"', 'BAD_CHARACTER 1:3'],
    ['"a\\u0041"', 'BAD_ESCAPE 1:3'],
    ['"a\\u0001"', 'BAD_ESCAPE 1:3'],
    ['"a\\U0001F3AB"', 'BAD_ESCAPE 1:3'],
    ['"a\\b"', 'BAD_ESCAPE 1:3'],
    ['"a\\\'"', 'BAD_ESCAPE 1:3'],
    ['"a\\x"', 'BAD_ESCAPE 1:3'],
  ])('%j: %s', (text, expected) => {
    expect(fateOf(text)).toBe(expected);
  });
});

describe('a language', () => {
  it.each(['en', 'de-at', 'zh-hans-cn', 'zh-cmn-hans-cn', 'sl-rozaj-biske', 'de-1996', 'es-419', 'gsw'])(
    '%s: taken',
    (tag) => {
      expect(fateOf(`"a"@${tag}`)).toBe('ok');
    },
  );

  it.each([
    '',
    'EN',
    'en-GB',
    'e',
    'en-',
    '-en',
    'en-a',
    'en-x-y',
    'abcdefghi',
    'en_gb',
    '1en',
    `en${'-abcde'.repeat(6)}`,
  ])('%j: refused', (tag) => {
    expect(fateOf(`"a"@${tag}`)).toMatch(/^BAD_/);
  });

  it('has no direction', () => {
    expect(fateOf('"a"@ar--rtl')).toBe('BASE_DIRECTION_NOT_ALLOWED 1:7');
  });
});

describe('a datatype', () => {
  it.each([
    ['boolean', 'true', 'false'],
    ['integer', '0', '7', '-7', '123456789012345678901234567890'],
    ['decimal', '0', '95', '-95', '-0.25', '10.01', '100.5'],
    ['dateTime', '2026-06-12T18:25:37Z', '2024-02-29T00:00:00.657Z', '0001-01-01T23:59:59.1Z'],
    ['date', '2026-06-12', '2000-02-29'],
    ['double', '1e0', '1.0E0'],
    ['gYear', '2026'],
  ])('xsd:%s is written %s', (name, ...values) => {
    for (const value of values) expect(fateOf(`"${value}"^^<${XSD}${name}>`), value).toBe('ok');
  });

  it.each([
    ['boolean', '1', 'True', ''],
    ['integer', '+7', '07', '-0', '7.0', ' 7', '', '-', '1e3', '\u0667'],
    ['decimal', '95.0', '95.00', '0.0', '-0', '.5', '5.', '+1.0', '-0.0', '00.5', '1.0e1', '', '-', '.'],
    [
      'dateTime',
      '2026-06-12T18:25:37',
      '2026-06-12T18:25:37+02:00',
      '2026-06-12T18:25:37.0Z',
      '2026-06-12T18:25:37.Z',
      '2026-06-12T24:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '2026-06-12T18:25:60Z',
      '2026-06-12T18:60:00Z',
      '2026-06-12t18:25:37z',
      '-2026-06-12T18:25:37Z',
      '12026-06-12T18:25:37Z',
      '2026-06-12T18:25:37.1234567891Z',
    ],
    ['date', '2026-06-12Z', '2026-6-12', '2026-06-31', '1900-02-29', '2026-06-12T00:00:00Z'],
  ])('xsd:%s is not written %j', (name, ...values) => {
    for (const value of values) expect(fateOf(`"${value}"^^<${XSD}${name}>`), value).toBe('BAD_LEXICAL_FORM 1:1');
  });

  it.each([
    ['"a"^^<http://www.w3.org/2001/XMLSchema#string>', 'BAD_DATATYPE 1:6'],
    ['"a"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>', 'BAD_DATATYPE 1:6'],
    ['"a"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#dirLangString>', 'BAD_DATATYPE 1:6'],
    ['"a"^^<string>', 'RELATIVE_IRI 1:7'],
    ['"a"^^xsd:integer', 'BAD_SYNTAX 1:6'],
    ['"a"^<a:b>', 'BAD_SYNTAX 1:4'],
    ['"a"^^_:b', 'BLANK_NODE_NOT_ALLOWED 1:6'],
    ['5', 'BAD_SYNTAX 1:1'],
    ['true', 'BAD_SYNTAX 1:1'],
  ])('%s: %s', (literal, expected) => {
    expect(fateOf(literal)).toBe(expected);
  });
});

describe('the size of a graph', () => {
  const lines = (count: number): string =>
    canonicalDocument(Array.from({ length: count }, (_, index) => `<a:s> <a:p> "${index}" .`));

  it('is bounded in statements', () => {
    expect(fate(lines(STATEMENTS_MAX))).toBe('ok');
    expect(fate(lines(STATEMENTS_MAX + 1))).toBe(`GRAPH_TOO_LARGE ${STATEMENTS_MAX + 1}:1`);
  });

  it('is bounded in bytes', () => {
    const around = '<a:s> <a:p> "" .\n'.length;
    const filled = (character: string, bytes: number): string =>
      `<a:s> <a:p> "${character.repeat((bytes - around) / Buffer.byteLength(character))}" .\n`;
    expect(fate(filled('x', STATEMENTS_BYTES_MAX))).toBe('ok');
    expect(fate(filled('x', STATEMENTS_BYTES_MAX + 1))).toBe('GRAPH_TOO_LARGE 1:1');
    expect(fate(filled('\u20ac', STATEMENTS_BYTES_MAX + 3))).toBe('GRAPH_TOO_LARGE 1:1');
  });
});
