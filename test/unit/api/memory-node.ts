import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type {
  FinalBlock,
  NodeEvent,
  NodeStatus,
  NotAdmitted,
  Operator,
  Reader,
  Seed,
  Submit,
  Submitted,
} from '../../../src/api/ports.ts';
import { applyTransaction } from '../../../src/ledger/apply.ts';
import { tierKey } from '../../../src/ledger/records.ts';
import { Overlay } from '../../../src/ledger/state.ts';
import { defined } from '../../../src/lib/assert.ts';
import { toHex, utf8 } from '../../../src/lib/bytes.ts';
import { blockHash, HEADER_VERSION, type Header, transactionsRoot } from '../../../src/model/block.ts';
import type { Evidence } from '../../../src/model/evidence.ts';
import {
  Epoch,
  EventId,
  Hash,
  Height,
  OrganisationId,
  PublicKey,
  Signature,
  TicketId,
  TierId,
  Timestamp,
  View,
  ZERO_HASH,
} from '../../../src/model/ids.ts';
import type { Operation } from '../../../src/model/operation.ts';
import type { Receipt, Refusal } from '../../../src/model/receipt.ts';
import type { TicketChange } from '../../../src/model/ticket.ts';
import {
  type Intent,
  operationHash,
  parseTransaction,
  sealTransaction,
  type Transaction,
  transactionSigningBytes,
} from '../../../src/model/transaction.ts';
import type { LastingHalt } from '../../../src/store/halt.ts';
import type { TicketEvent } from '../../../src/store/tickets.ts';
import { MemoryPeers } from './memory-peers.ts';
import { MemoryProofs } from './memory-proofs.ts';

/** 2026-06-12T18:00:00Z. */
const START = 1_781_287_200_000;
export const CHAIN_ID = Hash('c0'.repeat(32));
export const GENESIS_BYTES = utf8('{"chain":"of the tests"}\n');

/** One key pair that signs transactions for an organisation. */
function createKey(): { readonly publicKey: PublicKey; readonly sign: (message: Uint8Array) => Signature } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey: PublicKey(toHex(new Uint8Array(raw))),
    sign: (message) => Signature(toHex(new Uint8Array(signBytes(null, message, privateKey)))),
  };
}

/**
 * A node for the tests of its surface: one organisation, one block for each transaction, final at once, all in memory.
 * It executes as the ledger does, asks nobody for roles, and can be told to be in trouble.
 */
export class MemoryNode {
  readonly key = createKey();
  readonly peers = new MemoryPeers();
  readonly proofs = new MemoryProofs();
  readonly blocks: FinalBlock[] = [];
  readonly tickets = new Set<TicketId>();
  readonly versions = new Map<TicketId, TicketEvent[]>();
  readonly pending = new Map<Hash, Transaction>();
  readonly convicted: { evidence: Evidence; authority: string }[] = [];
  halt: LastingHalt | null = null;
  /** What the next submissions meet. */
  trouble: NotAdmitted | 'never-final' | 'throws' | null = null;
  isReady = true;
  /** Whose transactions these are. */
  organisation = OrganisationId('boxoffice');
  /** What the next transaction is refused with, whatever it says. */
  refuseNext: Refusal | null = null;
  /** Like a node that learns of an earlier use of a key only from the chain. */
  forgetsKeys = false;
  /** Holds submissions back for as long as it takes. */
  beforeSubmit: () => Promise<void> = () => Promise.resolve();
  /** Blocks below are gone, as after pruning. */
  keptFrom = 0;
  #now = START;
  #nonce = 0;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #transactions = new Map<Hash, { readonly height: Height; readonly index: number }>();
  readonly #keys = new Map<string, Hash>();
  readonly #state = cup(OrganisationId('boxoffice'));

  constructor() {
    this.addBlock([]);
  }

  get head(): FinalBlock {
    return defined(this.blocks.at(-1), 'there is always genesis');
  }

