import type { AdmitAnswer, HistoryAnswer, TicketAnswer } from '../client/answers.ts';
import type { Client } from '../client/http.ts';
import { utf8 } from '../lib/bytes.ts';
import { EventId, GateId, TicketId, TierId } from '../model/ids.ts';
import { DISPUTE_REASONS } from '../model/operation.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect, failureError } from './node-client.ts';
import type { NodeOptions, WriteCommandOptions } from './node-options.ts';
import type { Terminal } from './terminal.ts';
import { checkedCode, checkedName, signed, write, writeOptions } from './ticket-writing.ts';

export interface IssueOptions extends WriteCommandOptions {
  readonly event: string;
  readonly tier: string;
  readonly seat?: string;
  readonly gate?: string;
  readonly data?: string;
}

export interface ScanOptions extends WriteCommandOptions {
  readonly gate?: string;
}

export interface DisputeOptions extends ScanOptions {
  readonly reason: string;
  readonly note?: string;
}

export interface ListOptions extends NodeOptions {
  readonly state?: string;
  readonly limit: string;
}

const GATE = 'main';
const PAGE = 500;

export async function issueTickets(
  invocation: Invocation,
  tickets: readonly string[],
  options: IssueOptions,
): Promise<void> {
  const { event, tier, seat = null, gate = null, data } = options;
  if (seat !== null && tickets.length > 1) throw new CommandError('USAGE', '--seat is for a single ticket.');
  const operation = {
    kind: 'issue' as const,
    event: EventId(checkedName(event)),
    tier: TierId(checkedName(tier)),
    tickets: tickets.map((ticket) => ({
      ticket: TicketId(checkedName(ticket)),
      seat,
      gate: gate === null ? null : GateId(checkedName(gate)),
      holder: null,
      data: utf8(data ?? ''),
    })),
  };
  const base64 = data === undefined ? null : Buffer.from(data).toString('base64');
  const fields = tickets.map((ticket_id) => ({ ticket_id, seat, gate, data: base64 }));
  await write(invocation, { tickets, options, operation, became: 'ISSUED' }, (client, more) =>
    client.issue({ event_id: event, tier_id: tier, tickets: fields }, more),
  );
}

export async function validateTickets(
  invocation: Invocation,
  tickets: readonly string[],
  options: WriteCommandOptions,
): Promise<void> {
  const operation = { kind: 'validate' as const, tickets: tickets.map((id) => TicketId(checkedName(id))) };
  await write(invocation, { tickets, options, operation, became: 'VALIDATED' }, (client, more) =>
    client.validate({ tickets }, more),
  );
}

export async function consumeTicket(invocation: Invocation, ticket: string, options: ScanOptions): Promise<void> {
  const operation = await scan('consume', invocation, ticket, options);
  await write(invocation, { tickets: [ticket], options, operation, became: 'CONSUMED' }, (client, more) =>
    client.consume({ ticket_id: ticket, gate: options.gate ?? null }, more),
  );
}

export async function disputeTicket(invocation: Invocation, ticket: string, options: DisputeOptions): Promise<void> {
  const { gate = null, note = '' } = options;
  const reason = checkedCode(options.reason, '--reason', DISPUTE_REASONS);
  const operation = {
    kind: 'dispute' as const,
    ticket: TicketId(checkedName(ticket)),
    reason,
    note: note.normalize('NFC'),
    gate: gate === null ? null : GateId(checkedName(gate)),
  };
  await write(invocation, { tickets: [ticket], options, operation, became: 'DISPUTED' }, (client, more) =>
    client.dispute({ ticket_id: ticket, reason, note, gate }, more),
  );
}

