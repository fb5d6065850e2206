import { describe, expect, it } from 'vitest';
import { sourceProblem } from '../../../../src/api/problems.ts';
import { readTurtle, type SourceFault } from '../../../../src/api/rdf/read.ts';
import { utf8 } from '../../../../src/lib/bytes.ts';
import { STATEMENTS_MAX, STATEMENTS_SOURCE_BYTES_MAX } from '../../../../src/model/graph-limits.ts';

const XSD = 'http://www.w3.org/2001/XMLSchema#';
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const PREFIX = '@prefix : <http://a.example/> .\n';

interface Asked {
  readonly type?: string;
  readonly base?: string;
}

/** The statements that a document makes, or its fault as `CODE line:column`. */
function read(text: string | Uint8Array, { type = 'text/turtle', base }: Asked = {}): string {
  const result = readTurtle(typeof text === 'string' ? utf8(text) : text, type, base);
  return result.ok ? result.value : `${result.error.code} ${result.error.line ?? '-'}:${result.error.column ?? '-'}`;
}

/** Of one statement about `:s` with `:p`, what its object became. */
function objectOf(object: string): string {
  const text = read(`${PREFIX}:s :p ${object} .`);
  const head = '<http://a.example/s> <http://a.example/p> ';
  return text.startsWith(head) ? text.slice(head.length, -' .\n'.length) : text;
}

describe('Turtle that makes statements', () => {
  it.each<[string, string, string]>([
    ['a single triple', '<a:s> <a:p> <a:o> .', '<a:s> <a:p> <a:o> .\n'],
    ['no white space at all', '<a:s><a:p><a:o>.', '<a:s> <a:p> <a:o> .\n'],
    ['a byte order mark', '\ufeff<a:s> <a:p> <a:o> .', '<a:s> <a:p> <a:o> .\n'],
    ['line ends of every kind', '<a:s>\r\n<a:p>\r<a:o>\n.', '<a:s> <a:p> <a:o> .\n'],
    ['comments', '# one\n<a:s> # two\n<a:p> <a:o#x> . # three', '<a:s> <a:p> <a:o#x> .\n'],
    [
      'a prefix',
      '@prefix p: <http://p.example/#> .\np:s p:p p:o .',
      '<http://p.example/#s> <http://p.example/#p> <http://p.example/#o> .\n',
    ],
    ['the empty prefix', `${PREFIX}:s :p : .`, '<http://a.example/s> <http://a.example/p> <http://a.example/> .\n'],
    ['PREFIX as SPARQL has it', 'PREFIX p: <a:>\np:s p:p p:o .', '<a:s> <a:p> <a:o> .\n'],
    [
      'a prefix that changes',
      '@prefix p: <a:> . p:s p:p p:o . @prefix p: <b:> . p:s p:p p:o .',
      '<a:s> <a:p> <a:o> .\n<b:s> <b:p> <b:o> .\n',
    ],
    [
      '@base',
      '@base <http://a.example/x/y> .\n<s> <#p> <../o> .',
      '<http://a.example/x/s> <http://a.example/x/y#p> <http://a.example/o> .\n',
    ],
    [
      'BASE as SPARQL has it',
      'BASE <http://a.example/>\n<s> <p> <> .',
      '<http://a.example/s> <http://a.example/p> <http://a.example/> .\n',
    ],
    ['predicate lists', '<a:s> <a:p> <a:o> ; <a:q> <a:o> ; .', '<a:s> <a:p> <a:o> .\n<a:s> <a:q> <a:o> .\n'],
    ['object lists', '<a:s> <a:p> <a:b> , <a:a> .', '<a:s> <a:p> <a:a> .\n<a:s> <a:p> <a:b> .\n'],
    ['a for rdf:type', '<a:s> a <a:C> .', `<a:s> <${RDF}type> <a:C> .\n`],
    ['the empty list', '<a:s> <a:p> () .', `<a:s> <a:p> <${RDF}nil> .\n`],
    ['repetition', '<a:s> <a:p> 1, 01 . <a:s> <a:p> +1 .', `<a:s> <a:p> "1"^^<${XSD}integer> .\n`],
    [
      'escapes of local names',
      `${PREFIX}:s :p :a\\~b%41 .`,
      '<http://a.example/s> <http://a.example/p> <http://a.example/a~b%41> .\n',
    ],
    ['escapes in IRIs', '<a:\\u0073> <a:p> <a:\\U0000006F> .', '<a:s> <a:p> <a:o> .\n'],
    [
      'characters beyond ASCII in names',
      `${PREFIX}:s :p :caf\u00e9 .`,
      '<http://a.example/s> <http://a.example/p> <http://a.example/caf\u00e9> .\n',
    ],
  ])('%s', (_, text, statements) => {
    expect(read(text)).toBe(statements);
  });

  it('resolves against the base that it is given', () => {
    expect(read('<> <#p> <o> .', { base: 'http://a.example/t' })).toBe(
      '<http://a.example/t> <http://a.example/t#p> <http://a.example/o> .\n',
    );
  });
});

