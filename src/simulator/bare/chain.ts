import { assert, defined } from '../../lib/assert.ts';
import { type Block, blockHash } from '../../model/block.ts';
import type { Certificate } from '../../model/certificate.ts';
import { type Hash, Height } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import { isBodyValid, Overlays } from './abstract-ledger.ts';

/** A final block as a node keeps it. */
export interface StoredBlock {
  readonly block: Block;
  readonly digest: Hash;
  /** Null for a block that a descendant's certificate makes final. */
  readonly certificate: Certificate | null;
}

const BLOCKS_PER_ANSWER = 8;

/** The store of a node, whose newest blocks a crash may take back, and the executions above it. */
export class SimulatedChain {
  readonly overlays = new Overlays();
  readonly #blocks: StoredBlock[];
  readonly #digests = new Map<Hash, StoredBlock>();
  readonly #ids = new Set<Hash>();
  #durable = 1;

  constructor(genesis: StoredBlock) {
    this.#blocks = [genesis];
    this.#digests.set(genesis.digest, genesis);
  }

  get head(): StoredBlock {
    return defined(this.#blocks.at(-1), 'a chain has a genesis');
  }

  get height(): Height {
    return this.head.block.header.height;
  }

  /** Newest last, without the head. */
  ancestors(count: number): { readonly height: Height; readonly digest: Hash }[] {
    return this.#blocks.slice(-1 - count, -1).map(({ block, digest }) => ({ height: block.header.height, digest }));
  }

  digestAt(height: number): Hash | undefined {
    return this.#blocks[height]?.digest;
  }

  has(transaction: Hash): boolean {
    return this.#ids.has(transaction);
  }

  parent(digest: Hash): Block | undefined {
    return digest === this.head.digest ? this.head.block : this.overlays.get(digest);
  }

  judge(block: Block): 'valid' | 'invalid' | 'aborted' {
    const parent = this.parent(block.header.previous);
    if (parent === undefined) return 'aborted';
    const inFlight = this.overlays.idsFrom(block.header.previous);
    const isTaken = (id: Hash): boolean => inFlight.has(id) || this.#ids.has(id);
    return isBodyValid(block.header, block.body, parent.header, isTaken) ? 'valid' : 'invalid';
  }

  append(blocks: readonly Block[], certificate: Certificate): void {
    for (const block of blocks) {
      const digest = blockHash(block.header);
      assert(block.header.previous === this.head.digest, 'a stored block follows the one before');
      const stored: StoredBlock = { block, digest, certificate: digest === certificate.digest ? certificate : null };
      this.#blocks.push(stored);
      this.#digests.set(digest, stored);
      for (const { id } of block.body) {
        assert(!this.#ids.has(id), 'a transaction is in the chain once');
        this.#ids.add(id);
      }
      this.overlays.drop([digest]);
    }
  }

  /** False when it is durable up to there already. */
  makeDurable(height: Height): boolean {
    if (height + 1 <= this.#durable) return false;
    this.#durable = height + 1;
    return true;
  }

  /** Cut where a certificate stands: one transaction of the store writes a certified path. */
  crash(random: () => number): void {
    let length = this.#durable + Math.floor(random() * (this.#blocks.length - this.#durable + 1));
    while (length > this.#durable && this.#blocks[length - 1]?.certificate === null) length -= 1;
    this.#cut(length);
  }

  /** The data directory is lost, the journal is not. */
  wipe(): void {
    this.#cut(1);
  }

  /** An older copy of the store is put back: it had this height. */
  rewind(height: Height): void {
    if (height < this.height) this.#cut(height + 1);
  }

  /** What a copy of the store holds for certain. */
  get durableHeight(): Height {
    return Height(this.#durable - 1);
  }

  #cut(length: number): void {
    for (const { block, digest } of this.#blocks.splice(length)) {
      for (const { id } of block.body) this.#ids.delete(id);
      this.#digests.delete(digest);
    }
    this.#durable = this.#blocks.length;
    this.overlays.clear();
  }

  body(digest: Hash): Message[] {
    const stored = this.#digests.get(digest);
    return stored === undefined ? [] : [{ kind: 'body', block: stored.block }];
  }

  /** Blocks from a height on, up to one that has a certificate of its own. */
  blocksFrom(from: Height, count: number): Message {
    const end = Math.min(this.#blocks.length, from + Math.min(count, BLOCKS_PER_ANSWER));
    for (let last = end - 1; last >= from; last -= 1) {
      const certificate = this.#blocks[last]?.certificate ?? null;
      if (certificate === null) continue;
      return { kind: 'blocks', blocks: this.#blocks.slice(from, last + 1).map(({ block }) => block), certificate };
    }
    return { kind: 'blocks', blocks: [], certificate: null };
  }
}
