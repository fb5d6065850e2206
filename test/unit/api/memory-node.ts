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
import type { TicketRecord } from '../../../src/ledger/ticket-record.ts';
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
import {
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

interface Judgement {
  readonly code: Refusal | null;
  readonly subject: string | null;
  readonly changed: readonly TicketRecord[];
}

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
 * It keeps the rules of tickets that the surface can show, and can be told to be in trouble.
 */
export class MemoryNode {
  readonly key = createKey();
  readonly peers = new MemoryPeers();
  readonly proofs = new MemoryProofs();
  readonly blocks: FinalBlock[] = [];
  readonly tickets = new Map<TicketId, TicketRecord>();
  readonly versions = new Map<TicketId, TicketEvent[]>();
  readonly pending = new Map<Hash, Transaction>();
  readonly convicted: { evidence: Evidence; authority: string }[] = [];
  halt: LastingHalt | null = null;
  /** What the next submissions meet. */
  trouble: NotAdmitted | 'never-final' | 'throws' | null = null;
  isReady = true;
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
    this.#nonce += 1;
    const body = {
      chainId: CHAIN_ID,
      organisation: OrganisationId('boxoffice'),
      signer: key.publicKey,
      expiresAt: Timestamp(this.#now + 60_000),
      nonce: this.#nonce,
      idempotencyKey,
      operation,
      statements: null,
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
    sign: ({ operation }, idempotencyKey) => this.transaction(operation, idempotencyKey),
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
    ticket: (id) => this.tickets.get(id),
    tickets: ({ state, limit, after }) => {
      const all = [...this.tickets.values()].sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
      const rest = all.filter(
        (one) => (after === null || one.ticket > after) && (state === null || one.state === state),
      );
      return { tickets: rest.slice(0, limit), asOf: this.head.header.height };
    },
    history: (id) => this.versions.get(id) ?? [],
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

  #execute({ id, body }: Transaction, header: Header): Receipt {
    const earlier = body.idempotencyKey === null ? undefined : this.#keys.get(body.idempotencyKey);
    if (earlier !== undefined) {
      const { receipt } = this.#final(earlier);
      return { ...receipt, transaction: id, replayOf: earlier };
    }
    if (body.idempotencyKey !== null) this.#keys.set(body.idempotencyKey, id);
    const { code, subject, changed } = this.#judge(body.operation, header, id);
    const firstScan =
      code === 'ALREADY_CONSUMED' ? (this.tickets.get(TicketId(subject ?? 'x'))?.firstScan ?? null) : null;
    if (code === null) for (const record of changed) this.#record(record, header, id, body.operation.kind);
    return { transaction: id, accepted: code === null, code, subject, firstScan, replayOf: null, changes: [] };
  }

  #record(record: TicketRecord, header: Header, id: Hash, type: Operation['kind']): void {
    this.tickets.set(record.ticket, record);
    const { version, state, standing, epoch, holder } = record;
    const versions = this.versions.get(record.ticket) ?? [];
    const agent = OrganisationId('boxoffice');
    const gate = record.firstScan?.gate ?? null;
    const { timestamp: at, height } = header;
    versions.push({ version, state, standing, epoch, holder, transaction: id, type, at, height, agent, gate });
    this.versions.set(record.ticket, versions);
  }

  #judge(operation: Operation, header: Header, id: Hash): Judgement {
    const code = this.refuseNext;
    this.refuseNext = null;
    if (code !== null) return { code, subject: null, changed: [] };
    switch (operation.kind) {
      case 'issue': {
        const taken = operation.tickets.find(({ ticket }) => this.tickets.has(ticket));
        if (taken !== undefined) return { code: 'DUPLICATE_ID', subject: taken.ticket, changed: [] };
        const changed = operation.tickets.map(
          (ticket): TicketRecord => ({
            ...ticket,
            event: operation.event,
            tier: operation.tier,
            state: 'ISSUED',
            standing: 'GOOD',
            version: 1,
            since: header.height,
            previous: ZERO_HASH,
            firstScan: null,
            case: null,
            epoch: 0,
            transfers: 0,
            replaces: null,
            replacedBy: null,
          }),
        );
        return { code: null, subject: changed[0]?.ticket ?? null, changed };
      }
      case 'validate':
        return this.#each(operation.tickets, (ticket) =>
          ticket.state === 'ISSUED' ? next(ticket, header, { state: 'VALIDATED' }) : 'ALREADY_VALIDATED',
        );
      case 'consume':
      case 'admit':
        return this.#each([operation.ticket], (ticket) => {
          if (ticket.state === 'CONSUMED') return 'ALREADY_CONSUMED';
          if (ticket.state === 'DISPUTED') return 'TICKET_DISPUTED';
          if (ticket.gate !== null && ticket.gate !== operation.gate) return 'WRONG_GATE';
          if (ticket.state === 'ISSUED' && operation.kind === 'consume') return 'NOT_VALIDATED';
          const { timestamp: at, height } = header;
          const organisation = OrganisationId('boxoffice');
          const firstScan = { at, height, gate: operation.gate, organisation, transaction: id };
          return next(ticket, header, { state: 'CONSUMED', firstScan });
        });
      case 'dispute':
        return this.#each([operation.ticket], (ticket) => {
          if (ticket.state === 'ISSUED') return 'NOT_VALIDATED';
          if (ticket.state !== 'VALIDATED') return 'INVALID_TRANSITION';
          const { reason, note, gate } = operation;
          const { timestamp: at, height } = header;
          const organisation = OrganisationId('boxoffice');
          const step = { note, organisation, at, height, transaction: id };
          const opened = { ...step, reason, gate, evidence: null, resolution: null };
          return next(ticket, header, { state: 'DISPUTED', case: opened });
        });
      default:
        return { code: null, subject: null, changed: [] };
    }
  }

  #each(ids: readonly TicketId[], rule: (ticket: TicketRecord) => TicketRecord | Refusal): Judgement {
    const changed: TicketRecord[] = [];
    for (const id of ids) {
      const ticket = this.tickets.get(id);
      const ruled = ticket === undefined ? 'UNKNOWN_TICKET' : rule(ticket);
      if (typeof ruled === 'string') return { code: ruled, subject: id, changed: [] };
      changed.push(ruled);
    }
    return { code: null, subject: ids[0] ?? null, changed };
  }
}

function next(ticket: TicketRecord, header: Header, change: Partial<TicketRecord>): TicketRecord {
  return { ...ticket, ...change, version: ticket.version + 1, since: header.height };
}
