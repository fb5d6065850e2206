import type { HistoryAnswer, SeedAnswer, TicketsAnswer } from '../client/answers.ts';
import { err, ok, type Result } from '../lib/result.ts';
import {
  API_BODY_BYTES_MAX,
  API_ISSUE_BODY_BYTES_MAX,
  API_PAGE,
  API_PAGE_MAX,
  API_WAIT_MS,
} from '../model/http-limits.ts';
import { type GateId, isName, TicketId } from '../model/ids.ts';
import { TICKET_STATES } from '../model/ticket.ts';
import type { Intent } from '../model/transaction.ts';
import {
  type ApiRequest,
  badField,
  json,
  type Outcome,
  type Route,
  waitParameter,
  wholeParameter,
} from './exchange.ts';
import { parseNothing } from './fields.ts';
import { type Asked, parseDispute, parseIssue, parseScan, parseValidate } from './operations.ts';
import type { Reader, Seed } from './ports.ts';
import { fail, type Problem } from './problems.ts';
import { parseCase, parseRemark, parseResolve, parseRevoke, parseTransfer } from './remedies.ts';
import { parseWrite, readStated } from './statements.ts';
import { ticketView, versionView } from './views.ts';
import {
  admitOutcome,
  idempotencyKeyOf,
  notAdmitted,
  type Writer,
  type Written,
  write,
  writeOutcome,
} from './writes.ts';

export interface TicketRoutes extends Writer {
  readonly seed: Seed | undefined;
  /** Told of sample tickets that came onto the chain. */
  readonly onSeeded: (seeded: SeedAnswer) => void;
  /** Where a scan takes place that does not say so, of a ticket that no gate is assigned to. */
  readonly gate: GateId;
}

/** What can be done to tickets, and asked about them. */
export function ticketRoutes(dependencies: TicketRoutes): readonly Route[] {
  return [...writeRoutes(dependencies), ...seedRoutes(dependencies), ...readRoutes(dependencies.reader)];
}

interface Transition {
  /** The last part of its path. */
  readonly name: string;
  readonly example: string;
  readonly bytesMax: number;
  readonly parse: (fields: unknown) => Result<Asked, Problem>;
}

function transitions({ reader, gate }: TicketRoutes): readonly Transition[] {
  const gateOf = (ticket: TicketId): GateId => reader.ticket(ticket)?.gate ?? gate;
  const example = '{"ticket_id":"ID"}';
  const bytesMax = API_BODY_BYTES_MAX;
  return [
    {
      name: 'issue',
      example: '{"event_id":"EVENT","tier_id":"TIER","ticket_id":"ID"}',
      bytesMax: API_ISSUE_BODY_BYTES_MAX,
      parse: parseIssue,
    },
    { name: 'validate', example, bytesMax, parse: parseValidate },
    { name: 'consume', example, bytesMax, parse: (body) => parseScan('consume', body, gateOf) },
    { name: 'admit', example, bytesMax, parse: (body) => parseScan('admit', body, gateOf) },
    { name: 'dispute', example: '{"ticket_id":"ID","reason":"FRAUD"}', bytesMax, parse: parseDispute },
    ...remedies(reader),
  ];
}

function remedies(reader: Reader): readonly Transition[] {
  const placeOf = (ticket: TicketId) => reader.ticket(ticket);
  const example = '{"ticket_id":"ID"}';
  const rows: readonly Omit<Transition, 'bytesMax'>[] = [
    { name: 'transfer', example: '{"ticket_id":"ID","holder":"HASH"}', parse: parseTransfer },
    { name: 'hold', example, parse: (body) => parseRemark('hold', body) },
    { name: 'release', example, parse: (body) => parseRemark('release', body) },
    { name: 'revoke', example: '{"ticket_id":"ID","reason":"REFUND"}', parse: parseRevoke },
    { name: 'case', example: '{"ticket_id":"ID","reason":"FRAUD"}', parse: parseCase },
    {
      name: 'resolve',
      example: '{"ticket_id":"ID","outcome":"REJECTED"}',
      parse: (body) => parseResolve(body, placeOf),
    },
  ];
  return rows.map((row) => ({ ...row, bytesMax: API_BODY_BYTES_MAX }));
}

function writeRoutes(dependencies: TicketRoutes): readonly Route[] {
  const { reader } = dependencies;
  return transitions(dependencies).map(({ name, example, bytesMax, parse }) => ({
    method: 'POST',
    path: `/api/v1/tickets/${name}`,
    query: ['wait'],
    isOperators: true,
    body: { mediaType: 'application/json', bytesMax, example },
    handle: async (request) => {
      const body = parseWrite(request.body);
      if (!body.ok) return body;
      const asked = parse(body.value.fields);
      if (!asked.ok) return asked;
      const statements = readStated(body.value.stated);
      if (!statements.ok) return statements;
      const intent = { operation: asked.value.operation, statements: statements.value };
      const written = await transition(dependencies, request, intent);
      if (!written.ok) return written;
      const { outcome, waitMs } = written.value;
      const [ticket] = asked.value.tickets;
      return name === 'admit' && ticket !== undefined
        ? admitOutcome(reader, outcome, ticket, waitMs)
        : writeOutcome(reader, outcome, asked.value, waitMs);
    },
  }));
}