describe('literals of Turtle', () => {
  it.each([
    ['"a"', '"a"'],
    ["'a'", '"a"'],
    ['"""a "b" c"""', '"a \\"b\\" c"'],
    ["'''a\nb'''", '"a\\nb"'],
    ['"\\t\\u00e9\\U0001F3AB"', '"\\t\u00e9\u{1f3ab}"'],
    ['"e\u0301"', '"\u00e9"'],
    ['"e\\u0301"', '"\u00e9"'],
    [`"a"^^<${XSD}string>`, '"a"'],
    ['"a"@EN-gb', '"a"@en-gb'],
    ['"a"@zh-Hans', '"a"@zh-hans'],
    ['5', `"5"^^<${XSD}integer>`],
    ['+05', `"5"^^<${XSD}integer>`],
    ['-0', `"0"^^<${XSD}integer>`],
    ['95.00', `"95"^^<${XSD}decimal>`],
    ['.50', `"0.5"^^<${XSD}decimal>`],
    ['-0.10', `"-0.1"^^<${XSD}decimal>`],
    [`"5."^^<${XSD}decimal>`, `"5"^^<${XSD}decimal>`],
    [`"-00.0"^^<${XSD}decimal>`, `"0"^^<${XSD}decimal>`],
    ['1e0', `"1e0"^^<${XSD}double>`],
    ['true', `"true"^^<${XSD}boolean>`],
    [`"0"^^<${XSD}boolean>`, `"false"^^<${XSD}boolean>`],
    [`"2026-06-12T20:25:37.50+02:00"^^<${XSD}dateTime>`, `"2026-06-12T18:25:37.5Z"^^<${XSD}dateTime>`],
    [`"2026-01-01T00:30:00-00:45"^^<${XSD}dateTime>`, `"2026-01-01T01:15:00Z"^^<${XSD}dateTime>`],
    [`"2026-12-31T24:00:00.0Z"^^<${XSD}dateTime>`, `"2027-01-01T00:00:00Z"^^<${XSD}dateTime>`],
    [`"0099-03-01T01:00:00+02:00"^^<${XSD}dateTime>`, `"0099-02-28T23:00:00Z"^^<${XSD}dateTime>`],
    [`"2026-06-12"^^<${XSD}date>`, `"2026-06-12"^^<${XSD}date>`],
    ['"e\u0301"^^<a:own>', '"\u00e9"^^<a:own>'],
  ])('%s becomes %s', (object, written) => {
    expect(objectOf(object)).toBe(written);
  });

  it.each([
    ['"2026-06-12T18:25:37"', 'dateTime'],
    ['"2026-06-12T18:25:37+15:00"', 'dateTime'],
    ['"2026-06-12T24:00:01Z"', 'dateTime'],
    ['"2026-02-29T00:00:00Z"', 'dateTime'],
    ['"0001-01-01T00:00:00+01:00"', 'dateTime'],
    ['"9999-12-31T23:59:59-01:00"', 'dateTime'],
    ['"2026-06-12T18:25:37.1234567891Z"', 'dateTime'],
    ['"2026-06-12+02:00"', 'date'],
    ['" 5 "', 'integer'],
    ['"5.0"', 'integer'],
    ['"1e3"', 'decimal'],
    ['"yes"', 'boolean'],
  ])('%s is no xsd:%s without loss', (text, datatype) => {
    expect(objectOf(`${text}^^<${XSD}${datatype}>`)).toBe('BAD_LEXICAL_FORM 2:7');
  });
});

