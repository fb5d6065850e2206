import { devnetKeys } from '../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../src/devnet/keys.ts';
import type { Genesis } from '../../src/ledger/genesis.ts';
import { defined } from '../../src/lib/assert.ts';
import { utf8 } from '../../src/lib/bytes.ts';
import type { Prng } from '../../src/lib/prng.ts';
import { sha256 } from '../../src/model/hash.ts';
import { EventId, GateId, hashOfBytes, OrganisationId, TicketId, TierId, Timestamp } from '../../src/model/ids.ts';
import {
  CASE_OUTCOMES,
  DISPUTE_REASONS,
  type NewTicket,
  type Operation,
  REVOCATION_REASONS,
} from '../../src/model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../src/model/transaction.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import type { Signer } from '../../src/node/ports.ts';

interface Wish {
  readonly organisation: string;
  readonly operation: Operation;
  readonly key: string | null;
}

const LIFE_MS = 60_000;
const BATCH_MAX = 4;
/** Tickets that wait for their next move: older ones stay as they are. */
const WAITING_MAX = 2_000;
const GATES = [GateId('north'), GateId('south')];
const ISSUERS = ['venue', 'boxoffice'];
const CAPACITY = 4_000_000;

/**
 * What clients of a ticket office send, from the founding of an event on: mostly issues, activations and scans that are
 * accepted, and now and then a transfer, a hold, a revocation, a dispute, a case and its end, every kind of refusal, and
 * what was sent before once more.
 */
export class TicketTraffic {
  readonly #genesis: Genesis;
  readonly #random: Prng;
  readonly #signers = new Map<string, Signer>();
  readonly #event: EventId;
  readonly #tier = TierId('stand');
  readonly #run: string;
  readonly #issued: TicketId[] = [];
  readonly #validated: TicketId[] = [];
  readonly #consumed: TicketId[] = [];
  readonly #held: TicketId[] = [];
  /** Of which a case is open. */
  readonly #cases: TicketId[] = [];
  readonly #repeatable: Wish[] = [];
  #opening: readonly Wish[];
  #tickets = 0;
  #nonce = 0;

  /** @param run tells apart the events of generators that extend one chain after another */
  constructor(genesis: Genesis, random: Prng, run: number) {
    this.#genesis = genesis;
    this.#random = random;
    this.#run = `${run}`;
    this.#event = EventId(`cup-${run}`);
    this.#opening = this.#founding();
  }

  /** Transactions for one block at `timestamp`: valid in this order on top of all that were given out before. */
  *transactions(count: number, timestamp: Timestamp): Generator<Transaction> {
    for (let index = 0; index < count; index += 1) {
      const [first, ...rest] = this.#opening;
      this.#opening = rest;
      const wish = first ?? this.#next();
      if (wish.key !== null && ISSUERS.includes(wish.organisation)) this.#remember(this.#repeatable, wish);
      yield this.#seal(wish, timestamp);
    }
  }

