import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FeedEvent, SeedAnswer } from '../client/answers.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { FEED_CACHED_BLOCKS_MAX, FEED_CLOSE_MS_MAX, FEED_REQUEST_BYTES_MAX } from '../model/http-limits.ts';
import type { Height } from '../model/ids.ts';
import { FRAME_FRAGMENTS_MAX } from '../model/limits.ts';
import { type ChainEvent, eventsOf } from './feed-events.ts';
import { FeedReader, type FeedSource } from './feed-reader.ts';
import type { NodeEvent } from './ports.ts';
import type { Problem } from './problems.ts';
import type { ApiDependencies } from './settings.ts';

/** WebSocket close codes (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001;
/** Chunks of one message that a reader may trickle in. */
const BUFFERED_CHUNKS_MAX = 256;

/** Tells readers what becomes final, from any height on, without a gap. */
export class Feed {
  readonly #dependencies: ApiDependencies;
  readonly #server: WebSocketServer;
  readonly #readers = new Set<FeedReader>();
  readonly #events = new Map<Height, readonly ChainEvent[]>();
  readonly #source: FeedSource;
  readonly #unsubscribe: () => void;
  readonly #pings: NodeJS.Timeout;
  #head: Height;

  constructor(dependencies: ApiDependencies) {
    const { reader, subscribe, settings, logger } = dependencies;
    this.#dependencies = dependencies;
    this.#head = reader.status().head.height;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: FEED_REQUEST_BYTES_MAX,
      maxFragments: FRAME_FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
    });
    this.#source = {
      head: () => this.#head,
      eventsAt: (height) => this.#eventsAt(height),
      onEnd: (code, reason) => logger.info({ code, reason }, 'reader of the feed sent away'),
    };
    this.#unsubscribe = subscribe((event) => this.#tell(event));
    this.#pings = setInterval(() => {
      for (const reader of this.#readers) reader.ping();
    }, settings.limits.feedPingMs);
    this.#pings.unref();
  }

  /** Turns a request that the guards let through into a reader. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): Result<true, Problem> {
    const { settings, metrics } = this.#dependencies;
    if (this.#readers.size >= settings.limits.feedConnectionsMax) {
      return err({ code: 'OVERLOADED', detail: 'this node serves all the readers it can; try another node' });
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const reader = new FeedReader(webSocket, this.#source, settings.limits);
      this.#readers.add(reader);
      metrics.websocketConnections(this.#readers.size);
      webSocket.once('close', () => {
        this.#readers.delete(reader);
        metrics.websocketConnections(this.#readers.size);
      });
    });
    return ok(true);
  }

  seeded(seeded: SeedAnswer): void {
    this.#tellNow({ type: 'tickets_seeded', height: seeded.height, seq: null, data: { ...seeded } });
  }

  /** Says farewell to every reader; those that do not answer are cut off. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    this.#unsubscribe();
    const farewells = [...this.#readers].map((reader) =>
      reader.close(GOING_AWAY, 'STOPPING: the node stops', FEED_CLOSE_MS_MAX),
    );
    await Promise.all(farewells);
    this.#server.close();
  }

  #tell(event: NodeEvent): void {
    if (event.type === 'block_finalised') {
      this.#head = event.height;
      for (const reader of this.#readers) reader.advance();
    } else {
      this.#tellNow({ type: event.type, height: event.height, seq: null, data: event.data });
    }
  }

  #tellNow(event: FeedEvent): void {
    const text = JSON.stringify(event);
    for (const reader of this.#readers) reader.tell(text);
  }

  /** Read once for all readers that are near the head. */
  #eventsAt(height: Height): readonly ChainEvent[] | undefined {
    const known = this.#events.get(height);
    if (known !== undefined) return known;
    const block = this.#dependencies.reader.block(height);
    if (block === undefined) return undefined;
    const events = eventsOf(block);
    if (height + FEED_CACHED_BLOCKS_MAX > this.#head) {
      this.#events.set(height, events);
      const [oldest] = this.#events.keys();
      if (this.#events.size > FEED_CACHED_BLOCKS_MAX && oldest !== undefined) this.#events.delete(oldest);
    }
    return events;
  }
}