describe('Turtle that is refused', () => {
  it.each<[string, string, string]>([
    ['nothing', '', 'EMPTY_GRAPH -:-'],
    ['prefixes alone', PREFIX, 'EMPTY_GRAPH -:-'],
    ['a blank node as subject', '_:b <a:p> <a:o> .', 'BLANK_NODE_NOT_ALLOWED 1:1'],
    ['a blank node as object', '<a:s> <a:p>\n  _:b .', 'BLANK_NODE_NOT_ALLOWED 2:3'],
    ['an anonymous node', '<a:s> <a:p> [] .', 'BLANK_NODE_NOT_ALLOWED 1:13'],
    ['a property list', '<a:s> <a:p> [ <a:q> 1 ] .', 'BLANK_NODE_NOT_ALLOWED 1:13'],
    ['a list', '<a:s> <a:p> (1 2) .', 'BLANK_NODE_NOT_ALLOWED 1:13'],
    ['a list as subject', '(1) <a:p> <a:o> .', 'BLANK_NODE_NOT_ALLOWED 1:1'],
    ['a triple term', '<a:s> <a:p> <<( <a:s> <a:p> <a:o> )>> .', 'TRIPLE_TERM_NOT_ALLOWED 1:13'],
    ['a reified triple', '<< <a:s> <a:p> <a:o> >> <a:q> 1 .', 'TRIPLE_TERM_NOT_ALLOWED 1:1'],
    ['a reifier', '<a:s> <a:p> <a:o> ~ <a:r> .', 'TRIPLE_TERM_NOT_ALLOWED 1:19'],
    ['an annotation', '<a:s> <a:p> <a:o> {| <a:q> 1 |} .', 'TRIPLE_TERM_NOT_ALLOWED 1:19'],
    ['a base direction', '<a:s> <a:p> "a"@ar--rtl .', 'BASE_DIRECTION_NOT_ALLOWED 1:19'],
    ['a version', '@version "1.2" .\n<a:s> <a:p> <a:o> .', 'VERSION_NOT_ALLOWED 1:1'],
    ['VERSION as SPARQL has it', '<a:s> <a:p> <a:o> .\nVERSION "1.1"', 'VERSION_NOT_ALLOWED 2:1'],
    ['a graph', '<a:g> { <a:s> <a:p> <a:o> }', 'NAMED_GRAPH_NOT_ALLOWED 1:7'],
    ['the word GRAPH', 'GRAPH <a:g> { <a:s> <a:p> <a:o> }', 'NAMED_GRAPH_NOT_ALLOWED 1:1'],
    ['a relative subject', '<s> <a:p> <a:o> .', 'RELATIVE_IRI 1:1'],
    ['a relative object', '<a:s> <a:p>\n <o> .', 'RELATIVE_IRI 2:2'],
    ['the empty IRI', '<a:s> <a:p> <> .', 'RELATIVE_IRI 1:13'],
    ['a relative prefix', '@prefix p: <x#> .\np:s p:p p:o .', 'RELATIVE_IRI 1:12'],
    ['a relative base', '@base <x/> .\n<s> <a:p> <a:o> .', 'RELATIVE_IRI 2:1'],
    ['a relative datatype', '<a:s> <a:p> "a"^^<string> .', 'RELATIVE_IRI 1:18'],
    ['a space in an IRI', '<a:s> <a:p q> <a:o> .', 'BAD_SYNTAX 1:7'],
    ['an escaped space in an IRI', '<a:s> <a:p\\u0020q> <a:o> .', 'BAD_SYNTAX 1:7'],
    ['dots in the path of an IRI', '<a:s> <a:p> <http://a.example/ns/../x> .', 'BAD_IRI 1:13'],
    ['a percent sign in an IRI', '<a:s> <a:p> <a:%> .', 'BAD_IRI 1:13'],
    ['a direction override in an IRI', '<a:s> <a:p> <a:\u202e> .', 'BAD_IRI 1:13'],
    ['an undeclared prefix', '<a:s> <a:p> q:o .', 'BAD_SYNTAX 1:13'],
    ['no full stop', '<a:s> <a:p> <a:o>', 'BAD_SYNTAX 1:18'],
    ['no full stop before the next line', '<a:s> <a:p> <a:o>\n<a:s> <a:q> <a:o> .', 'BAD_SYNTAX 2:1'],
    ['no object', '<a:s> <a:p> .', 'BAD_SYNTAX 1:13'],
    ['a literal as subject', '"s" <a:p> <a:o> .', 'BAD_SYNTAX 1:1'],
    ['a literal as predicate', '<a:s> "p" <a:o> .', 'BAD_SYNTAX 1:7'],
    ['a text without end', '<a:s> <a:p>  # a comment\n  "a .', 'BAD_SYNTAX 2:3'],
    ['a text over two lines', '<a:s> <a:p> "a\nb" .', 'BAD_SYNTAX 1:13'],
    ['an escape that is none', '<a:s> <a:p> "\\x" .', 'BAD_SYNTAX 1:13'],
    ['half a pair as an escape', '<a:s> <a:p> "\\uD83C" .', 'BAD_SYNTAX 1:13'],
    ['a control character', '<a:s> <a:p> "a\\u0007" .', 'BAD_CHARACTER 1:13'],
    ['a direction override', '<a:s> <a:p> "a" , "\u202e" .', 'BAD_CHARACTER 1:19'],
    ['an empty language', '<a:s> <a:p> "a"@ .', 'BAD_SYNTAX 1:16'],
    ['a language that is none', '<a:s> <a:p> "a"@en-abcdefghi .', 'BAD_LANGUAGE 1:16'],
    ['a private language', '<a:s> <a:p> "a"@en-x-y .', 'BAD_LANGUAGE 1:16'],
    ['rdf:langString', `<a:s> <a:p> "a"^^<${RDF}langString> .`, 'BAD_DATATYPE 1:18'],
    ['rdf:dirLangString', `@prefix rdf: <${RDF}> .\n<a:s> <a:p> "a"^^rdf:dirLangString .`, 'BAD_DATATYPE 2:18'],
    ['a variable', '<a:s> <a:p> ?o .', 'BAD_SYNTAX 1:13'],
    ['a formula of N3', '<a:s> <a:p> { <a:s> <a:p> <a:o> } .', 'NAMED_GRAPH_NOT_ALLOWED 1:13'],
    ['= of N3', '<a:s> = <a:o> .', 'BAD_SYNTAX 1:7'],
    ['is and of', '<a:s> is <a:p> of <a:o> .', 'BAD_SYNTAX 1:7'],
    ['RDF/XML', '<?xml version="1.0"?><rdf:RDF/>', 'BAD_SYNTAX 1:1'],
    ['a fault behind wide characters', '<a:s> <a:p> "\u{1f3ab}\u{1f3ab}" , _:b .', 'BLANK_NODE_NOT_ALLOWED 1:20'],
    ['a fault behind a long text', '<a:s> <a:p> """a\nb""" , _:b .', 'BLANK_NODE_NOT_ALLOWED 2:8'],
    ['broken text behind a long text', '<a:s> <a:p> """a\r\nb""" , %% .', 'BAD_SYNTAX 2:8'],
    [
      'too many',
      `<a:s> <a:p> ${Array.from({ length: STATEMENTS_MAX + 1 }, (_, index) => index).join(',')} .`,
      'GRAPH_TOO_LARGE 1:707',
    ],
    ['too much in canonical form', `<a:s> <a:p> "${'x'.repeat(20_000)}" .`, 'GRAPH_TOO_LARGE -:-'],
    ['too much to read', `#${' '.repeat(STATEMENTS_SOURCE_BYTES_MAX)}`, 'GRAPH_TOO_LARGE -:-'],
  ])('%s', (_, text, fault) => {
    expect(read(text)).toBe(fault);
  });

  it('as it is not UTF-8', () => {
    expect(read(Uint8Array.of(0x3c, 0xff, 0x3e))).toBe('BAD_ENCODING -:-');
  });
});

