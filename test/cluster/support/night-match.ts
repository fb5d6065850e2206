import { defined } from '../../../src/lib/assert.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';
import {
  EventId,
  GateId,
  type Hash,
  hashOfBytes,
  OrganisationId,
  TicketId,
  TierId,
  Timestamp,
} from '../../../src/model/ids.ts';
import type { NewTicket, Operation, Role } from '../../../src/model/operation.ts';
import { value } from './chain-audit.ts';
import type { NodeProcess } from './node-process.ts';
import { signed } from './transactions.ts';

export const MATCH = EventId('night-match');
export const STAND = TierId('stand');
export const STAND_TIER = { price: 4_500, capacity: 1_000, capPercent: 110 };
const GATES = { north: GateId('north'), south: GateId('south.2') };
const WAIT_MS = 20_000;

/** Something that is done or tried at the match, and what a correct ledger says to it. */
interface Step {
  readonly by: string;
  readonly operation: Operation;
  /** Why it is refused. */
  readonly code?: string;
  readonly key?: string;
  readonly statements?: string;
  /** The same again under the same key. */
  readonly isRepeat?: boolean;
  /** By which a later step finds its transaction. */
  readonly name?: string;
}

const BOX = 'boxoffice';
const TICKETS = ['n-1', 'n-2', 'n.3', 'n-4', 'n-5', 'n-6', 'n-7', 'n-8', 'n-9'];
const STATEMENTS = [
  '<http://localhost/id/ticket/n-1> <http://schema.org/description> "row A, \\"Harbour\\" side"@en .\n',
  '<http://localhost/id/ticket/n-1> <http://schema.org/sameAs> <https://boxoffice.example/order/7731> .\n',
].join('');

function holderOf(name: string): Hash {
  return hashOfBytes(sha256(utf8(name)));
}

function ticket(name: string): NewTicket {
  const seat = name.replace(/^n/, 'A');
  return { ticket: TicketId(name), seat, gate: null, holder: holderOf(name), data: new Uint8Array() };
}

function opening(startsAt: Timestamp): readonly Step[] {
  const by = (operation: Operation): Step => ({ by: 'federation', operation });
  const grant = (organisation: string, role: Role): Step =>
    by({ kind: 'role.grant', event: MATCH, organisation: OrganisationId(organisation), role });
  return [
    by({ kind: 'event.create', event: MATCH, title: 'Night match', startsAt, capacity: STAND_TIER.capacity }),
    by({
      kind: 'tier.create',
      event: MATCH,
      tier: STAND,
      title: 'Stand',
      price: STAND_TIER.price,
      currency: 'EUR',
      capacity: STAND_TIER.capacity,
      validFrom: null,
      validThrough: null,
      transfer: { allowed: true, transfersMax: 2, until: null, resalePercentMax: STAND_TIER.capPercent },
    }),
    grant(BOX, 'issuer'),
    grant('venue', 'venue'),
    grant('venue', 'gate'),
    grant('city', 'venue'),
    grant('city', 'arbiter'),
    grant('city', 'gate'),
    by({ kind: 'role.revoke', event: MATCH, organisation: OrganisationId('city'), role: 'gate' }),
  ];
}

const scan = (kind: 'consume' | 'admit', name: string, gate: keyof typeof GATES, more: Partial<Step> = {}): Step => ({
  by: 'venue',
  operation: { kind, ticket: TicketId(name), gate: GATES[gate] },
  ...more,
});

const transfer = (price: number, more: Partial<Step> = {}): Step => ({
  by: BOX,
  operation: { kind: 'transfer', ticket: TicketId('n.3'), holder: holderOf(`${price}`), price, channel: 'RESALE' },
  ...more,
});

const remark = (kind: 'hold' | 'release'): Step => ({
  by: BOX,
  operation: { kind, ticket: TicketId('n-4'), note: 'the payment is looked into' },
});

const SALE: readonly Step[] = [
  {
    by: BOX,
    operation: { kind: 'issue', event: MATCH, tier: STAND, tickets: TICKETS.map(ticket) },
    key: 'order-7731',
    statements: STATEMENTS,
  },
  {
    by: BOX,
    operation: { kind: 'validate', tickets: ['n-1', 'n-2', 'n.3', 'n-4', 'n-5', 'n-9'].map(TicketId) },
  },
  transfer(4_950),
  transfer(4_951, { code: 'PRICE_ABOVE_CAP' }),
];

