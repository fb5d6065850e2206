import type { StateChange, StateReader } from '../ledger/state.ts';
import { nodeHash, type Page, type PageReader } from '../ledger/state-pages.ts';
import { assert, defined } from '../lib/assert.ts';
import { createBoundedMap } from '../lib/bounded.ts';
import { concat, equalBytes, toHex, utf8 } from '../lib/bytes.ts';
import { crc32c } from '../lib/crc32c.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Header } from '../model/block.ts';
import { encode, u32 } from '../model/codec.ts';
import { type Hash, type Height, hashOfBytes, type Signature, ZERO_HASH } from '../model/ids.ts';
import { BLOCKS_CACHED_MAX } from '../model/limits.ts';
import {
  type BlockBytes,
  blockChanges,
  CorruptionError,
  readBlock,
  readBlockBytes,
  readHeadHeight,
  readHeight,
  readOldest,
  readPlace,
  type StoredBlock,
} from './blocks.ts';
import type { JournalPosition } from './journal.ts';
import { decodeJournalPosition, encodeJournalPosition } from './journal-format.ts';
import type { KeyValue, KeyValueChange, KeyValueReads, StoreError } from './key-value.ts';
import { heightKey, heightOfKey, META, SCHEMA_VERSION, TABLES } from './schema.ts';
import { readPage, stateRows } from './state-rows.ts';
import { historyChanges } from './tickets.ts';

/** A final block with everything that executing it wrote. */
export interface ChainEntry {
  readonly stored: StoredBlock;
  readonly changes: readonly StateChange[];
  readonly pageWrites: ReadonlyMap<string, Page>;
}

export interface CommitOutcome {
  /** Readers of the store see the block. */
  readonly visible: () => void;
  /** A crash of the machine no longer loses it. */
  readonly durable: () => void;
  readonly failed: (error: StoreError) => void;
}

/** Writes under way: what readers of the newest final state must see before the store shows it. */
interface Layer {
  /** The transactions, each with its signature. */
  readonly ids: ReadonlyMap<Hash, Signature>;
  readonly state: ReadonlyMap<string, StateChange>;
  readonly pages: ReadonlyMap<string, Page>;
}

/** A data directory that is whole, as far as anybody knows, and not one for this node: nothing of it is to be mended. */
export class ForeignDataError extends Error {
  override readonly name = 'ForeignDataError';
  readonly code: 'OTHER_CHAIN' | 'UNKNOWN_LAYOUT';

  constructor(code: ForeignDataError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The final chain and the state that it yields: one write transaction for each block. */
export class Chain implements StateReader, PageReader {
  readonly store: KeyValue;
  readonly #layers: Layer[] = [];
  readonly #blocks = createBoundedMap<number, StoredBlock>(BLOCKS_CACHED_MAX);
  #head: Header;
  #headHash: Hash;
  #visibleHead: StoredBlock;

  private constructor(store: KeyValue, head: StoredBlock) {
    this.store = store;
    this.#head = head.header;
    this.#headHash = head.hash;
    this.#visibleHead = head;
  }

  /**
   * Opens what the store holds, or begins a chain with `genesis` in an empty one; the error is of writing genesis.
   *
   * @throws ForeignDataError when the store is of another chain or layout
   * @throws CorruptionError when its newest block does not fit its state
   */
  static open(
    store: KeyValue,
    chainId: Hash,
    genesis: ChainEntry,
    opened: (opened: Result<Chain, StoreError>) => void,
  ): void {
    const height = readHeadHeight(store);
    if (height === undefined) {
      const meta: KeyValueChange[] = [
        { table: TABLES.meta, key: META.schema, value: heightKey(SCHEMA_VERSION) },
        { table: TABLES.meta, key: META.chainId, value: utf8(chainId) },
      ];
      const chain = new Chain(store, genesis.stored);
      chain.#write([genesis], meta, {
        visible: () => undefined,
        durable: () => opened(ok(chain)),
        failed: (error) => opened(err(error)),
      });
      return;
    }
    const schema = store.get(TABLES.meta, META.schema);
    if (schema === undefined || toHex(schema) !== toHex(heightKey(SCHEMA_VERSION))) {
      const found = (schema === undefined ? undefined : heightOfKey(schema)) ?? 'unknown';
      throw new ForeignDataError('UNKNOWN_LAYOUT', `its layout is ${found}, and this version reads ${SCHEMA_VERSION}`);
    }
    if (toHex(store.get(TABLES.meta, META.chainId) ?? new Uint8Array()) !== toHex(utf8(chainId))) {
      throw new ForeignDataError('OTHER_CHAIN', 'the data directory is of another chain: its genesis has another hash');
    }
    const head = defined(readBlock(store, height), 'the newest block can be read');
    const chain = new Chain(store, head);
    if (chain.stateRoot() !== head.header.stateRoot) {
      throw new CorruptionError(`the state does not have the root that block ${height} names`);
    }
    opened(ok(chain));
  }

  get head(): Header {
    return this.#head;
  }

  get headHash(): Hash {
    return this.#headHash;
  }

  /** The newest block that the store shows, which may be a moment behind the head. */
  get visibleHead(): StoredBlock {
    return this.#visibleHead;
  }

  /** Root of the newest final state. */
  stateRoot(): Hash {
    const top = this.page('');
    return top === undefined ? ZERO_HASH : hashOfBytes(nodeHash(top));
  }

