import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/model/hash.ts';
import { type Hash, hashOfBytes } from '../../src/model/ids.ts';
import type { BlockGraphs } from '../../src/store/quads.ts';

export const GRAPH_IRI_BASE = 'http://localhost/id/';

const CF = 'https://w3id.org/counterfoil#';
const PROV = 'http://www.w3.org/ns/prov#';
const RDF_TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type';
const XSD = 'http://www.w3.org/2001/XMLSchema#';

/** Graphs of the shape and size of those of a chain: each ticket is issued, validated and consumed, in one block each. */
export function graphBlock(height: number, transactions: number): BlockGraphs {
  const documents: string[] = [];
  const ids: string[] = [];
  for (let index = 0; index < transactions; index += 1) {
    const serial = (height - 1) * transactions + index;
    const id = toHex(sha256(utf8(`transaction ${serial}`)));
    ids.push(id);
    documents.push(transactionGraph(id, { ticket: Math.floor(serial / 3), version: 1 + (serial % 3), height }));
  }
  documents.push(blockGraph(height, ids));
  return { height, hash: graphBlockHash(height), documents };
}

export function graphBlockHash(height: number): Hash {
  return hashOfBytes(sha256(utf8(`block ${height}`)));
}

interface Change {
  readonly ticket: number;
  readonly version: number;
  readonly height: number;
}

const KINDS = ['Issuance', 'Validation', 'Consumption'] as const;
const STATES = ['Issued', 'Validated', 'Consumed'] as const;
const AGENTS = ['boxoffice', 'boxoffice', 'venue'] as const;

function transactionGraph(id: string, { ticket, version, height }: Change): string {
  const tx = iri(`tx/${id}`);
  const name = toHex(sha256(utf8(`ticket ${ticket}`))).slice(0, 20);
  const ticketIri = iri(`ticket/${name}`);
  const versionIri = iri(`ticket/${name}/v/${version}`);
  const at = `"${new Date(1_781_222_400_000 + height * 250).toISOString()}"^^<${XSD}dateTime>`;
  const triples = [
    `${tx} <${RDF_TYPE}> <${CF}${KINDS[version - 1]}>`,
    `${tx} <${CF}ticket> ${ticketIri}`,
    `${tx} <${CF}idempotencyKey> "order-${ticket}-${version}"`,
    `${tx} <${PROV}endedAtTime> ${at}`,
    `${tx} <${PROV}wasAssociatedWith> ${iri(`agent/${AGENTS[version - 1]}`)}`,
    `${versionIri} <${RDF_TYPE}> <${CF}TicketVersion>`,
    `${versionIri} <${PROV}specializationOf> ${ticketIri}`,
    `${versionIri} <${PROV}wasGeneratedBy> ${tx}`,
    `${versionIri} <${CF}version> "${version}"^^<${XSD}integer>`,
    `${versionIri} <${CF}state> <${CF}${STATES[version - 1]}>`,
    `${versionIri} <${CF}standing> <${CF}Good>`,
    `${versionIri} <${CF}tokenEpoch> "0"^^<${XSD}integer>`,
    `${versionIri} <${CF}holderCommitment> "${toHex(sha256(utf8(`holder ${ticket}`)))}"`,
  ];
  if (version === 1) {
    triples.push(
      `${ticketIri} <${RDF_TYPE}> <${CF}Ticket>`,
      `${ticketIri} <${CF}admitsTo> ${iri('event/harbour-cup-final')}`,
      `${ticketIri} <${CF}tier> ${iri(`tier/harbour-cup-final/cat${1 + (ticket % 3)}`)}`,
      `${ticketIri} <${CF}seatLabel> "C${ticket % 97}-${ticket % 41}"`,
    );
  } else {
    const before = iri(`ticket/${name}/v/${version - 1}`);
    triples.push(`${before} <${PROV}wasInvalidatedBy> ${tx}`, `${versionIri} <${PROV}wasRevisionOf> ${before}`);
  }
  if (version === 3) triples.push(`${tx} <${PROV}atLocation> ${iri(`gate/${'abcdef'[ticket % 6]}`)}`);
  return documentOf(triples, tx);
}

function blockGraph(height: number, ids: readonly string[]): string {
  const block = iri(`block/${height}`);
  const hash = (what: string) => `"${toHex(sha256(utf8(`${what} ${height}`)))}"`;
  const triples = [
    `${block} <${RDF_TYPE}> <${CF}Block>`,
    `${block} <${CF}height> "${height}"^^<${XSD}integer>`,
    `${block} <${CF}previousBlock> ${iri(`block/${height - 1}`)}`,
    `${block} <${CF}blockHash> ${hash('block')}`,
    `${block} <${CF}graphRoot> ${hash('graphs')}`,
    `${block} <${CF}stateRoot> ${hash('state')}`,
    `${block} <${CF}proposer> ${iri(`agent/${AGENTS[height % 3]}`)}`,
    ...ids.map((id) => `${block} <${CF}contains> ${iri(`tx/${id}`)}`),
    ...ids.map((id) => `${iri(`tx/${id}`)} <${CF}graphHash> "${toHex(sha256(utf8(`graph ${id}`)))}"`),
  ];
  return documentOf(triples, block);
}

function iri(path: string): string {
  return `<${GRAPH_IRI_BASE}${path}>`;
}

function documentOf(triples: readonly string[], graph: string): string {
  return triples
    .map((triple) => `${triple} ${graph} .\n`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('');
}