describe('N-Triples', () => {
  const asked = { type: 'application/n-triples' };

  it.each<[string, string, string]>([
    ['a triple', '<a:s> <a:p> "a"@EN .\n', '<a:s> <a:p> "a"@en .\n'],
    ['no final line feed', '<a:s> <a:p> <a:o> .', '<a:s> <a:p> <a:o> .\n'],
    [
      'comments, white space and repetition',
      '# x\n\n  <a:s>\t<a:p>  <a:o>. # y\n<a:s> <a:p> <a:o> .',
      '<a:s> <a:p> <a:o> .\n',
    ],
    ['escapes', '<a:s> <a:p> "\\u00E9\\"" .', '<a:s> <a:p> "\u00e9\\"" .\n'],
    ['lines in any order', '<a:t> <a:p> <a:o> .\n<a:s> <a:p> <a:o> .', '<a:s> <a:p> <a:o> .\n<a:t> <a:p> <a:o> .\n'],
    ['a blank node', '<a:s> <a:p> _:b .', 'BLANK_NODE_NOT_ALLOWED 1:13'],
    ['a triple term', '<a:s> <a:p> <<( <a:s> <a:p> <a:o> )>> .', 'TRIPLE_TERM_NOT_ALLOWED 1:13'],
    ['a base direction', '<a:s> <a:p> "a"@en--ltr .', 'BASE_DIRECTION_NOT_ALLOWED 1:19'],
    ['a version', 'VERSION "1.2"\n<a:s> <a:p> <a:o> .', 'VERSION_NOT_ALLOWED 1:1'],
    ['a relative IRI', '<a:s> <a:p> <o> .', 'RELATIVE_IRI 1:13'],
    ['a relative datatype', '<a:s> <a:p> "a"^^<d> .', 'RELATIVE_IRI 1:18'],
    ['a fourth term', '<a:s> <a:p> <a:o> <a:g> .', 'BAD_SYNTAX 1:19'],
    ['a prefix', '@prefix p: <a:> .', 'BAD_SYNTAX 1:1'],
    ['a number', '<a:s> <a:p> 5 .', 'BAD_SYNTAX 1:13'],
    ['a short type', '<a:s> a <a:o> .', 'BAD_SYNTAX 1:7'],
    ['an apostrophe', "<a:s> <a:p> 'a' .", 'BAD_SYNTAX 1:13'],
    ['a predicate list', '<a:s> <a:p> <a:o> ; <a:q> <a:o> .', 'BAD_SYNTAX 1:19'],
  ])('%s', (_, text, expected) => {
    expect(read(text, asked)).toBe(expected);
  });

  it('do not heed a base', () => {
    expect(read('<s> <a:p> <a:o> .', { ...asked, base: 'http://a.example/' })).toBe('RELATIVE_IRI 1:1');
  });
});

