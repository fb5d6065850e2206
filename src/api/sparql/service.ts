import { err, ok, type Result } from '../../lib/result.ts';
import {
  QUERIES_WAITING_MAX,
  QUERIES_WAITING_PER_ADDRESS_MAX,
  QUERY_FOLLOW_MS,
  QUERY_PENALTY_MS,
  QUERY_PENALTY_MS_MAX,
  QUERY_WAIT_MS_MAX,
} from '../../model/graph-limits.ts';
import type { Metrics } from '../../node/metrics.ts';
import type { GraphSource } from '../graph-source.ts';
import type { Problem } from '../problems.ts';
import type { Logger } from '../settings.ts';
import type { SparqlAnswer, SparqlRequest, SparqlService } from './ask.ts';
import type { EngineEnd } from './engine.ts';
import { FairQueue } from './fair-queue.ts';
import { Penalties } from './penalties.ts';
import { penalised, QUEUE_FULL, refused, STOPPING, seconds } from './refusals.ts';
import { GraphView, type ViewFault } from './view.ts';

export interface SparqlOptions {
  readonly source: GraphSource;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'queryAsked' | 'queryEngineKilled'>;
  /** `lazy`: the engine starts at the first question and ends `idleMs` after the last; `on`: it always runs. */
  readonly mode: 'lazy' | 'on';
  /** Resolves when the source has what is final at the call, or after a moment. */
  readonly fresh?: () => Promise<void>;
  readonly deadlineMs: number;
  readonly memoryBytes: number;
  readonly idleMs: number;
  /** See `EngineOptions.program`. */
  readonly program?: string;
}

interface Waiting {
  readonly request: SparqlRequest;
  settle(outcome: Result<SparqlAnswer, Problem>): void;
}

export function createSparqlService(options: SparqlOptions): SparqlService {
  return new Service(options);
}

class Service implements SparqlService {
  readonly #options: SparqlOptions;
  readonly #view: GraphView;
  readonly #queue = new FairQueue<Waiting>(QUERIES_WAITING_MAX, QUERIES_WAITING_PER_ADDRESS_MAX);
  readonly #penalties = new Penalties(QUERY_PENALTY_MS, QUERY_PENALTY_MS_MAX);
  /** Whose queries the engine failed at lately. */
  readonly #failures = new Penalties(QUERY_PENALTY_MS, QUERY_PENALTY_MS);
  #isWorking = false;
  #isClosed = false;
  #idle: NodeJS.Timeout | undefined;
  #following: NodeJS.Timeout | undefined;

  constructor(options: SparqlOptions) {
    this.#options = options;
    this.#view = new GraphView(options);
    if (options.mode === 'lazy') return;
    this.#following = setInterval(() => this.#work(), QUERY_FOLLOW_MS);
    this.#work();
  }

