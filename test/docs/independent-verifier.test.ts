import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blockLayout } from '../../src/model/block.ts';
import { certificateLayout } from '../../src/model/certificate.ts';
import { encode } from '../../src/model/codec.ts';
import type { ChainEntry } from '../../src/store/chain.ts';
import { startDevnet } from '../cluster/support/devnet.ts';
import { endPrograms } from '../cluster/support/program.ts';
import { ChainGenerator } from '../support/chain-generator.ts';
import { memoryStore } from '../support/stores.ts';
import { checkTransaction, isFinal, merkleRoot, readBlock, readHeader, type Trust, trustIn } from './verifier.ts';

const BLOCKS = 12;

interface Bytes {
  readonly block: Buffer;
  readonly certificate: Buffer;
}

/** The chain as bytes, so that nothing of the program is left in it. Of blocks under one certificate each has that one. */
function bytesOf({ stored }: ChainEntry): Bytes {
  if (stored.certificate === null) throw new Error('a block without a certificate');
  return {
    block: Buffer.from(encode(blockLayout, { header: stored.header, body: stored.body })),
    certificate: Buffer.from(encode(certificateLayout, stored.certificate)),
  };
}

/** What is wrong with a chain, as section 8 of the page has it (steps 1 to 4). */
function faultOf(trust: Trust, chain: readonly Bytes[]): string | undefined {
  let previous = trust.genesisHash;
  const read = chain.map(({ block, certificate }) => ({ ...readBlock(block), certificate }));
  for (const [index, { header, transactions, certificate }] of read.entries()) {
    if (!header.chainId.equals(trust.chainId)) return `block ${index + 1} is of another chain`;
    if (header.height !== index + 1 || !header.previous.equals(previous)) return `block ${index + 1} does not follow`;
    if (!read.slice(index).some((later) => isFinal(trust, later.header, certificate)))
      return `${index + 1} is not final`;
    if (transactions.length !== header.transactionCount) return `block ${index + 1} has another number of transactions`;
    if (!merkleRoot(transactions).equals(header.transactionsRoot)) return `block ${index + 1} has another body`;
    if (!transactions.every((bytes) => checkTransaction(trust, bytes).valid)) return `a signature in ${index + 1}`;
    previous = header.hash;
  }
  return undefined;
}