/** A refused scan is an answer; only its exit code tells that nobody came in. */
export async function admitTicket(invocation: Invocation, ticket: string, options: ScanOptions): Promise<void> {
  const { terminal } = invocation;
  const ticket_id = checkedName(ticket);
  if (options.key !== undefined) {
    const operation = await scan('admit', invocation, ticket, options);
    const decided = await signed(invocation, operation, options);
    terminal.result({ decision: 'ADMIT', ...decided }, () =>
      admitText(terminal, ticket, { decision: 'ADMIT', height: decided.height }),
    );
    return;
  }
  const client = await connect(invocation, options);
  const answer = answerOf(await client.admit({ ticket_id, gate: options.gate ?? null }, writeOptions(options)));
  terminal.result(answer, () => admitText(terminal, ticket, answer));
  if (answer.decision === 'ADMIT') return;
  throw new CommandError(
    'REFUSED',
    `${ticket} was not admitted.`,
    answer.code === undefined ? {} : { code: answer.code },
  );
}

function admitText(
  { style }: Terminal,
  ticket: string,
  { decision, code, detail, height }: Pick<AdmitAnswer, 'decision' | 'code' | 'detail' | 'height'>,
): string {
  if (decision === 'ADMIT') return `${style.green('ADMIT')} ${ticket}, final at height ${height}`;
  return `${style.red('REFUSE')} ${code} at height ${height}: ${detail ?? ticket}`;
}

/** Without `--gate` a scan happens at the ticket's own gate, if it has one. */
async function scan<Kind extends 'consume' | 'admit'>(
  kind: Kind,
  invocation: Invocation,
  ticket: string,
  options: ScanOptions,
): Promise<{ readonly kind: Kind; readonly ticket: TicketId; readonly gate: GateId }> {
  const id = TicketId(checkedName(ticket));
  if (options.gate !== undefined) return { kind, ticket: id, gate: GateId(checkedName(options.gate)) };
  if (options.key === undefined) return { kind, ticket: id, gate: GateId(GATE) };
  const known = await (await connect(invocation, options)).ticket(ticket);
  if (!known.ok && known.error.code !== 'UNKNOWN_TICKET') throw failureError(known.error);
  return { kind, ticket: id, gate: GateId((known.ok ? known.value.gate : null) ?? GATE) };
}

export async function showTicket(invocation: Invocation, ticket: string, options: NodeOptions): Promise<void> {
  const id = checkedName(ticket);
  const client = await connect(invocation, options);
  const found = answerOf(await client.ticket(id));
  const versions = await historyOf(client, id);
  invocation.terminal.result({ ...found, versions }, () => {
    const history = versions.map(
      ({ version, state, type, at, height, agent, gate }) =>
        `  v${version}  ${at}  ${state.padEnd(9)}  ${type} by ${agent}${gate === undefined ? '' : ` at ${gate}`}, height ${height}`,
    );
    return [ticketLine(found), ...history].join('\n');
  });
}

async function historyOf(client: Client, ticket: string): Promise<HistoryAnswer['versions']> {
  const versions: HistoryAnswer['versions'][number][] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const page: HistoryAnswer = answerOf(await client.history(ticket, { cursor }));
    versions.push(...page.versions);
    cursor = page.next;
  }
  return versions;
}

function ticketLine({ id, state, standing, version, event_id, tier_id, seat }: TicketAnswer): string {
  const place = `${event_id}/${tier_id}${seat === null ? '' : `  ${seat}`}`;
  return `${id}  ${state.padEnd(9)}  v${version}  ${place}${standing === 'GOOD' ? '' : `  ${standing}`}`;
}

export async function listTickets(invocation: Invocation, options: ListOptions): Promise<void> {
  const limit = wholeNumber(options.limit, '--limit', 1, Number.MAX_SAFE_INTEGER);
  const client = await connect(invocation, options);
  const state = options.state === undefined ? {} : { state: options.state };
  let left = limit;
  for (let cursor: string | null | undefined; left > 0 && cursor !== null; ) {
    const query = { ...state, limit: Math.min(left, PAGE), ...(cursor === undefined ? {} : { cursor }) };
    const page = answerOf(await client.tickets(query));
    for (const ticket of page.tickets) invocation.terminal.result(ticket, () => ticketLine(ticket));
    left -= page.tickets.length;
    cursor = page.next;
  }
}
