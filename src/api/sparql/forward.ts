import { fromUtf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import {
  MIRROR_QUERIES_IN_FLIGHT_MAX,
  QUERIES_WAITING_MAX,
  QUERIES_WAITING_PER_ADDRESS_MAX,
  QUERY_ANSWER_BYTES_MAX,
  QUERY_PENALTY_MS,
  QUERY_PENALTY_MS_MAX,
  QUERY_ROWS_MAX,
  QUERY_WAIT_MS_MAX,
} from '../../model/graph-limits.ts';
import { type StoreFault, StoreRequests, type StoreResponse } from '../mirror/request.ts';
import { faultOf } from '../mirror/store.ts';
import type { Problem } from '../problems.ts';
import type { Logger } from '../settings.ts';
import { sizeFault, TOO_MANY_BYTES } from './answer-size.ts';
import type { SparqlAnswer, SparqlRequest, SparqlService } from './ask.ts';
import { FairQueue } from './fair-queue.ts';
import type { Admitted } from './gate.ts';
import { openGateThread, type QueryGate } from './gate-thread.ts';
import type { Format } from './negotiate.ts';
import { Penalties } from './penalties.ts';
import { FORM } from './protocol.ts';
import { penalised, QUEUE_FULL, refused, STOPPING, seconds } from './refusals.ts';

export interface ForwardOptions {
  /** Where a store takes queries by the SPARQL 1.1 Protocol. */
  readonly url: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
  /** Of the newest block that the store has; -1 before it has one. */
  readonly height: () => number;
  readonly logger: Logger;
  /** One in a thread of its own unless told otherwise. */
  readonly gate?: QueryGate;
}

interface Waiting {
  readonly request: SparqlRequest;
  settle(outcome: Result<SparqlAnswer, Problem>): void;
}

/** Asks a store elsewhere, with the gate before it that the engine has; how wide a query is, the store alone knows. */
export function createForwardingService(options: ForwardOptions): SparqlService {
  return new Forwarding(options);
}

class Forwarding implements SparqlService {
  readonly pid = undefined;
  readonly #options: ForwardOptions;
  readonly #requests: StoreRequests;
  readonly #gate: QueryGate;
  readonly #queue = new FairQueue<Waiting>(QUERIES_WAITING_MAX, QUERIES_WAITING_PER_ADDRESS_MAX);
  readonly #penalties = new Penalties(QUERY_PENALTY_MS, QUERY_PENALTY_MS_MAX);
  #inFlight = 0;
  #isClosed = false;

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.#requests = new StoreRequests(options.token);
    this.#gate = options.gate ?? openGateThread();
  }

  get limits(): SparqlService['limits'] {
    return { deadlineMs: this.#options.deadlineMs, quadsMax: null };
  }

  ask(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>> {
    const penaltyMs = this.#penalties.left(request.caller, performance.now());
    if (this.#isClosed) return Promise.resolve(err(STOPPING));
    if (penaltyMs > 0) return Promise.resolve(err(penalised(penaltyMs)));
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (this.#queue.remove(request.caller, waiting)) waiting.settle(err(QUEUE_FULL));
      }, QUERY_WAIT_MS_MAX);
      const waiting: Waiting = {
        request,
        settle: (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
      };
      if (this.#queue.offer(request.caller, waiting)) this.#work();
      else waiting.settle(err(QUEUE_FULL));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#requests.close();
    this.#gate.close();
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) next.settle(err(STOPPING));
  }

  #work(): void {
    while (this.#inFlight < MIRROR_QUERIES_IN_FLIGHT_MAX) {
      const next = this.#queue.take();
      if (next === undefined) return;
      this.#inFlight += 1;
      void this.#answer(next.request)
        .catch((error: unknown) => {
          this.#options.logger.error({ detail: String(error) }, 'a query failed');
          return err<Problem>({ code: 'INTERNAL_ERROR', detail: 'see the log of the node' });
        })
        .then((outcome) => {
          this.#inFlight -= 1;
          next.settle(outcome);
          this.#work();
        });
    }
  }

  async #answer(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>> {
    if (request.isGone?.() === true) return err({ code: 'STOPPING', detail: 'nobody waits for it' });
    if (this.#options.height() < 0) return err({ code: 'NOT_READY', detail: 'the mirror has no block yet' });
    const judged = await this.#gate.judge(request.query);
    if (this.#isClosed) return err(STOPPING);
    if (!judged.ok) return err(refused({ kind: 'refused', ...judged.error }));
    const { form } = judged.value;
    const isGraph = form === 'CONSTRUCT' || form === 'DESCRIBE';
    const format = isGraph ? request.graphFormat : request.rowFormat;
    if (format === undefined) return err(refused({ kind: 'refused', code: 'NOT_ACCEPTABLE', detail: form }));
    const height = this.#options.height();
    const sent = await this.#send(request, judged.value, format);
    if (!sent.ok) return err(this.#failed(sent.error, request));
    const fault = answerFault(sent.value, form === 'SELECT' ? format : undefined);
    if (fault !== undefined) return err(fault);
    const wrong = this.#formatFault(sent.value, format);
    return wrong === undefined ? ok({ mediaType: format.mediaType, bytes: sent.value.bytes, height }) : err(wrong);
  }

  #send(
    { query, defaultGraphs, namedGraphs }: SparqlRequest,
    { takesLimit }: Admitted,
    format: Format,
  ): Promise<Result<StoreResponse, StoreFault>> {
    const { url, deadlineMs } = this.#options;
    const body = new URLSearchParams({
      query: takesLimit
        ? `${query}
LIMIT ${QUERY_ROWS_MAX + 1}`
        : query,
    });
    for (const graph of defaultGraphs) body.append('default-graph-uri', graph);
    for (const graph of namedGraphs) body.append('named-graph-uri', graph);
    return this.#requests.send({
      url: new URL(url),
      method: 'POST',
      headers: { 'content-type': FORM, accept: format.engine },
      body: body.toString(),
      timeoutMs: deadlineMs,
      bytesMax: QUERY_ANSWER_BYTES_MAX,
    });
  }

  #failed({ kind, reason }: StoreFault, { caller, query }: SparqlRequest): Problem {
    if (kind === 'stopped') return STOPPING;
    if (kind === 'too large') return { code: 'QUERY_TOO_EXPENSIVE', detail: TOO_MANY_BYTES };
    this.#options.logger.warn(
      { address: caller, why: kind, detail: reason, query: query.slice(0, 500) },
      'query ended',
    );
    if (kind !== 'timeout') return { code: 'MIRROR_FAILED', detail: 'it cannot be reached; see the log of the node' };
    this.#penalties.punish(caller, performance.now());
    const wait = seconds(this.#penalties.left(caller, performance.now()));
    return {
      code: 'QUERY_DEADLINE',
      detail: `it was not answered within ${this.#options.deadlineMs / 1_000} s; ask for less at once. Queries from this address wait ${wait} s now`,
      headers: { 'retry-after': wait },
    };
  }

  #formatFault(response: StoreResponse, format: Format): Problem | undefined {
    const { status, mediaType } = response;
    if (status === 406) {
      return { code: 'NOT_ACCEPTABLE', detail: `the store that is asked does not write ${format.mediaType}` };
    }
    if (status === 200 && mediaType === format.engine) return undefined;
    const reason = status === 200 ? `it writes ${mediaType}, asked for ${format.engine}` : faultOf(response).reason;
    this.#options.logger.warn({ reason }, 'the store that is asked did not answer as it should');
    return { code: 'MIRROR_FAILED', detail: reason };
  }
}

/** What is wrong with the query, by the word of the store, or with the size of its answer. */
function answerFault(response: StoreResponse, rowFormat: Format | undefined): Problem | undefined {
  if (response.status === 400) return { code: 'BAD_QUERY', detail: faultOf(response).reason };
  if (response.status !== 200 || rowFormat === undefined || response.bytes.length <= QUERY_ROWS_MAX) return undefined;
  const fault = sizeFault(fromUtf8(response.bytes) ?? '', rowFormat.engine);
  return fault === undefined ? undefined : { code: 'QUERY_TOO_EXPENSIVE', detail: fault };
}