  get limits(): SparqlService['limits'] {
    return { deadlineMs: this.#options.deadlineMs, quadsMax: this.#view.quadsMax };
  }

  get pid(): number | undefined {
    return this.#view.pid;
  }

  async ask(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>> {
    const start = performance.now();
    await this.#options.fresh?.();
    const outcome = await this.#asked(request);
    const seconds = (performance.now() - start) / 1_000;
    this.#options.metrics.queryAsked({ outcome: outcome.ok ? 'answered' : outcome.error.code, seconds });
    return outcome;
  }

  #asked(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>> {
    const penaltyMs = this.#penalties.left(request.caller, performance.now());
    if (this.#isClosed) return Promise.resolve(err(STOPPING));
    if (penaltyMs > 0) return Promise.resolve(err(penalised(penaltyMs)));
    return new Promise((resolve) => {
      const waiting: Waiting = {
        request,
        settle: (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
      };
      const timer = setTimeout(() => {
        if (this.#queue.remove(request.caller, waiting)) waiting.settle(err(this.#waitedTooLong()));
      }, QUERY_WAIT_MS_MAX);
      if (this.#queue.offer(request.caller, waiting)) this.#work();
      else waiting.settle(err(QUEUE_FULL));
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    clearInterval(this.#following);
    this.#view.stop();
    this.#settleAll(STOPPING);
  }

  #work(): void {
    if (this.#isWorking || this.#isClosed) return;
    this.#isWorking = true;
    clearTimeout(this.#idle);
    this.#workOff()
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#options.logger.error({ detail }, 'queries failed');
        this.#settleAll({ code: 'INTERNAL_ERROR', detail: 'see the log of the node' });
      })
      .finally(() => {
        this.#isWorking = false;
        if (this.#queue.size > 0) this.#work();
        else if (this.#options.mode === 'lazy' && !this.#isClosed) this.#rest();
      });
  }

  #rest(): void {
    this.#idle = setTimeout(() => {
      if (this.#view.isRunning) this.#options.logger.info({}, 'the engine for queries is ended: nobody asks');
      this.#view.stop();
    }, this.#options.idleMs);
    this.#idle.unref();
  }

  /** Answers until nobody waits. */
  async #workOff(): Promise<void> {
    do {
      const ready = await this.#view.refresh();
      if (!ready.ok) return this.#settleAll(unavailable(ready.error));
      const next = this.#queue.take();
      if (next === undefined) break;
      if (next.request.isGone?.() === true) next.settle(err({ code: 'STOPPING', detail: 'nobody waits for it' }));
      else next.settle(await this.#answer(next.request));
    } while (this.#queue.size > 0);
    await this.#view.recount();
    // One that had to be ended is put back before anybody asks.
    if (!this.#view.isRunning && !this.#isClosed) await this.#view.refresh();
  }

  async #answer(request: SparqlRequest): Promise<Result<SparqlAnswer, Problem>> {
    const { query, defaultGraphs, namedGraphs, rowFormat, graphFormat, caller } = request;
    const { deadlineMs, logger } = this.#options;
    const { height } = this.#view;
    // No rows would be an answer about the chain.
    if (height < 0) return err({ code: 'NOT_READY', detail: 'nothing of the chain is indexed yet' });
    const formats = { rowFormat: rowFormat?.engine ?? null, graphFormat: graphFormat?.engine ?? null };
    const answered = await this.#view.query({ query, defaultGraphs, namedGraphs, ...formats }, deadlineMs);
    if (answered.ok) {
      const format = answered.value.isGraph ? graphFormat : rowFormat;
      return ok({ mediaType: format?.mediaType ?? '', bytes: answered.value.bytes, height });
    }
    const { error } = answered;
    if (error.kind === 'refused') return err(refused(error));
    if (this.#isClosed) return err(STOPPING);
    if (error.kind !== 'gone') this.#options.metrics.queryEngineKilled();
    // Of a machine that is busy with other things its caller is not guilty, nor of what ends a process from outside.
    const isGuilty =
      error.kind === 'broken' ? this.#failsAgain(caller) : error.kind !== 'starved' && error.kind !== 'gone';
    if (isGuilty) this.#penalties.punish(caller, performance.now());
    logger.warn({ address: caller, why: error.kind, detail: error.reason, query: query.slice(0, 500) }, 'query ended');
    return err(ended(error, deadlineMs, this.#penalties.left(caller, performance.now())));
  }

  /** The engine may fail at an honest query; whoever makes it fail again and again keeps it from the others. */
  #failsAgain(caller: string): boolean {
    const now = performance.now();
    const isAgain = this.#failures.left(caller, now) > 0;
    this.#failures.punish(caller, now);
    return isAgain;
  }

  #waitedTooLong(): Problem {
    const { isLoading, quads } = this.#view.loading;
    if (!isLoading) return { code: 'OVERLOADED', detail: `${this.#queue.size} queries wait; try again in a second` };
    return { code: 'NOT_READY', detail: `the graph is being read into the engine: ${quads} quads so far` };
  }

  #settleAll(problem: Problem): void {
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) next.settle(err(problem));
  }
}

/** @param penaltyMs 0 when the caller is not to blame */
function ended({ kind, reason }: EngineEnd, deadlineMs: number, penaltyMs: number): Problem {
  const then = penaltyMs === 0 ? '' : `. Queries from this address wait ${seconds(penaltyMs)} s now`;
  if (kind === 'gone') return { code: 'NOT_READY', detail: `${reason}; ask again` };
  if (kind === 'broken') {
    const hint = 'values of different kinds cannot always be put in order: try ORDER BY STR(?x)';
    return { code: 'QUERY_FAILED', detail: `the engine failed at it and was replaced; ${hint}${then}` };
  }
  if (kind === 'memory') {
    return {
      code: 'QUERY_TOO_EXPENSIVE',
      detail: `it takes more memory than the engine has; ask for less at once${then}`,
    };
  }
  return {
    code: 'QUERY_DEADLINE',
    detail: `it was not answered within ${deadlineMs / 1_000} s; ask for less at once${then}`,
    headers: { 'retry-after': seconds(penaltyMs) },
  };
}

function unavailable({ code, detail }: ViewFault): Problem {
  return code === 'GRAPH_ABOVE_CEILING'
    ? { code, detail }
    : { code: 'NOT_READY', detail: `no engine for queries: ${detail}` };
}
