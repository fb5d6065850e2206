import type { Prng } from '../../lib/prng.ts';
import { EventId, GateId, type Hash, OrganisationId, Signature, TicketId, TierId, Timestamp } from '../../model/ids.ts';
import type { Operation } from '../../model/operation.ts';
import { NO_TRANSFERS } from '../../model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../model/transaction.ts';
import type { FinalOutcome, SubmitOutcome } from '../../node/intake.ts';
import { BEGINNING, LIFE_MS } from './genesis.ts';
import type { FullKeys } from './keys.ts';
import type { VirtualTime } from './time.ts';

/** Somebody who wants one thing done and does not rest before an honest node has told him that it is final. */
interface Order {
  readonly organisation: string;
  readonly operation: Operation;
  readonly key: string | null;
  /** What must be final before. */
  readonly after: readonly Order[];
  readonly thinkMs: number;
  isPlaced: boolean;
  outcome: FinalOutcome | null;
}

/** A way to a node, as HTTP is one: anything may get lost, and then nobody answers. */
type Submit = (
  seat: number,
  transaction: Transaction,
  waitMs: number,
  answer: (outcome: SubmitOutcome) => void,
) => void;

export interface ClientsOptions {
  readonly chainId: Hash;
  readonly keys: FullKeys;
  readonly time: VirtualTime;
  readonly prng: Prng;
  readonly seats: number;
  readonly tickets: number;
  readonly repeatRate: number;
  /** Over what time the tickets are asked for. */
  readonly spreadMs: number;
  readonly submit: Submit;
  /** Whether what this node says can be relied on. */
  readonly isHonest: (seat: number) => boolean;
}

const EVENT = EventId('cup');
const TIER = TierId('stand');
const GATES = [GateId('north'), GateId('south')] as const;
const NOBODYS_SIGNATURE = Signature('ab'.repeat(64));
const RETRY_MS = 60;

