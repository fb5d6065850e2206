import { expect, test } from 'vitest';
import { judgeQuery } from '../../../../src/api/sparql/gate.ts';
import { NO_STATISTICS, type Statistics, statisticsOf } from '../../../../src/api/sparql/statistics.ts';
import { AUDIT_QUESTIONS, PREFIXES } from '../../../support/audit-questions.ts';
import { STATISTICS_CSV } from './statistics.ts';

/** As counted in a generated season of half a million quads. */
const SEASON = statisticsOf(STATISTICS_CSV, 500_121, 1_000);
const TWO_MILLION: Statistics = { ...SEASON, quads: 2_000_000 };
const UNCOUNTED: Statistics = { ...NO_STATISTICS, quads: 500_121 };

function verdict(query: string, statistics = SEASON): string {
  const judged = judgeQuery(`${PREFIXES}${query}`, statistics);
  return judged.ok ? 'runs' : judged.error.code;
}

for (const [name, statistics] of Object.entries({ SEASON, TWO_MILLION, UNCOUNTED })) {
  test(`every question of an auditor may be asked, with ${name}`, () => {
    for (const [question, query] of Object.entries(AUDIT_QUESTIONS)) {
      expect([question, verdict(query, statistics)]).toEqual([question, 'runs']);
    }
  });
}

const TICKET = '<http://localhost/id/ticket/a>';

test.each([
  'SELECT * { ?s ?p ?o } LIMIT 10',
  'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }',
  'SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(ISLITERAL(?o) && CONTAINS(LCASE(STR(?o)), "cup") && LANG(?o) = "") }',
  'SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g',
  'ASK { ?t cf:state cf:Disputed }',
  'SELECT (CONCAT(STR(?n), ", ", REPLACE(STR(?n), "a", "bb")) AS ?label) { ?t schema:ticketNumber ?n } LIMIT 5',
  `DESCRIBE ${TICKET}`,
  `CONSTRUCT { ?v ?p ?o } WHERE { ?v prov:specializationOf ${TICKET} ; ?p ?o }`,
  `SELECT * { ?v prov:specializationOf ${TICKET} ; prov:wasRevisionOf* ?before }`,
  'SELECT * { <http://localhost/id/block/9> cf:previousBlock+ ?b }',
  'SELECT ?n { ?t cf:replaces/prov:specializationOf|^cf:ticket ?n }',
  `SELECT * { ${TICKET} cf:tier ?a . <http://localhost/id/ticket/b> cf:tier ?b }`,
  'SELECT * { VALUES ?t { <http://a/1> <http://a/2> } ?v prov:specializationOf ?t }',
  'SELECT * { ?t schema:ticketNumber ?n FILTER(REGEX(?n, "^hc[0-9a-f]{4}", "i")) }',
  'SELECT * { ?v cf:state cf:Disputed FILTER NOT EXISTS { ?v prov:wasInvalidatedBy ?x } }',
  'SELECT ?t { { SELECT ?t (COUNT(?v) AS ?n) { ?v prov:specializationOf ?t } GROUP BY ?t HAVING (COUNT(?v) > 5) } ?t cf:tier ?tier }',
])('may run: %s', (query) => {
  expect(verdict(query)).toBe('runs');
});