function withFlippedBit(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('a verifier that knows the page alone', () => {
  let trust: Trust;
  let chain: readonly Bytes[];
  let generator: ChainGenerator;

  beforeAll(async () => {
    generator = await ChainGenerator.open(memoryStore(), { seed: 7, transactions: 5 });
    chain = (await generator.grow(BLOCKS, 'keep')).map(bytesOf);
    trust = trustIn(generator.genesisBytes);
  });

  it('derives the chain id, the authority set and block 0, its state included, from the document', () => {
    expect(trust.chainId.toString('hex')).toBe(generator.genesis.chainId);
    expect(trust.genesisHash.toString('hex')).toBe(generator.chain.block(0)?.hash);
  });

  it('finds a whole chain in order, and the ids of its transactions', () => {
    expect(chain.length).toBeGreaterThanOrEqual(BLOCKS);
    expect(faultOf(trust, chain)).toBeUndefined();
    for (const [index, { block }] of chain.entries()) {
      const ids = readBlock(block).transactions.map((bytes) => checkTransaction(trust, bytes).id.toString('hex'));
      expect(ids).toEqual(generator.chain.block(index + 1)?.body.map(({ id }) => id));
    }
  });

  it.each([
    ['the height of a header', (bytes: Bytes) => ({ ...bytes, block: withFlippedBit(bytes.block, 40) })],
    ['the state root of a header', (bytes: Bytes) => ({ ...bytes, block: withFlippedBit(bytes.block, 140) })],
    ['a transaction', (bytes: Bytes) => ({ ...bytes, block: withFlippedBit(bytes.block, bytes.block.length - 1) })],
    ['a vote', (bytes: Bytes) => ({ ...bytes, certificate: withFlippedBit(bytes.certificate, 70) })],
    ['the phase of a certificate', (bytes: Bytes) => ({ ...bytes, certificate: withFlippedBit(bytes.certificate, 0) })],
  ])('notices when a bit of %s is another one', (_what, change) => {
    const changed = chain.map((bytes, index) => (index === 5 ? change(bytes) : bytes));
    expect(faultOf(trust, changed)).toBeDefined();
  });

  it('does not take fewer votes than a quorum', () => {
    const [first] = chain;
    if (first === undefined) throw new Error('there is a block');
    const { header } = readBlock(first.block);
    const last = chain
      .map(({ block }) => readBlock(block).header)
      .find((one) => isFinal(trust, one, first.certificate));
    expect(last?.height).toBeGreaterThanOrEqual(header.height);
    const thinned = Buffer.from(first.certificate.subarray(0, -64));
    const map = thinned.readUInt32BE(57);
    thinned.writeUInt32BE(map & ~(1 << (31 - Math.clz32(map))), 57);
    expect(last === undefined || isFinal(trust, last, thinned)).toBe(false);
  });
});

interface HeaderJson {
  readonly [name: string]: string | number;
}

/** The bytes of a header from what a node says over HTTP. */
function headerBytes(json: HeaderJson): Buffer {
  const hex = (name: string): Buffer => Buffer.from(`${json[name]}`, 'hex');
  const whole = (name: string, bytes: number): Buffer =>
    Buffer.from(
      BigInt(json[name] ?? -1)
        .toString(16)
        .padStart(2 * bytes, '0'),
      'hex',
    );
  const time = Buffer.from(Date.parse(`${json['timestamp']}`).toString(16).padStart(16, '0'), 'hex');
  return Buffer.concat([
    ...[whole('version', 1), hex('chain_id'), whole('height', 8), whole('epoch', 8), whole('view', 8)],
    ...[hex('previous'), time, whole('proposer', 1), hex('transactions_root'), whole('transaction_count', 4)],
    ...[hex('state_root'), hex('receipts_root'), hex('graph_root'), hex('authorities_hash')],
    hex('next_authorities_hash'),
  ]);
}

interface CertificateJson {
  readonly epoch: number;
  readonly view: number;
  readonly height: number;
  readonly digest: string;
  readonly signatures: readonly { readonly seat: number; readonly signature: string }[];
}

function certificateBytes({ epoch, view, height, digest, signatures }: CertificateJson): Buffer {
  const numbers = Buffer.alloc(24);
  [epoch, view, height].forEach((value, index) => {
    numbers.writeBigUInt64BE(BigInt(value), 8 * index);
  });
  const map = Buffer.alloc(4);
  map.writeUInt32BE(signatures.reduce((bits, { seat }) => bits | (1 << seat), 0));
  const signed = signatures.map(({ signature }) => Buffer.from(signature, 'hex'));
  return Buffer.concat([Buffer.of(1), numbers, Buffer.from(digest, 'hex'), map, ...signed]);
}

describe('what a running node says over HTTP', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'counterfoil-docs-'));
  });
  afterEach(endPrograms);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('can be checked with the page: genesis, headers, links and certificates', async () => {
    const net = await startDevnet(directory, ['--tickets', '5']);
    const ask = async <T>(path: string): Promise<T> => (await (await fetch(net.url + path)).json()) as T;
    const document = new Uint8Array(await (await fetch(`${net.url}/api/v1/genesis`)).arrayBuffer());
    const trust = trustIn(document);
    expect(trust.chainId.toString('hex')).toBe(net.chain_id);
    const { head } = await ask<{ head: { height: number } }>('/api/v1/status');
    expect(head.height).toBeGreaterThan(1);
    let previous = trust.genesisHash;
    for (let height = 1; height <= head.height; height += 1) {
      const block = await ask<{ hash: string; header: HeaderJson }>(`/api/v1/blocks/${height}`);
      const header = readHeader(headerBytes(block.header));
      expect(header.hash.toString('hex')).toBe(block.hash);
      expect(header.previous.equals(previous)).toBe(true);
      const { certificate, path } = await ask<{ certificate: CertificateJson; path: readonly HeaderJson[] }>(
        `/api/v1/blocks/${height}/certificate`,
      );
      let last = header;
      for (const json of path) {
        const next = readHeader(headerBytes(json));
        expect(next.previous.equals(last.hash)).toBe(true);
        last = next;
      }
      expect(isFinal(trust, last, certificateBytes(certificate))).toBe(true);
      previous = header.hash;
    }
    net.program.child.kill('SIGTERM');
    await net.program.ended;
  });
});
