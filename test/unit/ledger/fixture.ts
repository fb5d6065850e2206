/** A small consortium and ways to let it act: what the tests of the ledger share. */

import { applyTransaction } from '../../../src/ledger/apply.ts';
import { type ExecutedBlock, type ExecutionContext, executeBlock, storedState } from '../../../src/ledger/execute.ts';
import { foundLedger, type GenesisDocument } from '../../../src/ledger/genesis.ts';
import { Overlay, type StateChange } from '../../../src/ledger/state.ts';
import { decodePage, encodePage, type Page } from '../../../src/ledger/state-pages.ts';
import { defined } from '../../../src/lib/assert.ts';
import { toHex } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';
import {
  EventId,
  GateId,
  type Hash,
  Height,
  hashOfBytes,
  OrganisationId,
  PublicKey,
  Signature,
  TicketId,
  TierId,
  Timestamp,
} from '../../../src/model/ids.ts';
import {
  type CaseOutcome,
  type NewTicket,
  NO_TRANSFERS,
  type Operation,
  type Replacement,
  type Role,
  type TransferPolicy,
} from '../../../src/model/operation.ts';
import type { Receipt } from '../../../src/model/receipt.ts';
import { parseTransaction, sealTransaction, type Transaction } from '../../../src/model/transaction.ts';

/** Public keys of the seeds SHA-256("counterfoil test key 0"), 1, 2, ...: real points, whose secrets nothing needs. */
const KEYS: readonly string[] = [
  'a6532db6345f7d0b4afcad6ff378483a5b7acd67b3a84c2f92b5558ce145f7ba',
  'ad63e41ff6b8fa7668d37a4d1b5dedb3bcecc0809e8b2639ea9a91571b2d3504',
  'ed567fb0176c43cff98a497504873bb0e109f1656f16d8e9ab2042dfb786beaa',
  '1d77e323bf7b19ac67ec61b5480bc954774321e406f93eec715dc5e253527568',
  '7f41a9c8b06dc33989468e07746228b82489e67ff1e20897dd78540675527b1d',
  'c144adc24c958b7e0e1da9efecda27d43c8a5551fe673b86293300f9abe05458',
  'e1b3f19fcd20d366fcab07ced7c690b2823dcddb6354d2bf7234d4a7fecbc65e',
  'f237b4b8b76ed363e1b76c51cdaae7cefdf51b5b3e43c7b05e07c453de3ebf3a',
  '30c82098b1d4a7ce2deb6ab22753f733c0e3e15c69fb32686ae8f6abc20ff422',
  '0d9308f74580ca1be97ea4f755ee9d37d36f150f68606d92f7602e93e13798d0',
  '3231ed18d1f39fe1d7459ca2f69f8d7f31a3527f32ac96521f6cb29b694cefbd',
  '96a5449393a59704a3329193c7ece8accd8eb86db8d4e9928ae21bc4e19e2c5b',
  'dd1a2561a8ffd63ad19aa54ba65f7ac26dcf34264517024b1bf555407ae83246',
  '0e5d30e2baa58aeb30c8a75cb704b9dfc8b6cd4c926010ff138c228aa3ec029f',
  'fbd55a030692a1886040bff7e0a6071565710678c6fac0425c1409de25d012c3',
  'd532c384b5a9d2cdda5e3c5f95e378e3e92c2c8c716addf4da3d24eb5bfef1e3',
];

export function testKey(index: number): PublicKey {
  return PublicKey(defined(KEYS[index], `no test key ${index}`));
}

export const CREATED = Timestamp(Date.UTC(2026, 5, 12));
export const LIFE_MS = 60_000;

export const FEDERATION = OrganisationId('federation');
export const BOX_OFFICE = OrganisationId('boxoffice');
export const ARENA = OrganisationId('arena');
export const CITY = OrganisationId('city');
/** May be given no role at all. */
export const MARKET = OrganisationId('market');
/** May be given every role. */
export const PROMOTER = OrganisationId('promoter');

const ROLES_OF: readonly (readonly [OrganisationId, readonly Role[]])[] = [
  [FEDERATION, ['organiser', 'arbiter']],
  [BOX_OFFICE, ['issuer']],
  [ARENA, ['venue', 'gate']],
  [CITY, ['arbiter']],
  [MARKET, []],
  [PROMOTER, ['organiser', 'issuer', 'venue', 'gate', 'arbiter', 'marketplace']],
];

