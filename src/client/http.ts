import { ok } from '../lib/result.ts';
import type { CaseOutcome, DisputeReason, RevocationReason, TransferChannel } from '../model/operation.ts';
import type { Transaction } from '../model/transaction.ts';
import type {
  AdmitAnswer,
  AuthoritiesAnswer,
  BanAnswer,
  BansAnswer,
  BlockAnswer,
  BlocksAnswer,
  CertificateAnswer,
  EvidenceAnswer,
  ExplainAnswer,
  HistoryAnswer,
  PeerAnswer,
  PeersAnswer,
  SeedAnswer,
  StatsAnswer,
  StatusAnswer,
  TicketAnswer,
  TicketsAnswer,
  TransactionStateAnswer,
  WriteAnswer,
} from './answers.ts';
import { type Answered, type Call, type Caller, type CallerOptions, createCaller, jsonOf } from './call.ts';

export interface NewTicketFields {
  readonly ticket_id: string;
  readonly seat?: string | null;
  readonly gate?: string | null;
  /** Salted SHA-256 in hex. */
  readonly holder?: string | null;
  /** Base64. */
  readonly data?: string | null;
}

interface Placed {
  readonly event_id: string;
  readonly tier_id: string;
}

export type IssueBody = Placed & (NewTicketFields | { readonly tickets: readonly NewTicketFields[] });
export type ValidateBody = { readonly ticket_id: string } | { readonly tickets: readonly string[] };
export interface ScanBody {
  readonly ticket_id: string;
  readonly gate?: string | null;
}
export interface DisputeBody extends ScanBody {
  readonly reason?: DisputeReason;
  readonly note?: string;
}

interface AboutTicket {
  readonly ticket_id: string;
  readonly note?: string;
}
export interface TransferBody {
  readonly ticket_id: string;
  /** Of the new holder: salted SHA-256 in hex. */
  readonly holder: string;
  /** In the smallest unit of the currency; a resale has one. */
  readonly price?: number | null;
  readonly channel?: TransferChannel;
}
export type HoldBody = AboutTicket;
export interface RevokeBody extends AboutTicket {
  readonly reason: RevocationReason;
}
export interface CaseBody extends AboutTicket {
  readonly reason?: DisputeReason;
  /** Id of a transaction that speaks for it. */
  readonly evidence?: string | null;
}
export interface ResolveBody extends AboutTicket {
  readonly outcome: CaseOutcome;
  /** Given exactly when the outcome is REISSUED; for the event and tier of the ticket unless told otherwise. */
  readonly replacement?: (Omit<NewTicketFields, 'holder'> & Partial<Placed>) | null;
}

export interface WriteOptions {
  /** With it a write is safe to repeat, and is repeated when the connection fails. */
  readonly idempotencyKey?: string;
  /** How long the node waits for finality; its default is five seconds. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** What the writer says about the things of this write: a complete document in Turtle. */
  readonly statements?: string;
}

