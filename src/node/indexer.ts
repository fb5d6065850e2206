import { GRAPH_RESTART_MS_MAX, GRAPH_RESTART_MS_MIN, GRAPH_STOP_MS_MAX } from '../model/graph-limits.ts';
import type { ReadOnlyKeyValue } from '../store/lmdb.ts';
import type { GraphReader, QuadView } from '../store/quad-view.ts';
import type { IndexReport } from './index-messages.ts';
import type { IndexWorker, StartIndexWorker } from './index-worker.ts';
import type { IndexStatus } from './indexing.ts';
import type { Metrics } from './metrics.ts';
import type { Log, Timers } from './ports.ts';

export interface IndexerParts {
  readonly startWorker: StartIndexWorker;
  /** Opens the index for reading, once the thread has opened it. */
  readonly openReads: () => ReadOnlyKeyValue;
  /** One that has read nothing yet. */
  readonly createReader: () => GraphReader;
  /** Height of the newest block that the chain shows. */
  readonly head: () => number;
  readonly timers: Pick<Timers, 'after'>;
  readonly metrics: Pick<Metrics, 'provenanceLag' | 'provenanceSize'>;
  readonly log: Log;
}

/** The graph at one moment. */
export interface GraphMoment {
  readonly view: QuadView;
  /** To be called once; until then old pages of the index are kept. */
  close(): void;
}

/** The index of a node's graph, as the node sees it: a thread does the work, and is started again when it ends. */
export class Indexer {
  readonly #parts: IndexerParts;
  #worker: IndexWorker | undefined;
  #status: IndexStatus = { indexedFrom: null, indexedTo: null, quads: 0, bytes: 0 };
  #graph: OpenGraph | undefined;
  #restartMs = GRAPH_RESTART_MS_MIN;
  #cancelRestart: () => void = () => undefined;
  #closing: Promise<void> | undefined;
  #onEnded: () => void = () => undefined;

  constructor(parts: IndexerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#worker = this.#parts.startWorker({
      report: (report) => this.#report(report),
      ended: (reason) => this.#ended(reason),
    });
    this.newHead(this.#parts.head());
  }

  /** To be called when the store shows a new block. */
  newHead(height: number): void {
    this.#worker?.send({ kind: 'head', height });
    this.#measure();
  }

  /** Blocks that the chain shows above those that are indexed. Blocks below them, which a history brings, do not count. */
  lag(): number {
    return Math.max(0, this.#parts.head() - (this.#status.indexedTo ?? -1));
  }

  status(): IndexStatus {
    return this.#status;
  }

  /**
   * The graph as it is indexed now; undefined until the thread has opened it.
   *
   * @throws CorruptionError
   */
  moment(): GraphMoment | undefined {
    return this.#graph?.moment();
  }

  /** Lets the thread finish its write, not for long; safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async #stop(): Promise<void> {
    this.#cancelRestart();
    const worker = this.#worker;
    if (worker !== undefined) {
      const ended = new Promise<void>((resolve) => {
        this.#onEnded = resolve;
      });
      worker.send({ kind: 'stop' });
      const cancel = this.#parts.timers.after(GRAPH_STOP_MS_MAX, () => worker.terminate());
      await ended;
      cancel();
    }
    this.#graph?.retire();
    this.#graph = undefined;
  }

  #report(report: IndexReport): void {
    const { log } = this.#parts;
    this.#status = report.status;
    if (report.kind === 'opened') {
      if (report.dropped !== null) {
        log.warn({ reason: report.dropped }, 'the graph index was removed: it is put together again from the chain');
      }
      if (this.#closing === undefined) this.#read();
    } else this.#restartMs = GRAPH_RESTART_MS_MIN;
    this.#measure();
  }

  #measure(): void {
    const { quads, bytes } = this.#status;
    this.#parts.metrics.provenanceLag(this.lag());
    this.#parts.metrics.provenanceSize({ quads, bytes });
  }

  #ended(reason: string | null): void {
    this.#worker = undefined;
    this.#onEnded();
    if (this.#closing !== undefined) return;
    const delayMs = this.#restartMs;
    this.#restartMs = Math.min(2 * delayMs, GRAPH_RESTART_MS_MAX);
    this.#parts.log.error({ reason, againInMs: delayMs }, 'the thread that indexes the graph has ended');
    this.#cancelRestart = this.#parts.timers.after(delayMs, () => this.start());
  }

  /** A thread that was started again may have begun the index anew, in another file. */
  #read(): void {
    this.#graph?.retire();
    this.#graph = undefined;
    try {
      this.#graph = new OpenGraph(this.#parts.openReads(), this.#parts.createReader());
    } catch (error) {
      this.#parts.log.error({ error: String(error) }, 'the graph index cannot be read');
    }
  }
}

/** An index that is open for reading, until nobody needs it any more. */
class OpenGraph {
  readonly #store: ReadOnlyKeyValue;
  readonly #reader: GraphReader;
  #moments = 0;
  #isRetired = false;

  constructor(store: ReadOnlyKeyValue, reader: GraphReader) {
    this.#store = store;
    this.#reader = reader;
  }

  moment(): GraphMoment {
    const snapshot = this.#store.snapshot();
    this.#moments += 1;
    const close = (): void => {
      snapshot.close();
      this.#moments -= 1;
      this.#closeIfUnused();
    };
    try {
      return { view: this.#reader.at(snapshot), close };
    } catch (error) {
      close();
      throw error;
    }
  }

  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#isRetired && this.#moments === 0) this.#store.close(() => undefined);
  }
}