async function transition(
  writer: Writer,
  request: ApiRequest,
  intent: Intent,
): Promise<Result<{ readonly outcome: Written; readonly waitMs: number }, Problem>> {
  const key = idempotencyKeyOf(request);
  if (!key.ok) return key;
  const waitMs = waitParameter(request.query, API_WAIT_MS);
  if (!waitMs.ok) return waitMs;
  const outcome = await write(writer, intent, key.value, waitMs.value);
  return outcome.ok ? ok({ outcome: outcome.value, waitMs: waitMs.value }) : outcome;
}

function seedRoutes({ seed, onSeeded }: TicketRoutes): readonly Route[] {
  if (seed === undefined) return [];
  return [
    {
      method: 'POST',
      path: '/api/v1/tickets/seed',
      // Any client of this interface may say how long it would wait; the sample takes what it takes.
      query: ['wait'],
      isOperators: true,
      // A body without content type could come from any web page.
      body: { mediaType: 'application/json', bytesMax: API_BODY_BYTES_MAX, example: '{}' },
      handle: async (request) => {
        const nothing = parseNothing(request.body);
        if (!nothing.ok) return nothing;
        const seeded = await seed();
        if (seeded.outcome === 'not-admitted') return err(notAdmitted(seeded));
        const { event, tickets, added, height } = seeded;
        const answer: SeedAnswer = { event_id: event, tickets, added, height };
        if (added > 0) onSeeded(answer);
        return json(answer);
      },
    },
  ];
}

function readRoutes(reader: Reader): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/tickets',
      query: ['state', 'limit', 'cursor'],
      handle: (request) => listTickets(reader, request),
    },
    {
      method: 'GET',
      path: '/api/v1/tickets/:id',
      handle: (request) => {
        const id = parseTicketId(request.params['id'] ?? '');
        if (!id.ok) return id;
        const ticket = reader.ticket(id.value);
        return ticket === undefined ? unknownTicket(id.value) : json(ticketView(ticket), stateTag(reader));
      },
    },
    {
      method: 'GET',
      path: '/api/v1/tickets/:id/history',
      query: ['limit', 'cursor'],
      handle: (request) => history(reader, request),
    },
  ];
}

export function parseTicketId(text: string): Result<TicketId, Problem> {
  return isName(text) ? ok(TicketId(text)) : badField('id', 'is 1 to 64 characters of A-Z a-z 0-9 . _ -');
}

function unknownTicket(id: TicketId): Outcome {
  return fail('UNKNOWN_TICKET', `no ticket ${id} on this chain as far as this node has it; ids are case-sensitive`);
}

/** Of the state that the answer is read from: weak, since blocks that change nothing here give it a new one. */
function stateTag(reader: Reader): Readonly<Record<string, string>> {
  return { etag: `W/"${reader.status().head.hash}"` };
}

function listTickets(reader: Reader, { query }: ApiRequest): Outcome {
  const limit = wholeParameter(query, 'limit', { least: 1, most: API_PAGE_MAX, otherwise: API_PAGE });
  if (!limit.ok) return limit;
  const state = query.get('state') ?? null;
  if (state !== null && !TICKET_STATES.some((one) => one === state)) {
    return badField('state', `is one of ${TICKET_STATES.join(' ')}`);
  }
  const cursor = query.get('cursor');
  if (cursor !== undefined && !isName(cursor)) return badField('cursor', 'is the `next` of the page before');
  const after = cursor === undefined ? null : TicketId(cursor);
  const { tickets, asOf } = reader.tickets({ state, limit: limit.value + 1, after });
  const page = tickets.slice(0, limit.value);
  const answer: TicketsAnswer = {
    tickets: page.map(ticketView),
    next: tickets.length > page.length ? (page.at(-1)?.ticket ?? null) : null,
    as_of: asOf,
  };
  return json(answer, stateTag(reader));
}

/** Versions in pages: `cursor` is the last version of the page before. */
function history(reader: Reader, { params, query }: ApiRequest): Outcome {
  const id = parseTicketId(params['id'] ?? '');
  if (!id.ok) return id;
  const limit = wholeParameter(query, 'limit', { least: 1, most: API_PAGE_MAX, otherwise: API_PAGE_MAX });
  if (!limit.ok) return limit;
  const cursor = wholeParameter(query, 'cursor', { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 });
  if (!cursor.ok) return cursor;
  const ticket = reader.ticket(id.value);
  if (ticket === undefined) return unknownTicket(id.value);
  const after = Math.min(cursor.value, ticket.version);
  const versions = reader.history(id.value, { after, limit: limit.value });
  const first = versions[0]?.version ?? ticket.version + 1;
  if (first > after + 1) {
    const lost = `versions ${after + 1} to ${first - 1} of ${id.value} are not known here`;
    return fail('PRUNED', `${lost}: this node began at block ${reader.oldest()}; ask an archive`);
  }
  const last = versions.at(-1)?.version ?? ticket.version;
  const answer: HistoryAnswer = { versions: versions.map(versionView), next: last < ticket.version ? last : null };
  return json(answer, stateTag(reader));
}