/** Clients with a season of work: an event is founded, tickets are issued, activated, scanned at two gates at once, contested. */
export class Clients {
  readonly orders: Order[] = [];
  readonly #options: ClientsOptions;
  #nonce = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
    const grants = this.#found();
    for (let index = 0; index < options.tickets; index += 1) this.#planTicket(index, grants);
  }

  get areDone(): boolean {
    return this.orders.every(({ outcome }) => outcome !== null);
  }

  get open(): number {
    return this.orders.filter(({ outcome }) => outcome === null).length;
  }

  start(): void {
    for (const order of this.orders) this.#placeIfReady(order);
  }

  #order(organisation: string, operation: Operation, after: readonly Order[], thinkMs = 0): Order {
    const key = this.#options.prng.chance(0.6) ? `order-${this.orders.length}` : null;
    const order: Order = { organisation, operation, key, after, thinkMs, isPlaced: false, outcome: null };
    this.orders.push(order);
    return order;
  }

  #found(): readonly Order[] {
    const event = this.#order(
      'federation',
      { kind: 'event.create', event: EVENT, title: 'Cup', startsAt: BEGINNING, capacity: 1_000 },
      [],
    );
    const tier = this.#order(
      'federation',
      {
        kind: 'tier.create',
        event: EVENT,
        tier: TIER,
        title: 'Stand',
        price: 4_500,
        currency: 'EUR',
        capacity: 1_000,
        validFrom: null,
        validThrough: null,
        transfer: NO_TRANSFERS,
      },
      [event],
    );
    const grants = (
      [
        ['boxoffice', 'issuer'],
        ['stadium', 'venue'],
        ['stadium', 'gate'],
        ['city', 'gate'],
      ] as const
    ).map(([name, role]) =>
      this.#order('federation', { kind: 'role.grant', event: EVENT, organisation: OrganisationId(name), role }, [
        event,
      ]),
    );
    return [tier, ...grants];
  }

  /** One ticket's life, with a race at its end: two gates at two nodes, or a gate and an arbiter, at the same moment. */
  #planTicket(index: number, grants: readonly Order[]): void {
    const { prng, spreadMs } = this.#options;
    const ticket = TicketId(`t${index}`);
    const issue = this.#order(
      'boxoffice',
      {
        kind: 'issue',
        event: EVENT,
        tier: TIER,
        tickets: [{ ticket, seat: `s${index}`, gate: null, holder: null, data: new Uint8Array() }],
      },
      grants,
      prng.next() * spreadMs,
    );
    const isActivated = prng.chance(0.7);
    const ready = isActivated
      ? this.#order('boxoffice', { kind: 'validate', tickets: [ticket] }, [issue], prng.next() * 50)
      : issue;
    const thinkMs = prng.next() * 100;
    const scan = isActivated && prng.chance(0.6) ? 'consume' : 'admit';
    this.#order('stadium', { kind: scan, ticket, gate: GATES[0] }, [ready], thinkMs);
    if (prng.chance(0.7)) this.#order('city', { kind: 'admit', ticket, gate: GATES[1] }, [ready], thinkMs);
    if (prng.chance(0.2)) {
      const dispute: Operation = { kind: 'dispute', ticket, reason: 'DOUBLE_SALE', note: 'sold twice', gate: null };
      this.#order('stadium', dispute, [ready], thinkMs);
    }
  }

  #placeIfReady(order: Order): void {
    if (order.isPlaced || order.after.some(({ outcome }) => outcome === null)) return;
    order.isPlaced = true;
    this.#options.time.after(order.thinkMs, () => this.#attempt(order, this.#seal(order)));
  }

  #seal({ organisation, operation, key }: Order, signature?: Signature): Transaction {
    const { chainId, keys, time } = this.#options;
    const signer = keys.signerOf(organisation);
    this.#nonce += 1;
    const body = {
      chainId,
      organisation: OrganisationId(organisation),
      signer: signer.publicKey,
      expiresAt: Timestamp(Math.floor(BEGINNING + time.now + LIFE_MS / 2)),
      nonce: this.#nonce,
      idempotencyKey: key,
      operation,
      statements: null,
    };
    return sealTransaction(body, signature ?? signer.sign(transactionSigningBytes(body)));
  }

  #attempt(order: Order, transaction: Transaction): void {
    if (order.outcome !== null) return;
    const { prng, seats, time, repeatRate } = this.#options;
    const waitMs = prng.pick([0, 100, 1_000]);
    let isOver = false;
    const seat = prng.below(seats);
    this.#send(seat, transaction, waitMs, (outcome) => {
      if (outcome.outcome === 'final' && this.#options.isHonest(seat)) this.#settle(order, outcome);
      else if (!isOver) this.#again(order, transaction);
      isOver = true;
    });
    // Nobody may ever answer.
    time.after(waitMs + 200 + prng.next() * 300, () => {
      if (!isOver) this.#again(order, transaction);
      isOver = true;
    });
    if (prng.chance(repeatRate)) this.#repeat(order, transaction);
  }

  /** The same somewhere else, the same under another nonce, or the same with a signature that is none. */
  #repeat(order: Order, transaction: Transaction): void {
    const { prng, seats, isHonest } = this.#options;
    const seat = prng.below(seats);
    const isForged = prng.chance(0.3);
    const again = isForged
      ? sealTransaction(transaction.body, NOBODYS_SIGNATURE)
      : prng.chance(0.5) && order.key !== null
        ? this.#seal(order)
        : transaction;
    this.#send(seat, again, 0, (outcome) => {
      if (outcome.outcome === 'final' && !isForged && isHonest(seat)) this.#settle(order, outcome);
    });
  }

  #again(order: Order, transaction: Transaction): void {
    const { prng, time } = this.#options;
    const isSignedAnew = order.key !== null && prng.chance(0.3);
    const next = isSignedAnew ? this.#seal(order) : transaction;
    time.after(RETRY_MS * (0.5 + prng.next()), () => this.#attempt(order, next));
  }

  #send(seat: number, transaction: Transaction, waitMs: number, answer: (outcome: SubmitOutcome) => void): void {
    const { submit, time, prng } = this.#options;
    time.after(prng.next() * 5, () =>
      submit(seat, transaction, waitMs, (outcome) => time.after(prng.next() * 5, () => answer(outcome))),
    );
  }

  #settle(order: Order, outcome: FinalOutcome): void {
    if (order.outcome !== null) return;
    order.outcome = outcome;
    for (const other of this.orders) this.#placeIfReady(other);
  }
}
