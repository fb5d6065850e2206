import { GRAPH_LOOK_AGAIN_MS, GRAPH_LOOK_AROUND_MS } from '../model/graph-limits.ts';
import type { OpenedGraph } from '../store/graph-directory.ts';
import type { ReadOnlyKeyValue } from '../store/lmdb.ts';
import { type IndexReport, indexOrder } from './index-messages.ts';
import { type BlockDescriber, Indexing } from './indexing.ts';
import type { Timers } from './ports.ts';

export interface IndexThreadParts {
  /** To whoever started the thread; closed when the work is done. */
  readonly port: {
    postMessage(report: IndexReport): void;
    on(event: 'message', listener: (order: unknown) => void): unknown;
    close(): void;
  };
  readonly chain: ReadOnlyKeyValue;
  readonly graph: OpenedGraph;
  readonly describe: BlockDescriber;
  readonly timers: Pick<Timers, 'after'>;
}

/**
 * Indexes as it is told to, until it is told to stop.
 *
 * @throws what `Indexing.advance` throws, when everything is closed
 */
export async function serveIndexing({ port, chain, graph, describe, timers }: IndexThreadParts): Promise<void> {
  const indexing = new Indexing({
    chain,
    graph,
    describe,
    told: (status) => port.postMessage({ kind: 'indexed', status }),
  });
  const orders = new Orders();
  port.on('message', (message) => {
    const order = indexOrder.parse(message);
    if (order.kind === 'stop') indexing.stop();
    orders.add(order.kind === 'stop' ? 'stop' : order.height);
  });
  port.postMessage({ kind: 'opened', status: indexing.status, dropped: graph.dropped });
  try {
    while (!orders.isStopped) {
      await indexing.advance();
      const isBehind = (indexing.status.indexedTo ?? -1) < orders.head;
      const cancel = timers.after(isBehind ? GRAPH_LOOK_AGAIN_MS : GRAPH_LOOK_AROUND_MS, () => orders.wake());
      await orders.next();
      cancel();
    }
  } finally {
    await closed(graph.store);
    await closed(chain);
    port.close();
  }
}

/** What was ordered and not yet done. */
class Orders {
  head = -1;
  isStopped = false;
  #isNew = false;
  #wake: () => void = () => undefined;

  add(order: number | 'stop'): void {
    if (order === 'stop') this.isStopped = true;
    else this.head = Math.max(this.head, order);
    this.wake();
  }

  wake(): void {
    this.#isNew = true;
    this.#wake();
  }

  /** Resolves when something was ordered since it resolved last. */
  async next(): Promise<void> {
    if (!this.#isNew) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isNew = false;
  }
}

/** An error of closing would hide the one that it is closed for. */
function closed(store: Pick<ReadOnlyKeyValue, 'close'>): Promise<void> {
  return new Promise((resolve) => store.close(() => resolve()));
}