/** A program's way to one node: a method for each route, none of which throws. */
export interface Client {
  readonly url: string;
  health(): Promise<Answered<{ readonly status: 'alive' }>>;
  ready(): Promise<Answered<{ readonly status: 'ready' }>>;
  /** Prometheus text. */
  metrics(): Promise<Answered<string>>;
  status(): Promise<Answered<StatusAnswer>>;
  /** The genesis document, byte for byte. */
  genesis(): Promise<Answered<Uint8Array>>;
  blocks(page?: { readonly limit?: number; readonly before?: number }): Promise<Answered<BlocksAnswer>>;
  /** `id`: a height or a hash, as below. */
  block(id: number | string): Promise<Answered<BlockAnswer>>;
  certificate(id: number | string): Promise<Answered<CertificateAnswer>>;
  transaction(id: string, signal?: AbortSignal): Promise<Answered<TransactionStateAnswer>>;
  /** Submits a signed transaction; safe to repeat, since it is done once. Waits for finality if told so. */
  submit(
    transaction: Pick<Transaction, 'bytes'>,
    options?: Omit<WriteOptions, 'idempotencyKey' | 'statements'>,
  ): Promise<Answered<TransactionStateAnswer>>;
  tickets(query?: {
    readonly state?: string;
    readonly limit?: number;
    readonly cursor?: string;
  }): Promise<Answered<TicketsAnswer>>;
  ticket(id: string): Promise<Answered<TicketAnswer>>;
  /** Oldest first; the next page begins after the `cursor` of the last. */
  history(id: string, page?: { readonly limit?: number; readonly cursor?: number }): Promise<Answered<HistoryAnswer>>;
  /** Byte for byte, as `verifyBundle` of the verifier takes it: what a ticket is, or that there is none. */
  proof(id: string, wanted?: { readonly history?: boolean; readonly graphs?: boolean }): Promise<Answered<Uint8Array>>;
  issue(body: IssueBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  validate(body: ValidateBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  consume(body: ScanBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  /** A refused scan is an answer: see `decision`. */
  admit(body: ScanBody, options?: WriteOptions): Promise<Answered<AdmitAnswer>>;
  dispute(body: DisputeBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  transfer(body: TransferBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  hold(body: HoldBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  release(body: HoldBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  revoke(body: RevokeBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  openCase(body: CaseBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  resolve(body: ResolveBody, options?: WriteOptions): Promise<Answered<WriteAnswer>>;
  /** Devnets only. */
  seed(): Promise<Answered<SeedAnswer>>;
  peers(): Promise<Answered<PeersAnswer>>;
  bannedPeers(): Promise<Answered<BansAnswer>>;
  /** For the operator, as the next three: dials whoever lives at `host:port`; what came of it shows among the peers. */
  connectPeer(address: string): Promise<Answered<PeerAnswer>>;
  /** `id`: as in the list of peers. */
  disconnectPeer(id: string): Promise<Answered<PeerAnswer>>;
  banPeer(id: string, seconds?: number): Promise<Answered<BanAnswer>>;
  unbanPeer(id: string): Promise<Answered<PeerAnswer>>;
  authorities(): Promise<Answered<AuthoritiesAnswer>>;
  explain(): Promise<Answered<ExplainAnswer>>;
  evidence(): Promise<Answered<EvidenceAnswer>>;
  stats(): Promise<Answered<StatsAnswer>>;
  config(): Promise<Answered<Readonly<Record<string, unknown>>>>;
  /** A query in SPARQL. Not repeated: what could not be answered once costs the node as much again. */
  sparql(query: string, accept: string): Promise<Answered<GraphText>>;
  /** A question that has a name, as rows; not repeated either. */
  question(
    name: string,
    parameters: Readonly<Record<string, string | undefined>>,
    accept: string,
  ): Promise<Answered<GraphText>>;
  /** What the graph says of a thing; `path` is what its IRI has behind the chain's base: `ticket/A-1`. */
  document(path: string, accept: string): Promise<Answered<GraphText>>;
  /** A page of the graph as N-Quads: the first one, or the `next` of the page before. */
  quads(next?: string): Promise<Answered<GraphText & { readonly next: string | null }>>;
}

/** What a node answers about its graph. */
export interface GraphText {
  readonly text: string;
  readonly mediaType: string;
  /** Of the newest block that it is about. */
  readonly height: number;
}

/** A query waits for others, and for the graph to be read. */
const QUERY_PATIENCE_MS = 60_000;

/** What a node gives at most. */
const QUADS_PER_PAGE = 500;

/** Seeding waits for several blocks. */
const SEED_WAIT_MS = 30_000;

export function createClient(options: CallerOptions): Client {
  const call = createCaller(options);
  return {
    url: options.url.replace(/\/+$/, ''),
    ...nodeCalls(call),
    ...peerCalls(call),
    ...chainCalls(call),
    ...ticketCalls(call),
    ...graphCalls(call),
  };
}

async function asked<T extends object>(caller: Caller, call: Call): Promise<Answered<T>> {
  const answered = await caller(call);
  return answered.ok ? await jsonOf<T>(answered.value) : answered;
}

function graphCalls(caller: Caller): Pick<Client, 'sparql' | 'question' | 'document' | 'quads'> {
  const text = async (call: Call): Promise<Answered<GraphText>> => {
    const answered = await caller(call);
    return answered.ok ? ok(await textOf(answered.value)) : answered;
  };
  const patienceMs = QUERY_PATIENCE_MS;
  return {
    sparql: (query, accept) => {
      const body = { mediaType: 'application/sparql-query', bytes: query };
      return text({ method: 'POST', path: '/sparql', body, accept, patienceMs });
    },
    question: (name, query, accept) => {
      const path = `/api/v1/questions/${named(name)}`;
      return text({ method: 'GET', path, query, accept, patienceMs, isRepeatable: false });
    },
    document: (path, accept) => text({ method: 'GET', path: `/doc/${path.split('/').map(named).join('/')}`, accept }),
    quads: async (next) => {
      const path = next ?? `/api/v1/graph?limit=${QUADS_PER_PAGE}`;
      const answered = await caller({ method: 'GET', path, accept: 'application/n-quads' });
      if (!answered.ok) return answered;
      const link = answered.value.headers.get('link') ?? '';
      return ok({ ...(await textOf(answered.value)), next: /^<([^>]*)>; rel="next"$/.exec(link)?.[1] ?? null });
    },
  };
}

async function textOf(response: Response): Promise<GraphText> {
  const { headers } = response;
  const mediaType = headers.get('content-type')?.split(';')[0] ?? '';
  return { text: await response.text(), mediaType, height: Number(headers.get('counterfoil-height')) };
}

function getter(caller: Caller) {
  return <T extends object>(path: string, query: Call['query'] = {}, signal?: AbortSignal): Promise<Answered<T>> =>
    asked<T>(caller, { method: 'GET', path, query, signal });
}

function named(id: number | string): string {
  return encodeURIComponent(String(id));
}

function nodeCalls(
  caller: Caller,
): Pick<
  Client,
  'health' | 'ready' | 'metrics' | 'status' | 'peers' | 'authorities' | 'explain' | 'evidence' | 'stats' | 'config'
> {
  const get = getter(caller);
  return {
    health: () => get('/health'),
    ready: () => get('/ready'),
    metrics: async () => {
      const answered = await caller({ method: 'GET', path: '/metrics' });
      return answered.ok ? ok(await answered.value.text()) : answered;
    },
    status: () => get('/api/v1/status'),
    peers: () => get('/api/v1/peers'),
    authorities: () => get('/api/v1/authorities'),
    explain: () => get('/api/v1/explain'),
    evidence: () => get('/api/v1/evidence'),
    stats: () => get('/api/v1/stats'),
    config: () => get('/api/v1/config'),
  };
}

function peerCalls(
  caller: Caller,
): Pick<Client, 'bannedPeers' | 'connectPeer' | 'disconnectPeer' | 'banPeer' | 'unbanPeer'> {
  const get = getter(caller);
  const post = <T extends object>(name: string, body: object): Promise<Answered<T>> =>
    asked<T>(caller, {
      method: 'POST',
      path: `/api/v1/peers/${name}`,
      body: { mediaType: 'application/json', bytes: JSON.stringify(body) },
      isRepeatable: true,
    });
  return {
    bannedPeers: () => get('/api/v1/peers/banned'),
    connectPeer: (address) => post('connect', { address }),
    disconnectPeer: (id) => post('disconnect', { id }),
    banPeer: (id, seconds) => post('ban', { id, ...(seconds === undefined ? {} : { seconds }) }),
    unbanPeer: (id) => post('unban', { id }),
  };
}

function chainCalls(
  caller: Caller,
): Pick<Client, 'genesis' | 'blocks' | 'block' | 'certificate' | 'transaction' | 'submit'> {
  const get = getter(caller);
  return {
    genesis: async () => {
      const answered = await caller({ method: 'GET', path: '/api/v1/genesis' });
      return answered.ok ? ok(new Uint8Array(await answered.value.arrayBuffer())) : answered;
    },
    blocks: (page = {}) => get('/api/v1/blocks', { ...page }),
    block: (id) => get(`/api/v1/blocks/${named(id)}`),
    certificate: (id) => get(`/api/v1/blocks/${named(id)}/certificate`),
    transaction: (id, signal) => get(`/api/v1/transactions/${named(id)}`, {}, signal),
    submit: ({ bytes }, { waitMs, signal } = {}) =>
      asked(caller, {
        method: 'POST',
        path: '/api/v1/transactions',
        body: { mediaType: 'application/octet-stream', bytes },
        isRepeatable: true,
        waitMs,
        signal,
      }),
  };
}

type TicketCall =
  | ('tickets' | 'ticket' | 'history' | 'proof' | 'seed')
  | ('issue' | 'validate' | 'consume' | 'admit' | 'dispute')
  | ('transfer' | 'hold' | 'release' | 'revoke' | 'openCase' | 'resolve');

function ticketCalls(caller: Caller): Pick<Client, TicketCall> {
  const get = getter(caller);
  const post = <T extends object>(name: string, body: object, options: WriteOptions = {}): Promise<Answered<T>> => {
    const { statements, ...rest } = options;
    return asked<T>(caller, {
      method: 'POST',
      path: `/api/v1/tickets/${name}`,
      body: { mediaType: 'application/json', bytes: JSON.stringify({ ...body, statements }) },
      ...rest,
    });
  };
  return {
    tickets: (query = {}) => get('/api/v1/tickets', { ...query }),
    ticket: (id) => get(`/api/v1/tickets/${named(id)}`),
    history: (id, page = {}) => get(`/api/v1/tickets/${named(id)}/history`, { ...page }),
    proof: async (id, { history = false, graphs = false } = {}) => {
      const query = { history: String(history), graphs: String(graphs) };
      const answered = await caller({ method: 'GET', path: `/api/v1/tickets/${named(id)}/proof`, query });
      return answered.ok ? ok(new Uint8Array(await answered.value.arrayBuffer())) : answered;
    },
    issue: (body, options) => post('issue', body, options),
    validate: (body, options) => post('validate', body, options),
    consume: (body, options) => post('consume', body, options),
    admit: (body, options) => post('admit', body, options),
    dispute: (body, options) => post('dispute', body, options),
    transfer: (body, options) => post('transfer', body, options),
    hold: (body, options) => post('hold', body, options),
    release: (body, options) => post('release', body, options),
    revoke: (body, options) => post('revoke', body, options),
    openCase: (body, options) => post('case', body, options),
    resolve: (body, options) => post('resolve', body, options),
    seed: () =>
      asked(caller, {
        method: 'POST',
        path: '/api/v1/tickets/seed',
        body: { mediaType: 'application/json', bytes: '{}' },
        isRepeatable: true,
        waitMs: SEED_WAIT_MS,
      }),
  };
}
