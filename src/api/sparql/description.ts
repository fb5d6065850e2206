import type { Triple } from '../../provenance/terms.ts';
import type { SparqlService } from './ask.ts';
import { type Format, GRAPH_FORMATS, ROW_FORMATS } from './negotiate.ts';

const SD = 'http://www.w3.org/ns/sparql-service-description#';
const FORMATS = 'http://www.w3.org/ns/formats/';
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const COMMENT = 'http://www.w3.org/2000/01/rdf-schema#comment';
const STRING = 'http://www.w3.org/2001/XMLSchema#string';

/** Names of formats by the W3C. */
const FORMAT_NAMES: Readonly<Record<string, string>> = {
  'application/sparql-results+json': 'SPARQL_Results_JSON',
  'application/sparql-results+xml': 'SPARQL_Results_XML',
  'text/csv': 'SPARQL_Results_CSV',
  'text/tab-separated-values': 'SPARQL_Results_TSV',
  'text/turtle': 'Turtle',
  'application/n-triples': 'N-Triples',
  'application/n-quads': 'N-Quads',
  'application/trig': 'TriG',
  'application/rdf+xml': 'RDF_XML',
  'application/ld+json': 'JSON-LD',
};

/** What the service at `endpoint` is and takes (SPARQL 1.1 Service Description). */
function descriptionOf(endpoint: string, { deadlineMs, quadsMax }: SparqlService['limits']): readonly Triple[] {
  const dataset = `${endpoint}#dataset`;
  const graph = `${endpoint}#union`;
  const iri = (subject: string, predicate: string, value: string): Triple => ({
    subject,
    predicate,
    object: { kind: 'iri', value },
  });
  const names = [...ROW_FORMATS, ...GRAPH_FORMATS].flatMap(({ mediaType }) => FORMAT_NAMES[mediaType] ?? []);
  const ceiling = quadsMax === null ? '' : `, and the graph at most ${quadsMax} quads`;
  const value = `Queries only. One has ${deadlineMs / 1_000} s${ceiling}.`;
  return [
    iri(endpoint, `${RDF}type`, `${SD}Service`),
    iri(endpoint, `${SD}endpoint`, endpoint),
    iri(endpoint, `${SD}supportedLanguage`, `${SD}SPARQL11Query`),
    iri(endpoint, `${SD}feature`, `${SD}UnionDefaultGraph`),
    ...names.map((name) => iri(endpoint, `${SD}resultFormat`, `${FORMATS}${name}`)),
    { subject: endpoint, predicate: COMMENT, object: { kind: 'literal', value, datatype: STRING, language: '' } },
    iri(endpoint, `${SD}defaultDataset`, dataset),
    iri(dataset, `${RDF}type`, `${SD}Dataset`),
    iri(dataset, `${SD}defaultGraph`, graph),
    iri(graph, `${RDF}type`, `${SD}Graph`),
  ];
}

/** The same in a graph format. Of our own triples only: nothing in them needs an escape. */
export function writeDescription(endpoint: string, limits: SparqlService['limits'], format: Format): string {
  const triples = descriptionOf(endpoint, limits);
  if (format.engine === 'application/ld+json') return jsonLd(triples);
  if (format.engine === 'application/rdf+xml') return rdfXml(triples);
  // Lines of N-Triples are Turtle, TriG and N-Quads as well.
  return triples.map((triple) => `<${triple.subject}> <${triple.predicate}> ${objectLine(triple)} .\n`).join('');
}

function objectLine({ object }: Triple): string {
  return object.kind === 'iri' ? `<${object.value}>` : `"${object.value}"`;
}

function jsonLd(triples: readonly Triple[]): string {
  const nodes = triples.map(({ subject, predicate, object }) => ({
    '@id': subject,
    ...(predicate === `${RDF}type`
      ? { '@type': [object.value] }
      : { [predicate]: [object.kind === 'iri' ? { '@id': object.value } : { '@value': object.value }] }),
  }));
  return `${JSON.stringify(nodes)}\n`;
}

function rdfXml(triples: readonly Triple[]): string {
  const elements = triples.map(({ subject, predicate, object }) => {
    const cut = predicate.lastIndexOf('#') + 1;
    const open = `<p:${predicate.slice(cut)} xmlns:p="${predicate.slice(0, cut)}"`;
    const element =
      object.kind === 'iri'
        ? `${open} rdf:resource="${object.value}"/>`
        : `${open}>${object.value}</p:${predicate.slice(cut)}>`;
    return `<rdf:Description rdf:about="${subject}">${element}</rdf:Description>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF xmlns:rdf="${RDF}">\n${elements.join('')}</rdf:RDF>\n`;
}
