import { err, ok, type Result } from '../../lib/result.ts';
import { QUERY_BYTES_PER_QUAD, QUERY_ENGINE_RETRY_MS, QUERY_LOAD_CHARS_MAX } from '../../model/graph-limits.ts';
import type { GraphSource } from '../graph-source.ts';
import type { Logger } from '../settings.ts';
import { Engine, type EngineAnswer, type EngineEnd } from './engine.ts';
import type { EngineQuery, EngineRefusal } from './engine-wire.ts';
import { NO_STATISTICS, type Statistics } from './statistics.ts';

/** Why there is no engine to ask. */
export interface ViewFault {
  readonly code: 'GRAPH_ABOVE_CEILING' | 'ENGINE_FAILED';
  readonly detail: string;
}

export interface ViewOptions {
  readonly source: GraphSource;
  readonly logger: Logger;
  /** Of the engine's process. It follows how many quads it may hold. */
  readonly memoryBytes: number;
  /** See `EngineOptions.program`. */
  readonly program?: string;
}

/** Counting so much takes a quarter of a second; all of a larger graph is counted when nobody waits. */
const COUNTED_EARLY_MIN = 100_000;
/** Counts of a graph that has since grown by half are still of its shape. */
const RECOUNT_FACTOR = 1.5;

/** The graph up to one height in an engine, which is started, filled, kept up to date and replaced here. */
export class GraphView {
  readonly #options: ViewOptions;
  readonly quadsMax: number;
  #engine: Engine | undefined;
  #height = -1;
  #quads = 0;
  #isLoading = false;
  #statistics: Statistics = NO_STATISTICS;
  #fault: { readonly fault: ViewFault; readonly atMs: number } | undefined;

  constructor(options: ViewOptions) {
    this.#options = options;
    this.quadsMax = Math.floor(options.memoryBytes / QUERY_BYTES_PER_QUAD);
  }

  /** Of the newest block in the engine; -1 before it has one. */
  get height(): number {
    return this.#height;
  }

  /** Whether it reads the whole graph; and how many quads it has read. */
  get loading(): { readonly isLoading: boolean; readonly quads: number } {
    return { isLoading: this.#isLoading, quads: this.#quads };
  }

  get isRunning(): boolean {
    return this.#engine !== undefined && this.#engine.end === undefined;
  }

  /** Of the engine's process, for whoever watches it. */
  get pid(): number | undefined {
    return this.isRunning ? this.#engine?.pid : undefined;
  }

  /** Starts an engine if there is none, and takes in what is indexed by now. Not twice at once. */
  async refresh(): Promise<Result<true, ViewFault>> {
    if (this.#fault !== undefined) {
      const { fault, atMs } = this.#fault;
      // A graph never becomes smaller.
      const isLasting = fault.code === 'GRAPH_ABOVE_CEILING' || performance.now() - atMs < QUERY_ENGINE_RETRY_MS;
      if (isLasting) return err(fault);
    }
    const taken = await this.#takeIn();
    if (taken.ok) return ok(true);
    this.stop();
    this.#fault = { fault: taken.error, atMs: performance.now() };
    this.#options.logger.warn({ code: taken.error.code, detail: taken.error.detail }, 'no engine for queries');
    return taken;
  }

  async query(
    query: Omit<EngineQuery, 'statistics'>,
    deadlineMs: number,
  ): Promise<Result<EngineAnswer, EngineRefusal | EngineEnd>> {
    if (this.#engine === undefined) return err({ kind: 'gone', reason: 'there is none' });
    return await this.#engine.query({ ...query, statistics: this.#statistics }, deadlineMs);
  }

  /** Counts again what the gate needs to know, if the graph has become another one. */
  async recount(): Promise<void> {
    const isStale = this.#quads > this.#statistics.countedQuads * RECOUNT_FACTOR;
    if (!isStale || this.#engine === undefined || !this.isRunning) return;
    const counted = await this.#engine.count();
    if (counted.ok) this.#statistics = counted.value;
  }

  stop(): void {
    this.#engine?.kill();
    this.#engine = undefined;
    this.#height = -1;
    this.#quads = 0;
  }

  async #takeIn(): Promise<Result<true, ViewFault>> {
    try {
      return this.isRunning ? await this.#follow(this.#options.source.indexedTo()) : await this.#start();
    } catch (error) {
      // The index could not be read: half a graph answers nothing.
      return err({ code: 'ENGINE_FAILED', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  async #start(): Promise<Result<true, ViewFault>> {
    const { source, logger, memoryBytes, program } = this.#options;
    this.stop();
    this.#fault = undefined;
    this.#engine = new Engine({ memoryBytes, ...(program === undefined ? {} : { program }) });
    this.#isLoading = true;
    const started = performance.now();
    try {
      const from = source.indexedTo();
      for await (const piece of source.dump()) {
        const loaded = await this.#load(piece);
        if (!loaded.ok) return loaded;
        // A part of it tells the shape, until all of it is counted.
        if (this.#statistics.countedQuads === 0 && this.#quads > COUNTED_EARLY_MIN) await this.recount();
      }
      this.#height = from;
      // Of blocks that came meanwhile some lines may be in it: it is whole again with all of them.
      const followed = await this.#follow(source.indexedTo());
      if (!followed.ok) return followed;
      if (this.#quads <= COUNTED_EARLY_MIN) await this.recount();
    } finally {
      this.#isLoading = false;
    }
    const fields = { height: this.#height, quads: this.#quads, ms: Math.round(performance.now() - started) };
    logger.info(fields, 'the engine for queries has the graph');
    return ok(true);
  }

  /** Takes in the blocks up to `height`, several at once. */
  async #follow(height: number): Promise<Result<true, ViewFault>> {
    if (this.#height >= height) return ok(true);
    let waiting: string[] = [];
    let chars = 0;
    const flush = async (): Promise<Result<true, ViewFault>> => {
      const text = waiting.join('');
      waiting = [];
      chars = 0;
      return text === '' ? ok(true) : await this.#load(text);
    };
    let reached = this.#height;
    for await (const block of this.#options.source.blocksSince(this.#height)) {
      const text = typeof block.nquads === 'string' ? block.nquads : Buffer.from(block.nquads).toString('utf8');
      waiting.push(text);
      chars += text.length;
      reached = block.height;
      if (chars >= QUERY_LOAD_CHARS_MAX) {
        const flushed = await flush();
        if (!flushed.ok) return flushed;
      }
      if (reached >= height) break;
    }
    const flushed = await flush();
    if (!flushed.ok) return flushed;
    if (reached < height) return err({ code: 'ENGINE_FAILED', detail: `the index has no block above ${reached}` });
    this.#height = reached;
    return ok(true);
  }

  async #load(piece: string | Uint8Array): Promise<Result<true, ViewFault>> {
    const loaded = await (this.#engine?.load(piece) ?? err({ kind: 'gone', reason: 'it was stopped' } as const));
    if (!loaded.ok) {
      return loaded.error.kind === 'memory'
        ? this.#tooLarge()
        : err({ code: 'ENGINE_FAILED', detail: loaded.error.reason });
    }
    this.#quads = loaded.value;
    return this.#quads > this.quadsMax ? this.#tooLarge() : ok(true);
  }

  #tooLarge(): Result<never, ViewFault> {
    return err({
      code: 'GRAPH_ABOVE_CEILING',
      detail: `the graph has more than ${this.quadsMax} quads, which is what [provenance] query_memory is enough for`,
    });
  }
}
