import { GateId, TicketId } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { Refusal } from '../model/receipt.ts';
import type { Standing, TicketState } from '../model/ticket.ts';
import { SAMPLE_ISSUER, step } from './catalogue.ts';
import { chance, drawName } from './draw.ts';
import { type CaseEnd, type Fate, fateOf } from './fate.ts';
import { type Intent, type IntentMore, intentOf, type PlannedVersion } from './intent.ts';
import { SAMPLE_EVENT, SAMPLE_RESALE_PERCENT, sampleHolder, sampleTicketId, sampleTierOf } from './tickets.ts';
import { type Arrival, arrivalOf, GATES, HOUR, heldUp, KICK_OFF, SALE_OPENS, within } from './timeline.ts';

const GATE_OPERATOR = 'venue';
const ARBITER = 'city';
/** From when on tickets change hands, and until when at the latest: before they are activated. */
const TRANSFERS_FROM = SALE_OPENS + 8 * HOUR;
const TRANSFERS_MIDDLE = SALE_OPENS + 60 * HOUR;
const TRANSFERS_UNTIL = KICK_OFF - 54 * HOUR;
const RESENT_AFTER = 2_000;

/** Who signs a step, and what it is called within the story. */
type Signing = readonly [organisation: string, name: string];

/** What differs between the networks that the sample is brought to. */
export interface StoryOptions {
  /** Who transfers what is sold on. */
  readonly market: string;
  /** Whether there is room for tickets that replace others. */
  readonly hasRoom: boolean;
}

/** The life of one ticket, told step by step: what is done to it, and what a correct ledger makes of it. */
export class Story {
  readonly index: number;
  readonly ticket: TicketId;
  readonly fate: Fate;
  readonly intents: Intent[] = [];
  #version = 0;
  #state: TicketState = 'ISSUED';
  #standing: Standing = 'GOOD';
  #transfers = 0;
  readonly #options: StoryOptions;

  constructor(index: number, options: StoryOptions) {
    this.index = index;
    this.ticket = sampleTicketId(index);
    this.fate = fateOf(index);
    this.#options = options;
  }

  /** The versions that bring it through these states; of a batch, when it belongs to one. */
  advance(states: readonly TicketState[], standing: Standing = this.#standing): readonly PlannedVersion[] {
    this.#standing = standing;
    return states.map((state) => {
      this.#version += 1;
      this.#state = state;
      return { ticket: this.ticket, version: this.#version, state, standing };
    });
  }

  /** Whether it is activated with the rest of its order. */
  get isActivatable(): boolean {
    const { revoked, held, disputed } = this.fate;
    return (revoked === null || revoked.isLate) && held !== 'held' && disputed === null;
  }

  /** Everything between the sale and the activation. */
  tellBefore(): void {
    const { revoked, held, transfers } = this.fate;
    const hold = SALE_OPENS + 7 * HOUR;
    const { ticket } = this;
    if (held !== null) {
      const note = 'payment unclear';
      this.#accepted(this.#at(hold, hold + HOUR, 'hold'), SAMPLE_ISSUER, { kind: 'hold', ticket, note }, 'HELD');
    }
    if (held === 'released') {
      const at = this.#at(hold + 2 * HOUR, hold + 12 * HOUR, 'release');
      this.#accepted(at, SAMPLE_ISSUER, { kind: 'release', ticket, note: 'paid' }, 'GOOD');
    }
    for (const [turn, percent] of transfers.entries()) this.#transfer(turn, percent);
    if (revoked !== null && !revoked.isLate) this.#revoke(this.#at(TRANSFERS_MIDDLE, TRANSFERS_UNTIL, 'revoke'));
  }

  /** Everything after the activation. */
  tellAfter(): void {
    const { revoked, disputed, isAbsent } = this.fate;
    if (revoked?.isLate) this.#revoke(this.#at(KICK_OFF - 20 * HOUR, KICK_OFF - 10 * HOUR, 'revoke'));
    if (disputed !== null) this.#dispute(disputed);
    if (isAbsent || revoked?.isPresented === false || disputed?.isPresented === false) return;
    this.#arrive(arrivalOf('ticket', this.index));
  }

  #at(from: number, until: number, what: string): number {
    return within(from, until, what, this.index);
  }

