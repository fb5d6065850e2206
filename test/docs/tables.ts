import type { Route } from '../../src/api/exchange.ts';
import { PROBLEMS } from '../../src/api/problems.ts';
import { apiRoutes } from '../../src/api/server.ts';
import type { SparqlService } from '../../src/api/sparql/ask.ts';
import { MODULES_AT } from '../../src/api/verifier-modules.ts';
import { EXIT_CODES } from '../../src/commands/exit-codes.ts';
import { TRANSACTION_FAULTS } from '../../src/ledger/validate.ts';
import { err } from '../../src/lib/result.ts';
import * as graphLimits from '../../src/model/graph-limits.ts';
import * as httpLimits from '../../src/model/http-limits.ts';
import * as nodeLimits from '../../src/model/limits.ts';
import * as peerLimits from '../../src/model/peer-limits.ts';
import { REFUSALS } from '../../src/model/receipt.ts';
import { ALL_SETTINGS } from '../../src/node/config/schema.ts';
import { CAUSES } from '../../src/node/explain.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { MemoryNode } from '../unit/api/memory-node.ts';
import { protocolTables } from './protocol-tables.ts';

const limits = { ...nodeLimits, ...httpLimits, ...graphLimits, ...peerLimits };

/** The limits that people outside the code meet: their names in limits.ts. */
const QUOTED = [
  'AUTHORITIES_MAX',
  'BLOCK_BYTES_MAX',
  'BLOCK_TRANSACTIONS_MAX',
  'TRANSACTION_BYTES_MAX',
  'TICKETS_PER_TRANSACTION_MAX',
  'NAME_CHARS_MAX',
  'TEXT_BYTES_MAX',
  'TICKET_DATA_BYTES_MAX',
  'IDEMPOTENCY_KEY_BYTES_MAX',
  'TRANSACTION_LIFE_MS_MAX',
  'WINDOW_MAX',
  'ORGANISATIONS_MAX',
  'ORGANISATION_KEYS_MAX',
  'API_BODY_BYTES_MAX',
  'API_ISSUE_BODY_BYTES_MAX',
  'API_WAIT_MS',
  'API_WAIT_MS_MAX',
  'API_PAGE_MAX',
  'API_REQUESTS_PER_ADDRESS_PER_SECOND',
  'FEED_CONNECTIONS_MAX',
  'FEED_TOPICS_MAX',
  'FEED_REQUEST_BYTES_MAX',
  'FEED_REQUESTS_PER_SECOND',
  'FEED_REQUESTS_BURST',
  'FEED_BUFFER_BYTES_MAX',
  'FEED_STALL_MS_MAX',
  'FEED_PING_MS',
  'MEMPOOL_TRANSACTIONS_MAX',
  'MEMPOOL_PER_SIGNER_MAX',
  'FRAME_BYTES_MAX',
  'SPARQL_BODY_BYTES_MAX',
  'SPARQL_TARGET_BYTES_MAX',
  'QUERY_DEPTH_MAX',
  'QUERY_PATTERNS_MAX',
  'QUERY_OPERATIONS_MAX',
  'QUERY_ROWS_EXPECTED_MAX',
  'QUERY_REGEX_CHARS_MAX',
  'QUERY_ROWS_MAX',
  'QUERY_ANSWER_BYTES_MAX',
  'QUERIES_WAITING_MAX',
  'QUERIES_WAITING_PER_ADDRESS_MAX',
  'QUERY_WAIT_MS_MAX',
  'QUERY_PENALTY_MS',
  'QUERY_PENALTY_MS_MAX',
  'GUESTS_PER_GROUP_MAX',
  'ANSWERS_WAITING_BYTES_MAX',
  'HEARD_VERIFICATIONS_IN_FLIGHT_MAX',
] as const satisfies readonly (keyof typeof limits)[];

type Row = readonly string[];
type Tables = ReadonlyMap<string, readonly Row[]>;

/** The rows of every table that the code decides, by page and by the name above the table: their first cells. */
export async function tablesFromCode(): Promise<ReadonlyMap<string, Tables>> {
  return new Map([
    ['docs/operations.md', await operationsTables()],
    ['docs/protocol.md', protocolTables()],
  ]);
}

async function operationsTables(): Promise<Tables> {
  const operators = routes().map(({ method, path, isOperators }) => [
    code(`${method} ${path}`),
    isOperators ? 'operator' : '',
  ]);
  return new Map<string, readonly Row[]>([
    ['config', ALL_SETTINGS.map(configRow)],
    ['routes', operators],
    ['errors', errorRows()],
    ['causes', CAUSES.map((cause) => [code(cause)])],
    ['exits', Object.entries(EXIT_CODES).map(([name, value]) => [`${value}`, code(name)])],
    ['metrics', await metricRows()],
    ['limits', limitRows()],
  ]);
}

function code(text: string): string {
  return `\`${text}\``;
}

function configRow({ section, key, setting }: (typeof ALL_SETTINGS)[number]): Row {
  const note = setting.note.replaceAll('\n', ' ').replaceAll('|', '\\|');
  return [code(`${section}.${key}`), code(JSON.stringify(setting.initial)), note];
}

function limitRows(): readonly Row[] {
  const values = new Map<string, unknown>(Object.entries(limits));
  return QUOTED.map((name) => [code(name), Number(values.get(name)).toLocaleString('en-GB')]);
}

/** Only its routes are looked at. */
const UNASKED: SparqlService = {
  limits: { deadlineMs: 0, quadsMax: 0 },
  pid: undefined,
  ask: () => Promise.resolve(err({ code: 'STOPPING', detail: '' })),
  close: () => undefined,
};

/** Those of a devnet, which has one more. */
function routes(): readonly Route[] {
  const { reader, submit, operator, seed, peers } = new MemoryNode();
  return apiRoutes(
    {
      ...{ reader, submit, operator, seed, peers, metrics: createMetrics(), sparql: UNASKED },
      graph: {
        iriBase: 'http://localhost/id/',
        read: () => undefined,
        status: () => null,
        fresh: () => Promise.resolve(),
      },
      settings: { devnet: true, gate: 'main' },
    },
    () => undefined,
    // What the page of proofs loads is nobody's interface.
  ).filter(({ path }) => !path.startsWith(MODULES_AT));
}

function errorRows(): readonly Row[] {
  const refusals = new Set<string>(REFUSALS);
  const faults = new Set<string>(TRANSACTION_FAULTS);
  return Object.entries(PROBLEMS).map(([name, { status, title }]) => {
    const kind = refusals.has(name) ? 'refused' : faults.has(name) ? 'invalid' : 'request';
    return [code(name), `${status}`, kind, title];
  });
}

/** Names and kinds as the exposition has them, of our own metrics only. */
async function metricRows(): Promise<readonly Row[]> {
  const metrics = createMetrics();
  const { text } = await metrics.expose();
  const kinds = new Map([...text.matchAll(/^# TYPE (counterfoil_\w+) (\w+)$/gm)].map(([, name, kind]) => [name, kind]));
  return [...text.matchAll(/^# HELP (counterfoil_\w+) (.+)$/gm)].map(([, name = '', help = '']) => [
    code(name),
    kinds.get(name) ?? '',
    help,
  ]);
}
