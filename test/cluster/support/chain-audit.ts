import { deepStrictEqual } from 'node:assert/strict';
import type { BlockAnswer, CertificateAnswer, HeaderAnswer } from '../../../src/client/answers.ts';
import type { Answered } from '../../../src/client/call.ts';
import { foundLedger, type Genesis, genesisSet } from '../../../src/ledger/genesis.ts';
import { defined } from '../../../src/lib/assert.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import { certifies, isCertificateValid, type Jurisdiction } from '../../../src/model/certificate.ts';
import { Epoch, Hash, Height, Signature, Timestamp, View } from '../../../src/model/ids.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import type { NodeProcess } from './node-process.ts';
import { IS_LONG } from './until.ts';

/** A node that can be asked. */
type Asked = Pick<NodeProcess, 'name' | 'client'>;

/** One block as one node serves it. */
interface ServedBlock {
  readonly block: BlockAnswer;
  readonly certificate: CertificateAnswer;
}

/** The law under which a chain is judged here: its genesis and the product's rule for signatures, no node's word. */
export function jurisdictionOf(genesis: Genesis): Jurisdiction {
  return { chainId: genesis.chainId, authorities: genesisSet(genesis), check: createSignatureCheck() };
}

/** What a call brought. @throws with the node's own words when it failed */
export function value<T>(answered: Answered<T>): T {
  if (answered.ok) return answered.value;
  const { code, detail, status } = answered.error;
  throw new Error(`${status ?? 'no answer'} ${code}: ${detail}`);
}

/** A long chain is looked at through all nodes, and in full through one node or another, block by block. */
const FULL_BLOCKS_MAX = IS_LONG ? Number.POSITIVE_INFINITY : 60;
const REQUESTS_AT_ONCE = 16;

/**
 * Fetches every block up to `height` from the nodes and checks that all serve the same ones, that they are linked from
 * genesis on, and that the nodes' certificates prove them under the authorities of genesis. Of a long chain each node
 * shows every header, and each block and certificate comes from one of them.
 *
 * @returns the blocks, the one at height 1 first
 * @throws at the first thing that does not hold
 */
export async function auditChain(
  nodes: readonly Asked[],
  genesis: Genesis,
  height: number,
): Promise<readonly BlockAnswer[]> {
  const jurisdiction = jurisdictionOf(genesis);
  if (height > FULL_BLOCKS_MAX) return await auditLongChain(nodes, genesis, height);
  const chains = await Promise.all(nodes.map((node) => fetchChain(() => node, height)));
  const [first = []] = chains;
  for (const [index, chain] of chains.entries()) {
    const { name } = defined(nodes[index], 'each chain is of a node');
    for (const [at, served] of chain.entries()) {
      deepStrictEqual(served.block, first[at]?.block, `${name} serves another block ${at + 1} than ${nodes[0]?.name}`);
    }
    checkChain(chain, genesis, jurisdiction, name);
  }
  return first.map(({ block }) => block);
}

async function auditLongChain(
  nodes: readonly Asked[],
  genesis: Genesis,
  height: number,
): Promise<readonly BlockAnswer[]> {
  const one = (at: number): Asked => defined(nodes[at % nodes.length], 'there is a node to ask');
  const chain = await fetchChain(one, height);
  checkChain(chain, genesis, jurisdictionOf(genesis), 'some node');
  for (const { name, client } of nodes) {
    for (let before = height + 1; before > 1; before -= 500) {
      for (const { hash, header } of value(await client.blocks({ limit: 500, before })).blocks) {
        const expected = header.height === 0 ? undefined : chain[header.height - 1]?.block.hash;
        must(header.height === 0 || hash === expected, `${name} has another block ${header.height}`);
      }
    }
  }
  return chain.map(({ block }) => block);
}