  addBlock(body: readonly Transaction[]): FinalBlock {
    const previous = this.blocks.at(-1);
    const height = Height(this.blocks.length);
    this.#now += 1_000;
    const header: Header = {
      version: HEADER_VERSION,
      chainId: CHAIN_ID,
      height,
      epoch: Epoch(0),
      view: View(0),
      previous: previous?.hash ?? ZERO_HASH,
      timestamp: Timestamp(this.#now),
      proposer: 0,
      transactionsRoot: transactionsRoot(body),
      transactionCount: body.length,
      stateRoot: ZERO_HASH,
      receiptsRoot: ZERO_HASH,
      graphRoot: ZERO_HASH,
      authoritiesHash: ZERO_HASH,
      nextAuthoritiesHash: ZERO_HASH,
    };
    const hash = blockHash(header);
    const receipts = body.map((transaction) => this.#execute(transaction, header));
    const signature = this.key.sign(utf8(hash));
    const ballot = { phase: 'COMMIT', epoch: Epoch(0), view: View(0), height, digest: hash } as const;
    const certificate =
      height === 0 ? null : { ...ballot, signers: [0, 2, 3], signatures: [signature, signature, signature] };
    const block = { hash, header, body, receipts, certificate, certifiedHeight: height };
    this.blocks.push(block);
    for (const [index, { id }] of body.entries()) this.#transactions.set(id, { height, index });
    this.emit({ type: 'block_finalised', height });
    return block;
  }

  emit(event: NodeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe = (listener: (event: NodeEvent) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  transaction(operation: Operation, idempotencyKey: string | null = null, key = this.key): Transaction {
    return this.#signed({ operation, statements: null }, idempotencyKey, key);
  }

  #signed(intent: Intent, idempotencyKey: string | null, key = this.key): Transaction {
    this.#nonce += 1;
    const body = {
      chainId: CHAIN_ID,
      organisation: this.organisation,
      signer: key.publicKey,
      expiresAt: Timestamp(this.#now + 60_000),
      nonce: this.#nonce,
      idempotencyKey,
      ...intent,
    };
    return sealTransaction(body, key.sign(transactionSigningBytes(body)));
  }

  issue(...ids: readonly string[]): void {
    const bare = { seat: null, gate: null, holder: null, data: new Uint8Array() };
    const tickets = ids.map((id) => ({ ticket: TicketId(id), ...bare }));
    this.addBlock([this.transaction({ kind: 'issue', event: EventId('cup'), tier: TierId('stand'), tickets })]);
  }

  submit: Submit = async (transaction) => {
    const { trouble } = this;
    if (this.#transactions.has(transaction.id)) return this.#final(transaction.id);
    if (trouble === 'throws') throw new Error('the disk is on fire');
    if (trouble === 'never-final') {
      this.pending.set(transaction.id, transaction);
      return { outcome: 'pending' };
    }
    if (trouble !== null) return trouble;
    await this.beforeSubmit();
    const parsed = parseTransaction(transaction.bytes);
    if (!parsed.ok || parsed.value.body.chainId !== CHAIN_ID) {
      return { outcome: 'not-admitted', code: 'WRONG_CHAIN', detail: `this chain is ${CHAIN_ID}` };
    }
    this.addBlock([transaction]);
    return this.#final(transaction.id);
  };

  operator: Operator = {
    organisation: OrganisationId('boxoffice'),
    sign: (intent, idempotencyKey) => this.#signed(intent, idempotencyKey),
    earlier: (intent, idempotencyKey) => {
      const id = this.#keys.get(idempotencyKey);
      if (id === undefined || this.forgetsKeys) return undefined;
      const found = this.reader.transaction(id);
      if (found.state !== 'final') return undefined;
      const isSame = operationHash(found.transaction.body) === operationHash(intent);
      return isSame ? this.#final(id) : { outcome: 'reused' };
    },
  };

  seed: Seed = () => {
    const missing = ['sample-1', 'sample-2', 'sample-3'].filter((id) => !this.tickets.has(TicketId(id)));
    if (missing.length > 0) this.issue(...missing);
    const height = this.head.header.height;
    return Promise.resolve({ outcome: 'final', event: EventId('cup'), tickets: 3, added: missing.length, height });
  };

  reader: Reader = {
    status: () => this.#status(),
    genesis: () => GENESIS_BYTES,
    block: (height) => (height < this.keptFrom ? undefined : this.blocks[height]),
    heightOf: (hash) => this.blocks.find((block) => block.hash === hash)?.header.height,
    oldest: () => Height(this.keptFrom),
    transaction: (id) => {
      const place = this.#transactions.get(id);
      if (place === undefined) return this.pending.has(id) ? { state: 'pending' } : { state: 'unknown' };
      const block = defined(this.blocks[place.height], 'indexed');
      const receipt = defined(block.receipts[place.index], 'indexed');
      const transaction = defined(block.body[place.index], 'indexed');
      return { state: 'final', height: place.height, blockHash: block.hash, receipt, transaction };
    },
    ticket: (id) => this.#state.tickets.get(id),
    tickets: ({ state, limit, after }) => {
      const all = [...this.tickets].sort().flatMap((id) => this.#state.tickets.get(id) ?? []);
      const rest = all.filter(
        (one) => (after === null || one.ticket > after) && (state === null || one.state === state),
      );
      return { tickets: rest.slice(0, limit), asOf: this.head.header.height };
    },
    history: (id, { after, limit }) =>
      (this.versions.get(id) ?? []).filter(({ version }) => version > after).slice(0, limit),
    proof: (id, wanted) => this.proofs.proof(id, wanted),
    peers: () => [
      {
        id: 'aa'.repeat(32),
        role: 'authority',
        direction: 'outbound',
        address: '127.0.0.1:7282',
        head: { height: this.head.header.height, hash: this.head.hash },
        latencyMs: 0.4,
        score: 0,
      },
    ],
    authorities: () =>
      ['federation', 'venue', 'boxoffice', 'city'].map((id) => ({
        id,
        publicKey: this.key.publicKey,
        organisation: id,
        connected: id !== 'city',
        lastVoteHeight: this.head.header.height,
        proposed: 1,
        signed: 2,
      })),
    explain: () => ({
      moving: this.isReady,
      reason: this.isReady ? 'final blocks keep coming' : 'city and venue are silent',
      code: this.isReady ? 'MOVING' : 'NO_QUORUM',
      waitingFor: this.isReady ? [] : [{ authority: 'city', since: Timestamp(this.#now), why: 'not connected' }],
    }),
    evidence: () => this.convicted,
    halt: () => this.halt,
    stats: () => ({ cacheSize: 7, sequence: this.head.header.height, storage: { blocks: 3 }, finalityMs: null }),
    config: () => ({ api: { host: '127.0.0.1', operator_token: '(secret)' } }),
  };

  #status(): NodeStatus {
    const { hash, header } = this.head;
    return {
      nodeId: 'boxoffice',
      role: 'authority',
      version: '0.1.0',
      networkId: 'test',
      chainId: CHAIN_ID,
      head: { height: header.height, hash, time: header.timestamp },
      epoch: Epoch(0),
      view: View(0),
      primary: 'federation',
      authorities: 4,
      quorum: 3,
      connected: 3,
      peers: 3,
      syncing: false,
      sync: null,
      mempool: this.pending.size,
      uptimeSeconds: 12,
      observerReason: null,
      ready: this.isReady,
      devnet: false,
    };
  }

  #final(id: Hash): Extract<Submitted, { outcome: 'final' }> {
    const found = this.reader.transaction(id);
    if (found.state !== 'final') throw new Error('every transaction is final at once');
    return { outcome: 'final', height: found.height, blockHash: found.blockHash, receipt: found.receipt };
  }

  #execute(transaction: Transaction, header: Header): Receipt {
    const code = this.refuseNext;
    this.refuseNext = null;
    if (code !== null) {
      const nothing = { subject: null, firstScan: null, replayOf: null, changes: [] };
      return { transaction: transaction.id, accepted: false, code, ...nothing };
    }
    const receipt = applyTransaction(this.#state, transaction, header);
    const { idempotencyKey: key } = transaction.body;
    if (key !== null && !this.#keys.has(key)) this.#keys.set(key, transaction.id);
    for (const change of receipt.changes) this.#record(change, header, transaction);
    return receipt;
  }

  #record({ ticket, ...change }: TicketChange, header: Header, { id, body }: Transaction): void {
    this.tickets.add(ticket);
    const { operation, organisation: agent } = body;
    const versions = this.versions.get(ticket) ?? [];
    const gate = 'gate' in operation ? operation.gate : null;
    const { timestamp: at, height } = header;
    versions.push({ ...change, type: operation.kind, transaction: id, height, at, agent, gate });
    this.versions.set(ticket, versions);
  }
}

const EVENT = EventId('cup');
const TIER = TierId('stand');

/** The cup with its one tier, whose tickets may change hands. */
function cup(organisation: OrganisationId): Overlay {
  const state = new Overlay({ get: () => undefined });
  const startsAt = Timestamp(START);
  const capacity = 100_000;
  state.events.put(EVENT, { event: EVENT, title: 'Cup', organisation, startsAt, capacity, issued: 0, organisers: 1 });
  const transfer = { allowed: true, transfersMax: 2, until: null, resalePercentMax: 110 };
  const sales = { capacity, price: 4_500, currency: 'EUR', validFrom: null, validThrough: null, transfer };
  const counts = { issued: 0, validated: 0, consumed: 0, disputed: 0 };
  state.tiers.put(tierKey(EVENT, TIER), { event: EVENT, tier: TIER, title: 'Stand', ...sales, ...counts });
  return state;
}