test.each([
  ['three of everything', 'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }'],
  ['two of a kind', 'SELECT * { ?a cf:state ?s . ?b cf:version ?v }'],
  ['two groups', 'SELECT * { { ?a cf:state ?s } { ?b cf:version ?v } }'],
  ['two selects', 'SELECT * { { SELECT ?a { ?a cf:state ?s } } { SELECT ?b { ?b cf:version ?v } } }'],
  ['a union beside', 'SELECT * { ?a cf:state ?s { ?b cf:version ?v } UNION { ?b cf:standing ?v } }'],
  ['an optional beside', 'SELECT * { ?a cf:state ?s OPTIONAL { ?b cf:version ?v } }'],
  ['in a MINUS', 'SELECT * { ?a cf:state ?s MINUS { ?a cf:state ?x . ?b cf:version ?v } }'],
  ['in an EXISTS', 'SELECT * { ?a cf:state ?s FILTER EXISTS { ?b cf:version ?v . ?c cf:tokenEpoch ?e } }'],
  ['in a select EXISTS', 'SELECT (EXISTS { ?b cf:version ?v . ?c cf:tokenEpoch ?e } AS ?x) { ?a cf:state ?s }'],
  ['in GRAPH', 'SELECT * { GRAPH ?g { ?a cf:state ?s } GRAPH ?h { ?b cf:version ?v } }'],
  ['filtered late', 'SELECT * { ?a cf:state ?s . ?b cf:version ?v FILTER(?a = ?b) }'],
  ['a hub', 'SELECT (COUNT(*) AS ?n) { ?a prov:wasAssociatedWith ?x . ?b prov:wasAssociatedWith ?x }'],
  ['a hub by a path', 'SELECT * { ?a prov:wasAssociatedWith/^prov:wasAssociatedWith ?b }'],
  ['any hub', 'SELECT * { ?a ?p ?x . ?b ?p ?x . ?b ?q ?y . ?c ?q ?y }'],
  ['a path from everywhere', 'SELECT (COUNT(*) AS ?n) { ?a cf:previousBlock+ ?b }'],
  ['a star from everywhere', 'SELECT * { ?a (cf:previousBlock|prov:used)* ?b }'],
  ['perhaps a step', 'SELECT * { ?a cf:previousBlock? ?b }'],
  ['a path in a path', 'SELECT * { <http://a/> (cf:previousBlock*/prov:used)+ ?b }'],
  ['any path', 'SELECT * { <http://a/> (!cf:nothing)* ?b }'],
  ['a large expression', `SELECT * { ?t schema:ticketNumber ?n FILTER(REGEX(?n, "${'a?'.repeat(200)}")) }`],
  ['counted repeats', 'SELECT * { ?t schema:ticketNumber ?n FILTER(REGEX(?n, "((a{100}){100}){100}")) }'],
  ['a computed expression', 'SELECT * { ?t schema:ticketNumber ?n FILTER(REGEX(?n, ?n)) }'],
  [
    'much work on every row',
    `SELECT (MAX(${'SHA512('.repeat(28)}STR(?s)${')'.repeat(28)}) AS ?x) (MIN(${'SHA1('.repeat(28)}STR(?o)${')'.repeat(28)}) AS ?y) { ?s ?p ?o }`,
  ],
  [
    'much work on every row of a million',
    `SELECT (MAX(${'SHA512('.repeat(28)}STR(?s)${')'.repeat(28)}) AS ?x) { { ?s ?p ?o } UNION { ?s ?p ?o } UNION { ?s ?p ?o } }`,
  ],
  [
    'a text that doubles',
    `SELECT * { BIND("xx" AS ?a0) ${Array.from({ length: 40 }, (_, i) => `BIND(CONCAT(?a${i}, ?a${i}) AS ?a${i + 1})`).join(' ')} }`,
  ],
  [
    'a text that doubles as it is chosen',
    `SELECT ("xx" AS ?a0) ${Array.from({ length: 40 }, (_, i) => `(CONCAT(?a${i}, "", ?a${i}) AS ?a${i + 1})`).join(' ')} {}`,
  ],
  [
    'a text that is replaced',
    `SELECT * { ?t schema:ticketNumber ?n BIND(REPLACE(REPLACE(?n, ".", "${'x'.repeat(900)}"), ".", "${'y'.repeat(900)}") AS ?x) }`,
  ],
  ['many patterns', `SELECT * { ${Array.from({ length: 60 }, (_, i) => `?a cf:p${i} ?b${i} .`).join(' ')} }`],
  ['a long sum', `SELECT * { FILTER(1${'+1'.repeat(600)}) }`],
  ['many alternatives', `SELECT * { ${'{} UNION '.repeat(60)} {} }`],
  ['deep braces', `SELECT * ${'{'.repeat(3_000)}${'}'.repeat(3_000)}`],
  ['deep brackets', `SELECT * { FILTER(${'('.repeat(40)}1${')'.repeat(40)}) }`],
  ['deep after a quote', `SELECT * { ?s ?p "}}}" ${'{'.repeat(33)}${'}'.repeat(33)} }`],
])('is too expensive: %s', (_, query) => {
  expect(verdict(query)).toBe('QUERY_TOO_EXPENSIVE');
});

test('the same query may run on a graph where it costs little', () => {
  const small = { ...NO_STATISTICS, quads: 400 };
  expect(verdict('SELECT * { ?a cf:state ?s . ?b cf:version ?v }', small)).toBe('runs');
  expect(verdict('SELECT * { ?a cf:previousBlock+ ?b }', small)).toBe('QUERY_TOO_EXPENSIVE');
});

test.each([
  'INSERT DATA { <http://a/> <http://b/> <http://c/> }',
  'DELETE WHERE { ?s ?p ?o }',
  'DELETE { ?s ?p ?o } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }',
  'CLEAR ALL',
  'DROP GRAPH <http://a/>',
  'LOAD <http://a/>',
  'LOAD SILENT <http://a/> INTO GRAPH <http://b/>',
  'CREATE GRAPH <http://a/>',
  'COPY DEFAULT TO <http://a/>',
  '# SELECT * { ?s ?p ?o }\nINSERT DATA { <http://a/> <http://b/> 1 }',
])('changes nothing: %s', (query) => {
  expect(verdict(query)).toBe('READ_ONLY');
});

test.each([
  'SELECT * { SERVICE <http://a/> { ?s ?p ?o } }',
  'SELECT * { ?s ?p ?o OPTIONAL { SERVICE SILENT ?o { ?s ?p ?o } } }',
  'ASK { FILTER EXISTS { SERVICE <http://a/> { ?s ?p ?o } } }',
])('asks no other server: %s', (query) => {
  expect(verdict(query)).toBe('SERVICE_NOT_ALLOWED');
});

test.each([
  ['SELECT * {\n?s ?p }', 'line 2, column 7: unexpected "}"'],
  ['SELECT * {', 'line 1, column 11: the query ends too early'],
  ['', 'there is no query in it; begin with SELECT, CONSTRUCT, ASK or DESCRIBE'],
  ['PREFIX a: <http://a/>', 'there is no query in it; begin with SELECT, CONSTRUCT, ASK or DESCRIBE'],
  ['SELECT * { ?s a:b ?o }', 'line 1, column 15: Unknown prefix: a'],
  ['SELECT * { ?s\n <b> ?o }', 'line 1, column 1: Cannot resolve relative IRI b because no base IRI was set.'],
  ['SELECT * { ?s ?p "x }', 'line 1, column 18: unexpected "\\""'],
  ['SELECT * { ?s ?p <<( ?a ?b ?c )>> }', 'line 1, column 20: unexpected "("'],
  ['INSERT DATA { <http://a/> <http://b/> }', 'line 1, column 39: unexpected "}"'],
])('says where %j is wrong', (query, detail) => {
  const judged = judgeQuery(query, SEASON);
  expect(judged.ok ? 'runs' : judged.error).toMatchObject({ code: 'BAD_QUERY', detail });
});
