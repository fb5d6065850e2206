import type { ExecutedBlock } from '../ledger/execute.ts';
import { executeBlock, storedState } from '../ledger/execute.ts';
import { foundLedger, type Genesis } from '../ledger/genesis.ts';
import type { StateChange } from '../ledger/state.ts';
import type { Page } from '../ledger/state-pages.ts';
import { assert, defined } from '../lib/assert.ts';
import { toHex } from '../lib/bytes.ts';
import { type AuthoritySet, authoritySetHash, primaryIndex } from '../model/authorities.ts';
import { type Block, blockHash, HEADER_VERSION, type Header, transactionsRoot } from '../model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate } from '../model/certificate.ts';
import { type Hash, Height, Timestamp, View, ZERO_HASH } from '../model/ids.ts';
import type { Receipt } from '../model/receipt.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../model/transaction.ts';
import type { Signer } from '../node/ports.ts';
import { below, chance } from './draw.ts';
import { type Intent, operationOf } from './intent.ts';

/** The hand of a key, by its name: `NODE/authority` or `ORGANISATION/operator`. */
export type SignerOf = (name: string) => Signer;

/** A transaction of the recorded chain, and where it is. */
export interface Recorded {
  readonly intent: Intent;
  readonly transaction: Transaction;
  readonly receipt: Receipt;
  readonly height: Height;
  readonly index: number;
  /** Of its block. */
  readonly timestamp: Timestamp;
}

/** A final block, with what its transactions were to do. */
export interface RecordedBlock extends Block {
  readonly hash: Hash;
  readonly receipts: readonly Receipt[];
  readonly certificate: Certificate;
  readonly certifiedHeight: Height;
  readonly recorded: readonly Recorded[];
}

/** Steps within so long of each other are in one block. */
const SLOT_MS = 10_000;
/** Of one block; there is room for the tickets of as many orders. */
const BLOCK_STEPS_MAX = 400;
const LIFE_MS = 60_000;
/** One block in so many is proposed in a new view, and so by the next authority. */
const VIEW_CHANGE = 1 / 40;
const ONE_SIGNER_MISSING = 0.1;

/** Executes and signs a chain, one block after another, with nothing but its own memory. */
export class Recorder {
  readonly #genesis: Genesis;
  readonly #set: AuthoritySet;
  readonly #setHash: Hash;
  readonly #signers = new Map<string, Signer>();
  readonly #signerOf: SignerOf;
  readonly #records = new Map<string, Uint8Array>();
  readonly #pages = new Map<string, Page>();
  readonly #ids = new Set<Hash>();
  readonly #idOf = new Map<string, Hash>();
  #head: { readonly header: Header; readonly hash: Hash };
  #nonce = 0;

  constructor(genesis: Genesis, signerOf: SignerOf) {
    const { header, set, changes, pageWrites } = foundLedger(genesis);
    this.#genesis = genesis;
    this.#set = set;
    this.#setHash = authoritySetHash(set);
    this.#signerOf = signerOf;
    this.#head = { header, hash: blockHash(header) };
    this.#keep(changes, pageWrites);
  }

