import { utf8 } from '../lib/bytes.ts';
import { EventId, GateId, Hash, isHex, TicketId, TierId } from '../model/ids.ts';
import {
  CASE_OUTCOMES,
  DISPUTE_REASONS,
  type Operation,
  REVOCATION_REASONS,
  type Replacement,
  TRANSFER_CHANNELS,
} from '../model/operation.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect } from './node-client.ts';
import type { WriteCommandOptions } from './node-options.ts';
import { checkedCode, checkedName, write } from './ticket-writing.ts';

export interface TransferOptions extends WriteCommandOptions {
  readonly holder: string;
  readonly price?: string;
  readonly channel: string;
}

export interface RemarkOptions extends WriteCommandOptions {
  readonly note?: string;
}

export interface RevokeOptions extends RemarkOptions {
  readonly reason: string;
}

export interface CaseOptions extends RemarkOptions {
  readonly reason: string;
  readonly evidence?: string;
}

export interface ResolveOptions extends RemarkOptions {
  readonly outcome: string;
  readonly replacement?: string;
  readonly event?: string;
  readonly tier?: string;
  readonly seat?: string;
  readonly gate?: string;
  readonly data?: string;
}

export async function transferTicket(invocation: Invocation, ticket: string, options: TransferOptions): Promise<void> {
  const channel = checkedCode(options.channel, '--channel', TRANSFER_CHANNELS);
  const price = options.price === undefined ? null : wholeNumber(options.price, '--price', 0, Number.MAX_SAFE_INTEGER);
  if (channel === 'RESALE' && price === null) {
    throw new CommandError('USAGE', 'A resale names what was paid: --price <number>.');
  }
  const holder = checkedHash(options.holder, '--holder');
  const operation = { kind: 'transfer' as const, ticket: TicketId(checkedName(ticket)), holder, price, channel };
  await write(invocation, { tickets: [ticket], options, operation, became: 'has another holder' }, (client, more) =>
    client.transfer({ ticket_id: ticket, holder, price, channel }, more),
  );
}

export async function remarkTicket(
  invocation: Invocation,
  kind: 'hold' | 'release',
  ticket: string,
  options: RemarkOptions,
): Promise<void> {
  const operation = { kind, ticket: TicketId(checkedName(ticket)), note: noteOf(options) };
  const became = kind === 'hold' ? 'HELD' : 'GOOD';
  await write(invocation, { tickets: [ticket], options, operation, became }, (client, more) =>
    client[kind]({ ticket_id: ticket, note: operation.note }, more),
  );
}

export async function revokeTicket(invocation: Invocation, ticket: string, options: RevokeOptions): Promise<void> {
  const reason = checkedCode(options.reason, '--reason', REVOCATION_REASONS);
  const operation = { kind: 'revoke' as const, ticket: TicketId(checkedName(ticket)), reason, note: noteOf(options) };
  await write(invocation, { tickets: [ticket], options, operation, became: 'REVOKED' }, (client, more) =>
    client.revoke({ ticket_id: ticket, reason, note: operation.note }, more),
  );
}

export async function openTicketCase(invocation: Invocation, ticket: string, options: CaseOptions): Promise<void> {
  const reason = checkedCode(options.reason, '--reason', DISPUTE_REASONS);
  const evidence = options.evidence === undefined ? null : checkedHash(options.evidence, '--evidence');
  const note = noteOf(options);
  const operation = { kind: 'case.open' as const, ticket: TicketId(checkedName(ticket)), reason, note, evidence };
  await write(invocation, { tickets: [ticket], options, operation, became: 'has an open case' }, (client, more) =>
    client.openCase({ ticket_id: ticket, reason, note, evidence }, more),
  );
}

export async function resolveTicket(invocation: Invocation, ticket: string, options: ResolveOptions): Promise<void> {
  const outcome = checkedCode(options.outcome, '--outcome', CASE_OUTCOMES);
  if ((outcome === 'REISSUED') !== (options.replacement !== undefined)) {
    throw new CommandError('USAGE', '--replacement <ticket> goes with --outcome REISSUED, and with no other.');
  }
  const note = noteOf(options);
  const replacement = await replacementOf(invocation, checkedName(ticket), options);
  const operation: Operation & { kind: 'resolve' } = {
    kind: 'resolve',
    ticket: TicketId(ticket),
    outcome,
    note,
    replacement,
  };
  const became = replacement === null ? `case ${outcome}` : `case ${outcome} as ${replacement.ticket}`;
  await write(invocation, { tickets: [ticket], options, operation, became }, (client, more) =>
    client.resolve({ ticket_id: ticket, outcome, note, replacement: fieldsOf(replacement) }, more),
  );
}

/** Event and tier are those of the ticket unless told otherwise. */
async function replacementOf(
  invocation: Invocation,
  ticket: string,
  options: ResolveOptions,
): Promise<Replacement | null> {
  if (options.replacement === undefined) return null;
  const { event, tier, seat, gate, data } = options;
  const placed = {
    ticket: TicketId(checkedName(options.replacement)),
    seat: seat === undefined ? null : checkedName(seat),
  };
  const rest = { gate: gate === undefined ? null : GateId(checkedName(gate)), data: utf8(data ?? '') };
  if (event !== undefined && tier !== undefined) {
    return { event: EventId(checkedName(event)), tier: TierId(checkedName(tier)), ...placed, ...rest };
  }
  const known = answerOf(await (await connect(invocation, options)).ticket(ticket));
  const place = {
    event: EventId(checkedName(event ?? known.event_id)),
    tier: TierId(checkedName(tier ?? known.tier_id)),
  };
  return { ...place, ...placed, ...rest };
}

function fieldsOf(replacement: Replacement | null) {
  if (replacement === null) return null;
  const { event, tier, ticket, seat, gate, data } = replacement;
  return {
    ticket_id: ticket,
    event_id: event,
    tier_id: tier,
    seat,
    gate,
    data: Buffer.from(data).toString('base64'),
  };
}

function noteOf({ note = '' }: RemarkOptions): string {
  return note.normalize('NFC');
}

function checkedHash(text: string, option: string): Hash {
  if (isHex(text, 32)) return Hash(text);
  throw new CommandError('USAGE', `${option} is 64 digits of lower-case hex, not ${JSON.stringify(text)}.`);
}