export const GENESIS: GenesisDocument = {
  networkId: 'harbour-cup',
  created: CREATED,
  iriBase: 'https://ledger.example.org/',
  parameters: {
    blockTransactionsMax: 500,
    blockBytesMax: 1_048_576,
    checkpointInterval: 100,
    rotationInterval: 1_000,
    blockIntervalMs: 10_000,
    transactionLifeMsMax: LIFE_MS,
    windowMax: 4,
  },
  authorities: [FEDERATION, ARENA, BOX_OFFICE, CITY].map((organisation, index) => ({
    id: `authority-${index}`,
    publicKey: testKey(index),
    organisation,
  })),
  organisations: ROLES_OF.map(([id, roles], index) => ({
    id,
    title: `The ${id}`,
    roles,
    keys: [testKey(4 + index)],
    namespace: `https://${id}.example/`,
  })),
};

export const CHAIN_ID: Hash = hashOfBytes(sha256(new Uint8Array([1])));

export function keyOf(organisation: OrganisationId): PublicKey {
  const found = GENESIS.organisations.find(({ id }) => id === organisation);
  return defined(found?.keys[0], `${organisation} has a key`);
}

export interface Wish {
  readonly by: OrganisationId;
  readonly operation: Operation;
  readonly key?: string;
  readonly nonce?: number;
  readonly expiresAt?: number;
  readonly chainId?: Hash;
  readonly signer?: PublicKey;
  readonly statements?: string;
}

/** The ledger is told that signatures are verified: any will do. */
const SIGNATURE = Signature('ab'.repeat(64));