  #tell(at: number, [organisation, name]: Signing, operation: Operation, more: IntentMore = {}): Intent {
    const told = intentOf(at, step(organisation, `${name}/${this.index}`, operation), more);
    this.intents.push(told);
    return told;
  }

  /** Something that leaves the ticket in its state. */
  #accepted(at: number, organisation: string, operation: Operation, standing: Standing = this.#standing): void {
    this.#tell(at, [organisation, operation.kind], operation, { versions: this.advance([this.#state], standing) });
  }

  #revoke(at: number): void {
    const reason = this.fate.revoked?.reason ?? 'REFUND';
    this.#accepted(at, SAMPLE_ISSUER, { kind: 'revoke', ticket: this.ticket, reason, note: '' }, 'REVOKED');
  }

  #transfer(turn: number, percent: number | null): void {
    const windows = [TRANSFERS_FROM, TRANSFERS_MIDDLE, TRANSFERS_UNTIL - HOUR];
    const at = this.#at(windows[turn] ?? 0, windows[turn + 1] ?? 0, `transfer ${turn}`);
    const face = sampleTierOf(this.index).priceCents;
    const sell = (asked: number | null, name: string, offset: number, code: Refusal | null): void => {
      const operation: Operation = {
        kind: 'transfer',
        ticket: this.ticket,
        holder: sampleHolder(this.index, this.#transfers + 1),
        price: asked === null ? null : Math.round((face * asked) / 100),
        channel: asked === null ? 'DIRECT' : 'RESALE',
      };
      const versions = code === null ? this.advance([this.#state]) : [];
      this.#tell(at + offset, [asked === null ? SAMPLE_ISSUER : this.#options.market, name], operation, {
        code,
        versions,
      });
    };
    const isDear = percent !== null && percent > SAMPLE_RESALE_PERCENT;
    if (isDear) sell(percent, `transfer/${turn}/dear`, 0, 'PRICE_ABOVE_CAP');
    sell(isDear ? SAMPLE_RESALE_PERCENT : percent, `transfer/${turn}`, isDear ? HOUR / 2 : 0, null);
    this.#transfers += 1;
  }

  #dispute({ opener, reason, end }: NonNullable<Fate['disputed']>): void {
    const { ticket } = this;
    const validate: Operation = { kind: 'validate', tickets: [ticket] };
    this.#tell(KICK_OFF - 25 * HOUR, [SAMPLE_ISSUER, 'validate'], validate, { versions: this.advance(['VALIDATED']) });
    const at = this.#at(KICK_OFF - 5 * HOUR, KICK_OFF - 3 * HOUR, 'dispute');
    const operation: Operation = { kind: 'dispute', ticket, reason, note: '', gate: null };
    this.#tell(at, [opener, 'dispute'], operation, { versions: this.advance(['DISPUTED']) });
    this.#settle(end);
  }

  /** How a case about the ticket ends. */
  #settle(end: CaseEnd): void {
    if (end === 'OPEN') return;
    const at = this.#at(KICK_OFF + 15 * HOUR, KICK_OFF + 21 * HOUR, 'resolve');
    const isReissued = end === 'REISSUED' && this.#options.hasRoom;
    const outcome = end === 'SELF_JUDGED' ? 'UPHELD' : end === 'REISSUED' && !isReissued ? 'REFUNDED' : end;
    const replacement = isReissued
      ? {
          event: SAMPLE_EVENT,
          tier: sampleTierOf(this.index).tier,
          ticket: TicketId(drawName('replacement', this.index)),
          seat: null,
          gate: null,
          data: new Uint8Array(),
        }
      : null;
    const operation: Operation = { kind: 'resolve', ticket: this.ticket, outcome, note: '', replacement };
    if (end === 'SELF_JUDGED') {
      this.#tell(at, [ARBITER, 'resolve'], operation, { code: 'SELF_ARBITRATION' });
      return;
    }
    const issued: readonly PlannedVersion[] =
      replacement === null ? [] : [{ ticket: replacement.ticket, version: 1, state: 'ISSUED', standing: 'GOOD' }];
    this.#tell(at, [ARBITER, 'resolve'], operation, { versions: [...issued, ...this.advance([this.#state])] });
  }

  #arrive(arrival: Arrival): void {
    const { clone, isResent } = this.fate;
    const isActivated = this.#state === 'VALIDATED';
    if (this.#state === 'ISSUED' && this.#standing === 'GOOD' && chance(0.02, 'wrong lane', this.index)) {
      this.#scan('lane', 'consume', { ...arrival, at: arrival.at - 20_000 });
    }
    const kind = isActivated && chance(0.5, 'lane', this.index) ? 'consume' : 'admit';
    const scanned = this.#scan('scan', kind, arrival);
    if (isResent) this.intents.push({ ...scanned, at: scanned.at + RESENT_AFTER, repeats: true, versions: [] });
    if (clone === null) return;
    const gate = (arrival.gate + 1 + Math.floor(this.index % (GATES.length - 1))) % GATES.length;
    const copy = this.#scan('copy', 'admit', heldUp({ gate, at: arrival.at + clone.delayMs }));
    if (clone.contested !== null) this.#contest(copy, clone.contested);
  }

  #scan(name: string, kind: 'consume' | 'admit', { gate, at }: Arrival): Intent {
    const operation: Operation = { kind, ticket: this.ticket, gate: GateId(`gate-${GATES[gate]}`) };
    const code = this.#refusalOf(kind);
    const path: readonly TicketState[] = this.#state === 'ISSUED' ? ['VALIDATED', 'CONSUMED'] : ['CONSUMED'];
    return this.#tell(
      at,
      [GATE_OPERATOR, name],
      operation,
      code === null ? { versions: this.advance(path) } : { code },
    );
  }

  #refusalOf(kind: 'consume' | 'admit'): Refusal | null {
    if (this.#state === 'CONSUMED') return 'ALREADY_CONSUMED';
    if (this.#state === 'DISPUTED') return 'TICKET_DISPUTED';
    if (this.#standing === 'REVOKED') return 'TICKET_REVOKED';
    if (this.#standing === 'HELD') return 'TICKET_HELD';
    return kind === 'consume' && this.#state === 'ISSUED' ? 'NOT_VALIDATED' : null;
  }

  /** Somebody looks into an admission because a copy was shown after it. */
  #contest(copy: Intent, end: CaseEnd): void {
    const operation: Operation = {
      kind: 'case.open',
      ticket: this.ticket,
      reason: 'DOUBLE_ADMISSION',
      note: 'a copy was shown at another gate',
      evidence: null,
    };
    this.#tell(this.#at(KICK_OFF + 3 * HOUR, KICK_OFF + 5 * HOUR, 'case'), [GATE_OPERATOR, 'case'], operation, {
      versions: this.advance([this.#state]),
      after: [copy.idempotencyKey],
      evidence: copy.idempotencyKey,
    });
    this.#settle(end);
  }
}