describe('the type of a document', () => {
  it.each([
    ['text/turtle', 'ok'],
    ['Text/Turtle; charset=UTF-8', 'ok'],
    ['text/turtle;charset="utf-8"; version=1.1', 'ok'],
    ['application/n-triples', 'ok'],
    ['application/trig', 'UNSUPPORTED_MEDIA_TYPE'],
    ['application/n-quads', 'UNSUPPORTED_MEDIA_TYPE'],
    ['text/n3', 'UNSUPPORTED_MEDIA_TYPE'],
    ['application/ld+json', 'UNSUPPORTED_MEDIA_TYPE'],
    ['', 'UNSUPPORTED_MEDIA_TYPE'],
    ['text/turtle; charset=latin1', 'BAD_ENCODING'],
    ['text/turtle; version=1.2', 'VERSION_NOT_ALLOWED'],
  ])('%j: %s', (type, expected) => {
    const text = read('<a:s> <a:p> <a:o> .', { type });
    expect(text.startsWith('<a:s>') ? 'ok' : text.split(' ')[0]).toBe(expected);
  });
});

describe('a fault', () => {
  function faultOf(text: string): SourceFault | undefined {
    const result = readTurtle(utf8(text), 'text/turtle');
    return result.ok ? undefined : result.error;
  }

  it('tells people where it is', () => {
    const fault = faultOf('<a:s> <a:p>\n  _:b .');
    expect(fault && sourceProblem(fault)).toEqual({
      code: 'BLANK_NODE_NOT_ALLOWED',
      detail: 'line 2, column 3: blank nodes are not taken: give the node an IRI',
      members: { line: 2, column: 3 },
    });
  });

  it('of the whole document names no place', () => {
    const fault = faultOf('');
    expect(fault && sourceProblem(fault)).toEqual({ code: 'EMPTY_GRAPH', detail: 'there is no statement' });
  });

  it('repeats no more than a little of what was sent, and only what can be printed', () => {
    const fault = faultOf(`<a:s> <a:p> \u001b[31m${'x'.repeat(5_000)} .`);
    expect(fault?.detail).toMatch(/^[\x20-\x7e]{10,160}$/);
  });
});