export function transactionOf(wish: Wish): Transaction {
  const sealed = sealTransaction(
    {
      chainId: wish.chainId ?? CHAIN_ID,
      organisation: wish.by,
      signer: wish.signer ?? keyOf(wish.by),
      expiresAt: Timestamp(wish.expiresAt ?? CREATED + 10_000),
      nonce: wish.nonce ?? 0,
      idempotencyKey: wish.key ?? null,
      operation: wish.operation,
      statements: wish.statements ?? null,
    },
    SIGNATURE,
  );
  const parsed = parseTransaction(sealed.bytes);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

export const CUP = EventId('harbour-cup-2026');
export const STAND = TierId('stand');
export const GATE_A = GateId('gate-a');
export const GATE_B = GateId('gate-b');

export const createCup: Operation = {
  kind: 'event.create',
  event: CUP,
  title: 'Harbour Cup 2026',
  startsAt: Timestamp(CREATED + 86_400_000),
  capacity: 100,
};

export const createStand: Operation & { readonly kind: 'tier.create' } = {
  kind: 'tier.create',
  event: CUP,
  tier: STAND,
  title: 'Main stand',
  price: 4_500,
  currency: 'EUR',
  capacity: 50,
  validFrom: null,
  validThrough: null,
  transfer: NO_TRANSFERS,
};

export function grant(organisation: OrganisationId, role: Role): Operation {
  return { kind: 'role.grant', event: CUP, organisation, role };
}

export function revoke(organisation: OrganisationId, role: Role): Operation {
  return { kind: 'role.revoke', event: CUP, organisation, role };
}

export function newTicket(id: string, more: Partial<NewTicket> = {}): NewTicket {
  return { ticket: TicketId(id), seat: null, gate: null, holder: null, data: new Uint8Array(), ...more };
}

export function issue(...tickets: readonly (string | NewTicket)[]): Operation & { readonly kind: 'issue' } {
  const list = tickets.map((ticket) => (typeof ticket === 'string' ? newTicket(ticket) : ticket));
  return { kind: 'issue', event: CUP, tier: STAND, tickets: list };
}

export function validate(...tickets: readonly string[]): Operation & { readonly kind: 'validate' } {
  return { kind: 'validate', tickets: tickets.map((ticket) => TicketId(ticket)) };
}

export function scan(kind: 'consume' | 'admit', ticket: string, gate = GATE_A): Operation {
  return { kind, ticket: TicketId(ticket), gate };
}

export function dispute(ticket: string): Operation {
  return { kind: 'dispute', ticket: TicketId(ticket), reason: 'FRAUD', note: 'sold twice', gate: null };
}

/** Of a tier whose tickets may change hands twice, in the first hour, for the price and a tenth. */
export const TRADED: TransferPolicy = {
  allowed: true,
  transfersMax: 2,
  until: Timestamp(CREATED + 3_600_000),
  resalePercentMax: 110,
};

export const OTHER_HOLDER = hashOfBytes(new Uint8Array(32).fill(0x34));

type Of<Kind extends Operation['kind']> = Extract<Operation, { readonly kind: Kind }>;

export function transfer(ticket: string, more: Partial<Of<'transfer'>> = {}): Operation {
  return { kind: 'transfer', ticket: TicketId(ticket), holder: OTHER_HOLDER, price: null, channel: 'DIRECT', ...more };
}

/** Withdraws a ticket for a while, or ends that. */
export function hold(ticket: string, kind: 'hold' | 'release' = 'hold'): Operation {
  return { kind, ticket: TicketId(ticket), note: 'payment unclear' };
}

export function withdraw(ticket: string, reason: Of<'revoke'>['reason'] = 'REFUND'): Operation {
  return { kind: 'revoke', ticket: TicketId(ticket), reason, note: '' };
}

export function openCase(ticket: string, more: Partial<Of<'case.open'>> = {}): Operation {
  return { kind: 'case.open', ticket: TicketId(ticket), reason: 'FRAUD', note: 'forged', evidence: null, ...more };
}

export function resolve(ticket: string, outcome: CaseOutcome, replacement: Replacement | null = null): Operation {
  return { kind: 'resolve', ticket: TicketId(ticket), outcome, note: 'heard', replacement };
}

/** A ticket to take the place of another one. */
export function spare(ticket: string, more: Partial<Replacement> = {}): Replacement {
  const { holder: _, ...rest } = newTicket(ticket);
  return { event: CUP, tier: STAND, ...rest, ...more };
}

/** A running event: the federation organises, the box office issues, the arena is venue and gate. */
export const OPENING: readonly Wish[] = [
  { by: FEDERATION, operation: createCup },
  { by: FEDERATION, operation: createStand },
  { by: FEDERATION, operation: grant(BOX_OFFICE, 'issuer') },
  { by: FEDERATION, operation: grant(ARENA, 'venue') },
  { by: FEDERATION, operation: grant(ARENA, 'gate') },
];

/** The state right after genesis, in memory. */
export function foundedState(genesis: GenesisDocument = GENESIS): Overlay {
  const { changes } = foundLedger(genesis);
  const stored = new Map(changes.map(({ key, value }) => [toHex(key), value]));
  return new Overlay({ get: (key) => stored.get(toHex(key)) });
}

/** Applies wishes in order, all in one block, whether or not their makers have the right to. */
export function applyAll(
  state: Overlay,
  wishes: readonly Wish[],
  at = { height: 1, timestamp: CREATED + 1 },
): Receipt[] {
  const block = { height: Height(at.height), timestamp: Timestamp(at.timestamp) };
  return wishes.map((wish) => applyTransaction(state, transactionOf(wish), block));
}

export function openedState(): Overlay {
  const state = foundedState();
  const receipts = applyAll(state, OPENING);
  if (receipts.some(({ accepted }) => !accepted)) throw new Error('the opening is accepted');
  return state;
}

/** A store of final state in memory that takes blocks one after another. */
export class TestChain {
  readonly #records = new Map<string, Uint8Array>();
  readonly #pages = new Map<string, Uint8Array>();
  readonly #ids = new Set<Hash>();
  height = 0;
  timestamp: number = CREATED;
  root: Hash;

  constructor(genesis: GenesisDocument = GENESIS) {
    const { header, changes, pageWrites } = foundLedger(genesis);
    this.root = header.stateRoot;
    this.store(changes, pageWrites);
  }

  readonly reader = { get: (key: Uint8Array): Uint8Array | undefined => this.#records.get(toHex(key)) };

  readonly pageReader = {
    page: (path: string): Page | undefined => {
      const bytes = this.#pages.get(path);
      if (bytes === undefined) return undefined;
      const page = decodePage(bytes);
      if (!page.ok) throw new Error(page.error.reason);
      return page.value;
    },
  };

  /** Sorted by key. */
  records(): readonly (readonly [key: string, value: Uint8Array])[] {
    return [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  store(changes: readonly StateChange[], pageWrites: ReadonlyMap<string, Page>): void {
    for (const { key, value } of changes) this.#records.set(toHex(key), value);
    for (const [path, page] of pageWrites) this.#pages.set(path, encodePage(page));
  }

  /** The context of the next block, one second later. */
  context(): ExecutionContext {
    return {
      chainId: CHAIN_ID,
      iriBase: GENESIS.iriBase,
      parameters: GENESIS.parameters,
      height: Height(this.height + 1),
      timestamp: Timestamp(this.timestamp + 1_000),
      parent: storedState(this.reader, this.pageReader, this.root),
      recentIds: this.#ids,
    };
  }

  wish(wish: Wish): Transaction {
    return transactionOf({ expiresAt: this.timestamp + 30_000, ...wish });
  }

  /** Executes and stores a block; it must be valid. */
  run(body: readonly Transaction[]): ExecutedBlock {
    const executed = executeBlock(this.context(), body);
    if (!executed.ok) throw new Error(`block ${this.height + 1}: ${JSON.stringify(executed.error)}`);
    this.commit(executed.value, body);
    return executed.value;
  }

  commit(executed: ExecutedBlock, body: readonly Transaction[]): void {
    this.store(executed.changes, executed.pageWrites);
    for (const { id } of body) this.#ids.add(id);
    this.root = executed.stateRoot;
    this.height += 1;
    this.timestamp += 1_000;
  }
}