  #seal({ organisation, operation, key }: Wish, timestamp: Timestamp): Transaction {
    const signer = this.#signerOf(organisation);
    this.#nonce += 1;
    const body = {
      chainId: this.#genesis.chainId,
      organisation: OrganisationId(organisation),
      signer: signer.publicKey,
      expiresAt: Timestamp(timestamp + LIFE_MS),
      nonce: this.#nonce,
      idempotencyKey: key,
      operation,
      statements: null,
    };
    return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
  }

  #signerOf(organisation: string): Signer {
    const known = this.#signers.get(organisation);
    if (known !== undefined) return known;
    const made = createSigner(devnetKeyPair(devnetKeys(organisation).operator).secretKey);
    this.#signers.set(organisation, made);
    return made;
  }

  #founding(): readonly Wish[] {
    const event = this.#event;
    const by = (operation: Operation): Wish => ({ organisation: 'federation', operation, key: null });
    const grants = (['issuer', 'venue', 'gate'] as const).flatMap((role) =>
      ISSUERS.map((name) => by({ kind: 'role.grant', event, organisation: OrganisationId(name), role })),
    );
    return [
      by({ kind: 'event.create', event, title: 'Cup', startsAt: this.#genesis.created, capacity: CAPACITY }),
      by({
        kind: 'tier.create',
        event,
        tier: this.#tier,
        title: 'Main stand',
        price: 4_500,
        currency: 'EUR',
        capacity: CAPACITY,
        validFrom: null,
        validThrough: null,
        transfer: { allowed: true, transfersMax: 2, until: null, resalePercentMax: 110 },
      }),
      ...grants,
      by({ kind: 'role.grant', event, organisation: OrganisationId('city'), role: 'venue' }),
      by({ kind: 'role.grant', event, organisation: OrganisationId('city'), role: 'gate' }),
      by({ kind: 'role.revoke', event, organisation: OrganisationId('city'), role: 'gate' }),
      by({ kind: 'role.grant', event, organisation: OrganisationId('city'), role: 'arbiter' }),
    ];
  }

  #next(): Wish {
    const dice = this.#random.below(100);
    if (dice < 30 || this.#issued.length === 0) return this.#issue();
    if (dice < 60 || this.#validated.length === 0) return this.#validate();
    if (dice < 82) return this.#scan();
    if (dice < 88) return this.#remedy();
    if (dice < 92) return this.#dispute();
    if (dice < 96) return this.#again();
    return this.#refused();
  }

  #wish(organisation: string, operation: Operation): Wish {
    const key = this.#random.chance(0.5) ? `${this.#run}/${this.#nonce}` : null;
    return { organisation, operation, key };
  }

  #issue(): Wish {
    const tickets = Array.from({ length: 1 + this.#random.below(BATCH_MAX) }, () => this.#newTicket());
    for (const { ticket } of tickets) this.#remember(this.#issued, ticket);
    const operation: Operation = { kind: 'issue', event: this.#event, tier: this.#tier, tickets };
    return this.#wish(this.#random.pick(ISSUERS), operation);
  }

  #newTicket(): NewTicket {
    this.#tickets += 1;
    const name = `${this.#run}.${this.#tickets}`;
    return {
      ticket: TicketId(`t${name}`),
      seat: this.#random.chance(0.5) ? `seat-${name}` : null,
      gate: this.#random.chance(0.1) ? defined(GATES[0], 'there is a gate') : null,
      holder: this.#random.chance(0.5) ? hashOfBytes(sha256(utf8(name))) : null,
      data: this.#random.chance(0.1) ? utf8(`data of ${name}`) : new Uint8Array(),
    };
  }

  #validate(): Wish {
    const tickets = this.#issued.splice(0, 1 + this.#random.below(BATCH_MAX));
    for (const ticket of tickets) this.#remember(this.#validated, ticket);
    return this.#wish(this.#random.pick(ISSUERS), { kind: 'validate', tickets });
  }

  #scan(): Wish {
    const ticket = defined(this.#validated.shift(), 'a ticket waits for its scan');
    this.#remember(this.#consumed, ticket);
    const kind = this.#random.chance(0.5) ? 'consume' : 'admit';
    return this.#wish('venue', { kind, ticket, gate: this.#random.pick(GATES) });
  }

  #dispute(): Wish {
    const ticket = this.#validated.shift() ?? this.#random.pick(this.#issued);
    const reason = this.#random.pick(DISPUTE_REASONS);
    return this.#wish('city', { kind: 'dispute', ticket, reason, note: 'sold twice', gate: null });
  }

  /** What befalls a ticket on its way, or after it. */
  #remedy(): Wish {
    const ticket = this.#random.pick(this.#validated);
    const note = this.#random.chance(0.5) ? 'as the holder asked' : '';
    const kind = this.#random.pick(['transfer', 'hold', 'release', 'revoke', 'case.open', 'resolve'] as const);
    switch (kind) {
      case 'transfer': {
        const holder = hashOfBytes(sha256(utf8(`${this.#run}/${this.#nonce}`)));
        const price = this.#random.pick([null, 4_500, 4_950, 4_951]);
        const channel = price === null ? 'DIRECT' : 'RESALE';
        return this.#byIssuer({ kind, ticket, holder, price, channel });
      }
      case 'hold':
        this.#remember(this.#held, ticket);
        return this.#byIssuer({ kind, ticket, note });
      case 'release':
        return this.#byIssuer({ kind, ticket: this.#held.shift() ?? ticket, note });
      case 'revoke':
        return this.#byIssuer({ kind, ticket, reason: this.#random.pick(REVOCATION_REASONS), note });
      case 'case.open': {
        const known = this.#consumed.shift() ?? ticket;
        this.#remember(this.#cases, known);
        return this.#byIssuer({
          kind,
          ticket: known,
          reason: this.#random.pick(DISPUTE_REASONS),
          note,
          evidence: null,
        });
      }
      case 'resolve':
        return this.#resolve(this.#cases.shift() ?? ticket, note);
    }
  }

  #resolve(ticket: TicketId, note: string): Wish {
    const outcome = this.#random.pick(CASE_OUTCOMES);
    const { holder: _, ...issued } = this.#newTicket();
    const replacement = outcome === 'REISSUED' ? { event: this.#event, tier: this.#tier, ...issued } : null;
    return this.#wish('city', { kind: 'resolve', ticket, outcome, note, replacement });
  }

  #byIssuer(operation: Operation): Wish {
    return this.#wish(this.#random.pick(ISSUERS), operation);
  }

  /** The same operation under the same key is done once; another one under it is refused. */
  #again(): Wish {
    if (this.#repeatable.length === 0) return this.#refused();
    const wish = this.#random.pick(this.#repeatable);
    if (this.#random.chance(0.5)) return wish;
    const tickets = [TicketId(`other.${this.#nonce}`)];
    return { ...wish, operation: { kind: 'validate', tickets } };
  }

  #refused(): Wish {
    const unknown = TicketId(`nobody.${this.#nonce}`);
    const known = this.#consumed[this.#random.below(Math.max(1, this.#consumed.length))] ?? unknown;
    const gate = this.#random.pick(GATES);
    const operations: readonly Operation[] = [
      { kind: 'consume', ticket: known, gate },
      { kind: 'admit', ticket: this.#random.pick(this.#issued), gate },
      { kind: 'consume', ticket: unknown, gate },
      { kind: 'validate', tickets: [known, known] },
    ];
    return this.#wish('venue', this.#random.pick(operations));
  }

  #remember<T>(list: T[], item: T): void {
    list.push(item);
    if (list.length > WAITING_MAX) list.shift();
  }
}