const SCANS: readonly Step[] = [
  scan('consume', 'n-1', 'north', { key: 'scan-1' }),
  scan('consume', 'n-1', 'south', { code: 'ALREADY_CONSUMED', key: 'scan-2', name: 'copy' }),
  scan('consume', 'n-1', 'north', { key: 'scan-1', isRepeat: true }),
  scan('admit', 'n-6', 'south'),
  scan('admit', 'n-6', 'north', { code: 'ALREADY_CONSUMED' }),
  scan('consume', 'n-7', 'north', { code: 'NOT_VALIDATED' }),
  scan('admit', 'forged', 'north', { code: 'UNKNOWN_TICKET' }),
  remark('hold'),
  scan('admit', 'n-4', 'north', { code: 'TICKET_HELD' }),
  remark('release'),
  scan('admit', 'n-4', 'north'),
  { by: BOX, operation: { kind: 'revoke', ticket: TicketId('n-5'), reason: 'REFUND', note: 'refunded' } },
  scan('admit', 'n-5', 'north', { code: 'TICKET_REVOKED' }),
];

const REISSUED: Operation = {
  kind: 'resolve',
  ticket: TicketId('n-2'),
  outcome: 'REISSUED',
  note: 'a new one',
  replacement: {
    event: MATCH,
    tier: STAND,
    ticket: TicketId('n-2-new'),
    seat: null,
    gate: null,
    data: new Uint8Array(),
  },
};

function decisions(copy: Hash): readonly Step[] {
  const dispute = (by: string, name: string): Step => ({
    by,
    operation: {
      kind: 'dispute',
      ticket: TicketId(name),
      reason: 'DOUBLE_SALE',
      note: 'sold twice',
      gate: GATES.north,
    },
  });
  const resolve = (name: string, more: Partial<Step> = {}): Step => ({
    by: 'city',
    operation: { kind: 'resolve', ticket: TicketId(name), outcome: 'UPHELD', note: '', replacement: null },
    ...more,
  });
  return [
    dispute(BOX, 'n-2'),
    { by: 'city', operation: REISSUED },
    dispute('city', 'n-9'),
    resolve('n-9', { code: 'SELF_ARBITRATION' }),
    {
      by: BOX,
      operation: {
        kind: 'case.open',
        ticket: TicketId('n-1'),
        reason: 'DOUBLE_ADMISSION',
        note: 'a copy was shown',
        evidence: copy,
      },
    },
    resolve('n-1'),
  ];
}

/** Every kind of operation once and more, with refusals of many kinds: sent to one node after another, and final. */
export async function playNightMatch(chainId: Hash, nodes: readonly NodeProcess[]): Promise<void> {
  const named = new Map<string, Hash>();
  let sent = 0;
  const play = async (steps: readonly Step[]): Promise<void> => {
    for (const { by, operation, code, key, statements, isRepeat = false, name } of steps) {
      const body = { idempotencyKey: key ?? null, statements: statements ?? null };
      const transaction = signed(chainId, by, operation, body);
      const { client } = defined(nodes[sent % nodes.length], 'there is a node to ask');
      sent += 1;
      const answered = await client.submit(transaction, { waitMs: WAIT_MS });
      // A refusal is final as well, and answered as an error.
      if (!answered.ok && answered.error.height === undefined) value(answered);
      const seen = value(await client.transaction(transaction.id));
      if (seen.state !== 'final') throw new Error(`${operation.kind} is not final in ${WAIT_MS} ms`);
      const { receipt } = seen;
      const isAsPlanned = receipt.code === code && (receipt.replay_of !== undefined) === isRepeat;
      if (!isAsPlanned) throw new Error(`${operation.kind} of ${by} brought ${JSON.stringify(receipt)}`);
      if (name !== undefined) named.set(name, transaction.id);
    }
  };
  await play(opening(Timestamp(Date.now())));
  await play(SALE);
  await play(SCANS);
  await play(decisions(defined(named.get('copy'), 'a copy was shown')));
}