async function fetchChain(nodeAt: (height: number) => Asked, height: number): Promise<readonly ServedBlock[]> {
  const served: ServedBlock[] = [];
  let next = 1;
  const lane = async (): Promise<void> => {
    for (let at = next; at <= height; at = next) {
      next += 1;
      const { client } = nodeAt(at);
      const [block, certificate] = await Promise.all([client.block(at), client.certificate(at)]);
      served[at - 1] = { block: value(block), certificate: value(certificate) };
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
  return served;
}

function checkChain(chain: readonly ServedBlock[], genesis: Genesis, jurisdiction: Jurisdiction, name: string): void {
  const first = foundLedger(genesis).header;
  let parent = { ...first, hash: blockHash(first) };
  const ids = new Set<string>();
  for (const { block, certificate } of chain) {
    const header = headerOf(block.header);
    const at = `block ${header.height} of ${name}`;
    const hash = blockHash(header);
    must(hash === block.hash, `${at} does not have the hash that it is served with`);
    must(header.height === parent.height + 1 && header.previous === parent.hash, `${at} does not follow its parent`);
    must(header.timestamp > parent.timestamp, `${at} is not later than its parent`);
    must(header.chainId === genesis.chainId, `${at} is of another chain`);
    must(header.transactionCount === block.transactions.length, `${at} does not have the transactions it counts`);
    for (const { id } of block.transactions) {
      must(!ids.has(id), `transaction ${id} is in the chain twice`);
      ids.add(id);
    }
    checkCertificate(header, certificate, jurisdiction, at);
    parent = { ...header, hash };
  }
}

function checkCertificate(header: Header, answer: CertificateAnswer, jurisdiction: Jurisdiction, at: string): void {
  const { phase, epoch, view, height, digest, signatures } = answer.certificate;
  must(phase === 'COMMIT', `${at} is shown as final by a ${phase}`);
  let last = header;
  for (const next of answer.path.map(headerOf)) {
    must(next.previous === blockHash(last), `the path from ${at} to its certificate has a gap`);
    last = next;
  }
  const certificate = {
    phase,
    epoch: Epoch(epoch),
    view: View(view),
    height: Height(height),
    digest: Hash(digest),
    signers: signatures.map(({ seat }) => seat),
    signatures: signatures.map(({ signature }) => Signature(signature)),
  };
  const isOfIt = certifies(certificate, last, blockHash(last), jurisdiction.authorities);
  must(isOfIt, `the certificate of ${at} is of another block`);
  must(isCertificateValid(certificate, jurisdiction), `the certificate of ${at} is not valid`);
}

function headerOf(answer: HeaderAnswer): Header {
  return {
    version: answer.version,
    chainId: Hash(answer.chain_id),
    height: Height(answer.height),
    epoch: Epoch(answer.epoch),
    view: View(answer.view),
    previous: Hash(answer.previous),
    timestamp: Timestamp(Date.parse(answer.timestamp)),
    proposer: answer.proposer,
    transactionsRoot: Hash(answer.transactions_root),
    transactionCount: answer.transaction_count,
    stateRoot: Hash(answer.state_root),
    receiptsRoot: Hash(answer.receipts_root),
    graphRoot: Hash(answer.graph_root),
    authoritiesHash: Hash(answer.authorities_hash),
    nextAuthoritiesHash: Hash(answer.next_authorities_hash),
  };
}

function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Seats whose votes are in the certificate that a node holds of a block. */
export async function signersAt(node: Asked, height: number): Promise<readonly number[]> {
  const { certificate } = value(await node.client.certificate(height));
  return certificate.signatures.map(({ seat }) => seat);
}

/** Every ticket of a chain by its id, as one node lists them. */
export async function ticketsOf(node: Asked): Promise<ReadonlyMap<string, { state: string; version: number }>> {
  const tickets = new Map<string, { state: string; version: number }>();
  let cursor: string | undefined;
  do {
    const page = value(await node.client.tickets({ limit: 500, ...(cursor === undefined ? {} : { cursor }) }));
    for (const { id, state, version } of page.tickets) tickets.set(id, { state, version });
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return tickets;
}