  /** A record of the newest final state. */
  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#layers.length > 0) {
      const name = toHex(key);
      for (let index = this.#layers.length - 1; index >= 0; index -= 1) {
        const change = this.#layers[index]?.state.get(name);
        if (change !== undefined) return change.value;
      }
    }
    return this.store.get(TABLES.state, key);
  }

  /** A page of the newest final state tree. */
  page(path: string): Page | undefined {
    for (let index = this.#layers.length - 1; index >= 0; index -= 1) {
      const page = this.#layers[index]?.pages.get(path);
      if (page !== undefined) return page;
    }
    return readPage(this.store, path);
  }

  /** Height from which on every block is stored: 0 in an archive. */
  get oldest(): Height {
    return readOldest(this.store);
  }

  /** A block that the store shows. */
  block(height: number): StoredBlock | undefined {
    const known = this.#blocks.get(height);
    if (known !== undefined) return known;
    const block = readBlock(this.store, height);
    if (block !== undefined) this.#blocks.set(height, block);
    return block;
  }

  /** The same as it is stored, unread. */
  blockBytes(height: number): BlockBytes | undefined {
    return readBlockBytes(this.store, height);
  }

  heightOf(hash: Hash): Height | undefined {
    return readHeight(this.store, hash);
  }

  /** Whether a final block holds a transaction. */
  has(id: Hash): boolean {
    return this.#layers.some(({ ids }) => ids.has(id)) || readPlace(this.store, id) !== undefined;
  }

  /** With which signature a transaction became final: its id does not cover it. */
  signatureOf(id: Hash): Signature | undefined {
    for (const { ids } of this.#layers) {
      const signature = ids.get(id);
      if (signature !== undefined) return signature;
    }
    const place = this.place(id);
    return place === undefined ? undefined : this.block(place.height)?.body[place.index]?.signature;
  }

  /** The block that holds a transaction and the place in it. */
  place(id: Hash): ReturnType<typeof readPlace> {
    return readPlace(this.store, id);
  }

  /**
   * Appends the next blocks, oldest first, in one transaction: blocks that share a certificate come together or not at
   * all, or a crash would leave some without a proof that they are final. The state is the new one from here on, the
   * store shows it a moment later.
   */
  commit(blocks: readonly ChainEntry[], witness: JournalPosition | undefined, outcome: CommitOutcome): void {
    const meta =
      witness === undefined ? [] : [{ table: TABLES.meta, key: META.witness, value: encodeWitness(witness) }];
    for (const { stored } of blocks) {
      const { header, hash } = stored;
      assert(header.height === this.#head.height + 1, `block ${header.height} follows ${this.#head.height}`);
      assert(header.previous === this.#headHash, `block ${header.height} is a child of the head`);
      this.#head = header;
      this.#headHash = hash;
    }
    this.#write(blocks, meta, outcome);
  }

  /** How far the journal was durable when the newest block was stored. */
  witness(): JournalPosition | undefined {
    return readWitness(this.store);
  }

  #write(blocks: readonly ChainEntry[], meta: readonly KeyValueChange[], outcome: CommitOutcome): void {
    const layers = blocks.map(
      ({ stored, changes, pageWrites }): Layer => ({
        ids: new Map(stored.body.map(({ id, signature }) => [id, signature])),
        state: new Map(changes.map((change) => [toHex(change.key), change])),
        pages: pageWrites,
      }),
    );
    // Before layers cover it, what a record was is what the index by state has it under.
    const batch = [...meta, ...this.#rowsOf(blocks, layers)];
    this.#layers.push(...layers);
    this.store.write(batch, {
      visible: () => {
        this.#layers.splice(0, blocks.length);
        for (const { stored } of blocks) {
          this.#blocks.set(stored.header.height, stored);
          this.#visibleHead = stored;
        }
        outcome.visible();
      },
      durable: outcome.durable,
      failed: outcome.failed,
    });
  }

  /** Of the state only as the last block leaves it: pages at the top of the tree change with every block. */
  #rowsOf(blocks: readonly ChainEntry[], layers: readonly Layer[]): readonly KeyValueChange[] {
    const changes = new Map(layers.flatMap(({ state }) => [...state]));
    const pages = new Map(layers.flatMap((layer) => [...layer.pages]));
    return [
      ...blocks.flatMap(({ stored }) => [...blockChanges(stored), ...historyChanges(stored)]),
      ...stateRows([...changes.values()], pages, (key) => this.get(key)),
    ];
  }
}

/** With a checksum: a damaged witness would say that a journal was cut, and end its key. */
function encodeWitness(witness: JournalPosition): Uint8Array {
  const position = encodeJournalPosition(witness);
  return concat(position, encode(u32, crc32c(position)));
}

/**
 * The journal's witness in a data directory, before its chain is opened.
 *
 * @throws CorruptionError when it is damaged
 */
export function readWitness(store: KeyValueReads): JournalPosition | undefined {
  const bytes = store.get(TABLES.meta, META.witness);
  if (bytes === undefined) return undefined;
  const position = bytes.subarray(0, Math.max(0, bytes.length - 4));
  const witness = decodeJournalPosition(position);
  const isSound = witness.ok && equalBytes(encode(u32, crc32c(position)), bytes.subarray(position.length));
  if (!isSound) throw new CorruptionError('the journal witness is damaged');
  return witness.value;
}
