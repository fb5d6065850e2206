import { defined } from '../lib/assert.ts';
import { GateId, OrganisationId, TicketId, TierId, type Timestamp } from '../model/ids.ts';
import { type Operation, type Role, ticketsNamed } from '../model/operation.ts';
import { SAMPLE_ISSUER, type SampleGrant, sampleCatalogueFor, sampleEventAt, step } from './catalogue.ts';
import { below, chance, drawHash, drawName } from './draw.ts';
import { type Intent, intentOf } from './intent.ts';
import { Story, type StoryOptions } from './story.ts';
import {
  SAMPLE_CAPACITY,
  SAMPLE_EVENT,
  SAMPLE_TIERS,
  type SampleTicket,
  sampleTicket,
  sampleTicketId,
  sampleTierOf,
} from './tickets.ts';
import { arrivalOf, GATES, HOUR, KICK_OFF, purchaseTime, SALE_OPENS, within } from './timeline.ts';

/** Tickets of the sizes that the sample comes in. */
export const SAMPLE_SIZES = { S: 500, M: 10_000, L: SAMPLE_CAPACITY } as const;
export type SampleSize = keyof typeof SAMPLE_SIZES;

export interface PlanOptions {
  readonly tickets: number;
  /** What each organisation may do; whoever creates the event comes first. */
  readonly grants: readonly SampleGrant[];
  /** Who transfers what is sold on: a marketplace, or an issuer. */
  readonly market: string;
  readonly startsAt: Timestamp;
}

/**
 * Every transaction of the sample in the order of its time, with what a correct ledger makes of each. Until it is final
 * none of those that depend on it may be sent: see `roundsOf`.
 */
export function planSample({ tickets, grants, market, startsAt }: PlanOptions): readonly Intent[] {
  const catalogue = [sampleEventAt(startsAt), ...sampleCatalogueFor(grants)];
  const opening = catalogue.map((one, index) => intentOf(index === 0 ? HOUR / 4 : HOUR / 2, one));
  const stories = { market, hasRoom: tickets < SAMPLE_CAPACITY };
  const lives = SAMPLE_TIERS.flatMap(({ tier }) => ordersOf(tier, tickets, stories));
  const all = [...opening, ...lives, ...forgeries(tickets), ...mistakes(grants)];
  return all.sort((a, b) => a.at - b.at);
}

/** Orders of one to four tickets of a tier. */
function ordersOf(tier: TierId, tickets: number, options: StoryOptions): readonly Intent[] {
  const indices: number[] = [];
  for (let index = 0; index < tickets; index += 1) if (sampleTierOf(index).tier === tier) indices.push(index);
  const intents: Intent[] = [];
  for (let from = 0, order = 0; from < indices.length; order += 1) {
    const size = 1 + below(4, 'order', tier, order);
    intents.push(...tellOrder({ tier, order, indices: indices.slice(from, from + size) }, options));
    from += size;
  }
  return intents;
}

interface Order {
  readonly tier: TierId;
  readonly order: number;
  readonly indices: readonly number[];
}

function tellOrder({ tier, order, indices }: Order, options: StoryOptions): readonly Intent[] {
  const stories = indices.map((index) => new Story(index, options));
  const name = `${tier}/${order}`;
  const issue: Operation = {
    kind: 'issue',
    event: SAMPLE_EVENT,
    tier,
    tickets: indices.map((index) => withoutTier(sampleTicket(index))),
  };
  const issued = stories.flatMap((story) => story.advance(['ISSUED']));
  const at = purchaseTime('order', tier, order);
  const own = [intentOf(at, step(SAMPLE_ISSUER, `order/${name}`, issue), { versions: issued })];
  for (const story of stories) story.tellBefore();
  const active = stories.filter((story) => story.isActivatable);
  // Some forget it, and are activated at the gate.
  if (active.length > 0 && !chance(0.1, 'forgotten', tier, order)) {
    const validate: Operation = { kind: 'validate', tickets: active.map((story) => story.ticket) };
    const versions = active.flatMap((story) => story.advance(['VALIDATED']));
    const when = within(KICK_OFF - 30 * HOUR, KICK_OFF - 26 * HOUR, 'activation', tier, order);
    own.push(intentOf(when, step(SAMPLE_ISSUER, `activation/${name}`, validate), { versions }));
  }
  for (const story of stories) story.tellAfter();
  return [...own, ...stories.flatMap((story) => story.intents)];
}