  get head(): { readonly height: Height; readonly hash: Hash } {
    return { height: this.#head.header.height, hash: this.#head.hash };
  }

  /** @param intents in the order of their time */
  *blocks(intents: readonly Intent[]): Generator<RecordedBlock> {
    const slotOf = ({ at }: Intent): number => Math.floor(at / SLOT_MS);
    for (let from = 0; from < intents.length; ) {
      const slot = slotOf(defined(intents[from], 'there is a next step'));
      let until = from + 1;
      const isNext = (next: Intent | undefined): boolean => next !== undefined && slotOf(next) === slot;
      while (until - from < BLOCK_STEPS_MAX && isNext(intents[until])) until += 1;
      const time = this.#genesis.created + (slot + 1) * SLOT_MS;
      const timestamp = Timestamp(Math.max(time, this.#head.header.timestamp + 1));
      yield this.#append(intents.slice(from, until), timestamp);
      from = until;
    }
  }

  #append(intents: readonly Intent[], timestamp: Timestamp): RecordedBlock {
    const body = intents.map((intent) => this.#seal(intent, timestamp));
    const height = Height(this.#head.header.height + 1);
    const executed = this.#execute(body, height, timestamp);
    const header = this.#headerOf(body, executed, { height, timestamp });
    const hash = blockHash(header);
    const recorded = intents.map((intent, index): Recorded => {
      const transaction = defined(body[index], 'every step is signed');
      const receipt = defined(executed.receipts[index], 'every transaction has a receipt');
      return { intent, transaction, receipt, height, index, timestamp };
    });
    this.#keep(executed.changes, executed.pageWrites);
    for (const { id } of body) this.#ids.add(id);
    this.#head = { header, hash };
    const certificate = this.#certify(header, hash);
    return { header, body, hash, receipts: executed.receipts, certificate, certifiedHeight: height, recorded };
  }

  #seal(intent: Intent, timestamp: Timestamp): Transaction {
    const { organisation, idempotencyKey } = intent;
    const signer = this.#signer(`${organisation}/operator`);
    this.#nonce += 1;
    const body = {
      chainId: this.#genesis.chainId,
      organisation,
      signer: signer.publicKey,
      expiresAt: Timestamp(timestamp + LIFE_MS),
      nonce: this.#nonce,
      idempotencyKey,
      operation: operationOf(intent, this.#idOf),
      statements: null,
    };
    const sealed = sealTransaction(body, signer.sign(transactionSigningBytes(body)));
    if (!this.#idOf.has(idempotencyKey)) this.#idOf.set(idempotencyKey, sealed.id);
    return sealed;
  }

  #execute(body: readonly Transaction[], height: Height, timestamp: Timestamp): ExecutedBlock {
    const { chainId, iriBase, parameters } = this.#genesis;
    const records = { get: (key: Uint8Array) => this.#records.get(toHex(key)) };
    const pages = { page: (path: string) => this.#pages.get(path) };
    const parent = storedState(records, pages, this.#head.header.stateRoot);
    const context = { height, timestamp, chainId, iriBase, parameters, parent, recentIds: this.#ids };
    const executed = executeBlock(context, body);
    assert(executed.ok, `the sample is valid, block ${height}: ${executed.ok || JSON.stringify(executed.error)}`);
    return executed.value;
  }

  #headerOf(
    body: readonly Transaction[],
    { stateRoot, receiptsRoot, graphRoot }: ExecutedBlock,
    { height, timestamp }: Pick<Header, 'height' | 'timestamp'>,
  ): Header {
    const { header: parent, hash } = this.#head;
    const view = View(parent.view + (chance(VIEW_CHANGE, 'view', height) ? 1 : 0));
    return {
      version: HEADER_VERSION,
      chainId: this.#genesis.chainId,
      height,
      epoch: this.#set.epoch,
      view,
      previous: hash,
      timestamp,
      proposer: primaryIndex(this.#set, view),
      transactionsRoot: transactionsRoot(body),
      transactionCount: body.length,
      stateRoot,
      receiptsRoot,
      graphRoot,
      authoritiesHash: this.#setHash,
      nextAuthoritiesHash: ZERO_HASH,
    };
  }

  /** Now and then one authority is away; never two, which four could not do without. */
  #certify({ epoch, view, height }: Header, digest: Hash): Certificate {
    const { authorities } = this.#set;
    const ballot: Ballot = { phase: 'COMMIT', epoch, view, height, digest };
    const message = ballotSigningBytes(this.#genesis.chainId, ballot);
    const away = chance(ONE_SIGNER_MISSING, 'away', height) ? below(authorities.length, 'who is away', height) : -1;
    const present = authorities.flatMap(({ id }, seat) => (seat === away ? [] : [{ id, seat }]));
    return {
      ...ballot,
      signers: present.map(({ seat }) => seat),
      signatures: present.map(({ id }) => this.#signer(`${id}/authority`).sign(message)),
    };
  }

  #signer(name: string): Signer {
    const known = this.#signers.get(name) ?? this.#signerOf(name);
    this.#signers.set(name, known);
    return known;
  }

  #keep(changes: readonly StateChange[], pageWrites: ReadonlyMap<string, Page>): void {
    for (const { key, value } of changes) this.#records.set(toHex(key), value);
    for (const [path, page] of pageWrites) this.#pages.set(path, page);
  }
}
