import { toHex, utf8 } from '../lib/bytes.ts';
import type { Body, Header } from '../model/block.ts';
import type { Certificate } from '../model/certificate.ts';
import { sha256 } from '../model/hash.ts';
import type { Hash, Height, OrganisationId } from '../model/ids.ts';
import type { Receipt } from '../model/receipt.ts';
import { writeString } from './canonical.ts';
import { describeStatements, describeTransaction, type Place } from './describe.ts';
import { irisUnder } from './iris.ts';
import { dateTime, GraphLines, integer, ref, type Sheet, word } from './lines.ts';
import type { Iri } from './terms.ts';

/** A final block as a node holds it. */
export interface DescribableBlock {
  readonly hash: Hash;
  readonly header: Header;
  readonly body: Body;
  readonly receipts: readonly Receipt[];
  /** Of this block, or of the descendant at `certifiedHeight`; null for genesis. */
  readonly certificate: Certificate | null;
  readonly certifiedHeight: Height;
}

/** What of a genesis document graphs tell. */
export interface Founding {
  readonly iriBase: Iri;
  /** In the order of their seats. */
  readonly authorities: readonly { readonly id: string; readonly organisation: string }[];
  readonly organisations: readonly {
    readonly id: OrganisationId;
    readonly title: string;
    readonly namespace: Iri | null;
  }[];
}

/**
 * Every graph of a block as a canonical N-Quads document: those of its transactions, of what was stated with them, and the
 * block's own, which is derived from what is final and hashed into nothing. Certificates differ from node to node, and so
 * does what the last one says of finalisation.
 */
export function describeBlock(block: DescribableBlock, founding: Founding): readonly string[] {
  const { header, body, receipts } = block;
  const place: Place = { iriBase: founding.iriBase, height: header.height, timestamp: header.timestamp };
  const documents: string[] = [];
  const hashes: string[] = [];
  for (const [index, transaction] of body.entries()) {
    const receipt = receipts[index];
    if (receipt === undefined) continue;
    const described = describeTransaction(place, transaction, receipt);
    const stated = describeStatements(place, transaction, receipt);
    hashes.push(toHex(sha256(utf8(described))));
    documents.push(described, ...(stated === '' ? [] : [stated]));
  }
  documents.push(describeHeader(block, founding, hashes));
  return documents;
}

function describeHeader(block: DescribableBlock, founding: Founding, graphHashes: readonly string[]): string {
  const { hash, header, body } = block;
  const iris = irisUnder(founding.iriBase);
  const name = iris.block(header.height);
  const sheet: Sheet = { iris, graph: new GraphLines(name), activity: ref(iris.finalization(header.height)) };
  const { graph } = sheet;
  const self = ref(name);
  graph.add(self, word('rdf:type'), word('cf:Block'));
  graph.add(self, word('cf:height'), integer(header.height));
  graph.add(self, word('cf:blockHash'), writeString(hash));
  graph.add(self, word('cf:previousHash'), writeString(header.previous));
  graph.add(self, word('cf:stateRoot'), writeString(header.stateRoot));
  graph.add(self, word('cf:receiptsRoot'), writeString(header.receiptsRoot));
  graph.add(self, word('cf:graphRoot'), writeString(header.graphRoot));
  graph.add(self, word('cf:txCount'), integer(header.transactionCount));
  graph.add(self, word('prov:generatedAtTime'), dateTime(header.timestamp));
  if (header.height > 0) graph.add(self, word('cf:previousBlock'), ref(iris.block(header.height - 1)));
  else describeFounding(sheet, founding);
  for (const [index, { id }] of body.entries()) {
    const transaction = ref(iris.transaction(id));
    graph.add(self, word('cf:contains'), transaction);
    graph.add(transaction, word('cf:indexInBlock'), integer(index));
    graph.add(transaction, word('cf:graphHash'), writeString(graphHashes[index] ?? ''));
  }
  describeFinalization(sheet, block, founding);
  return graph.document();
}

function describeFinalization(sheet: Sheet, block: DescribableBlock, { authorities }: Founding): void {
  const { certificate, header, certifiedHeight } = block;
  if (certificate === null) return;
  const { iris, graph, activity } = sheet;
  const self = ref(iris.block(header.height));
  const proposer = authorities[header.proposer];
  if (proposer !== undefined) graph.add(self, word('cf:proposer'), ref(iris.authority(proposer.id)));
  graph.add(self, word('prov:wasGeneratedBy'), activity);
  graph.add(activity, word('rdf:type'), word('cf:Finalization'));
  graph.add(activity, word('cf:view'), integer(certificate.view));
  graph.add(activity, word('cf:certifiedBlock'), ref(iris.block(certifiedHeight)));
  for (const seat of certificate.signers) {
    const signer = authorities[seat];
    if (signer !== undefined) graph.add(activity, word('prov:wasAssociatedWith'), ref(iris.authority(signer.id)));
  }
}

/** Who there was before the first block. */
function describeFounding({ iris, graph }: Sheet, { authorities, organisations }: Founding): void {
  for (const { id, title, namespace } of organisations) {
    const agent = ref(iris.agent(id));
    graph.add(agent, word('rdf:type'), word('cf:Organisation'));
    graph.add(agent, word('cf:title'), writeString(title));
    if (namespace !== null) graph.add(agent, word('cf:namespace'), writeString(namespace));
  }
  for (const [seat, { id, organisation }] of authorities.entries()) {
    const authority = ref(iris.authority(id));
    graph.add(authority, word('rdf:type'), word('cf:Authority'));
    graph.add(authority, word('cf:seat'), integer(seat));
    graph.add(authority, word('prov:actedOnBehalfOf'), ref(iris.agent(organisation)));
  }
}