function withoutTier({ tier: _, ...ticket }: SampleTicket): Omit<SampleTicket, 'tier'> {
  return ticket;
}

/** Tickets that nobody ever issued, one for every five hundred. */
function forgeries(tickets: number): readonly Intent[] {
  return Array.from({ length: Math.ceil(tickets / 500) }, (_, index) => {
    const { gate, at } = arrivalOf('forgery', index);
    const ticket = TicketId(drawName('forgery', index));
    const operation: Operation = { kind: 'admit', ticket, gate: GateId(`gate-${GATES[gate]}`) };
    return intentOf(at, step('venue', `forgery/${index}`, operation), { code: 'UNKNOWN_TICKET' });
  });
}

/** What offices ask for and do not get. */
function mistakes(grants: readonly SampleGrant[]): readonly Intent[] {
  const at = SALE_OPENS + 7 * HOUR;
  const cat1 = defined(SAMPLE_TIERS[0], 'the sample has tiers').tier;
  const order = `sample/order/${cat1}/0`;
  const first = withoutTier(sampleTicket(0));
  const fresh = { ...first, ticket: TicketId(drawName('mistake', 0)), holder: drawHash('mistake', 0) };
  const issue = (tier: TierId, ticket: typeof first): Operation => ({
    kind: 'issue',
    event: SAMPLE_EVENT,
    tier,
    tickets: [ticket],
  });
  const granted = defined(
    grants.find(({ organisation }) => organisation === SAMPLE_ISSUER),
    'somebody sells',
  );
  const role: Role = 'issuer';
  const grant: Operation = {
    kind: 'role.grant',
    event: SAMPLE_EVENT,
    organisation: OrganisationId(granted.organisation),
    role,
  };
  const again: Operation = { kind: 'validate', tickets: [sampleTicketId(0)] };
  return [
    intentOf(at, step(SAMPLE_ISSUER, 'mistake/id', issue(cat1, first)), { code: 'DUPLICATE_ID', after: [order] }),
    intentOf(at, step(SAMPLE_ISSUER, 'mistake/seat', issue(cat1, fresh)), { code: 'SEAT_TAKEN', after: [order] }),
    intentOf(at, step(SAMPLE_ISSUER, 'mistake/tier', issue(TierId('cat9'), fresh)), { code: 'UNKNOWN_TIER' }),
    intentOf(
      at,
      { ...step(SAMPLE_ISSUER, '', again), idempotencyKey: order },
      {
        code: 'IDEMPOTENCY_KEY_REUSED',
        after: [order],
      },
    ),
    intentOf(at, step('federation', 'mistake/role', grant), { code: 'ROLE_ALREADY_HELD' }),
  ];
}

/**
 * The same in rounds, for a network whose clock goes its own way: those of a round may be sent at once and in any order,
 * when all before are final. Each ticket goes through its life in order.
 */
export function roundsOf(intents: readonly Intent[]): readonly (readonly Intent[])[] {
  const rounds: Intent[][] = [];
  const last = new Map<string, number>();
  for (const intent of intents) {
    const { kind } = intent.operation;
    const isOpening = kind === 'event.create' ? 0 : kind === 'tier.create' || kind === 'role.grant' ? 1 : 2;
    const opening = intent.code === null ? isOpening : 2;
    const before = [...ticketsNamed(intent.operation), ...intent.after, intent.idempotencyKey];
    const round = before.reduce((latest, name) => Math.max(latest, (last.get(name) ?? -1) + 1), opening);
    for (const name of before) if (!intent.after.includes(name)) last.set(name, round);
    while (rounds.length <= round) rounds.push([]);
    rounds[round]?.push(intent);
  }
  return rounds;
}
