import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { ok, type Result } from '../lib/result.ts';
import {
  FEED_REPLAY_BLOCKS_PER_TURN,
  FEED_REQUESTS_BURST,
  FEED_REQUESTS_PER_SECOND,
  FEED_STALL_MS_MAX,
  FEED_TOPICS_MAX,
} from '../model/http-limits.ts';
import { Height, isName } from '../model/ids.ts';
import type { ChainEvent } from './feed-events.ts';
import { parseJson } from './json.ts';
import { fail, type Problem } from './problems.ts';
import { createRateLimit } from './rate-limit.ts';
import type { ApiLimits } from './settings.ts';
import { firstFault, wording } from './wording.ts';

/** The chain as a reader goes along it. */
export interface FeedSource {
  head(): Height;
  /** Undefined when this node does not keep that block. */
  eventsAt(height: Height): readonly ChainEvent[] | undefined;
  /** Told when a reader is sent away. */
  onEnd(code: number, reason: string): void;
}

/** Close codes of our own (RFC 6455 §7.4.2: 4000 to 4999 are private). */
const FEED_CLOSE = { SLOW_READER: 4008, HISTORY_GONE: 4010, TOO_MANY_REQUESTS: 4029 } as const;

const ALL = '*';
const TICKET = 'ticket:';
const topic = z
  .string()
  .refine(
    (value) => value === ALL || value === 'block' || (value.startsWith(TICKET) && isName(value.slice(TICKET.length))),
    'is "block", "ticket:ID" or "*"',
  );
const topics = z.array(topic).min(1).max(FEED_TOPICS_MAX);
const requestSchema = z.discriminatedUnion(
  'op',
  [
    z.strictObject({ op: z.literal('subscribe'), topics, from: z.int().nonnegative().optional() }),
    z.strictObject({ op: z.literal('unsubscribe'), topics }),
    z.strictObject({ op: z.literal('ping') }),
  ],
  'is one of subscribe, unsubscribe, ping',
);
type FeedRequest = z.output<typeof requestSchema>;

/**
 * One reader of the feed. It pulls: a cursor goes along the chain as fast as the socket takes it, so a slow reader
 * holds a bounded buffer and nothing else, and whoever resumes from a height reads what live readers read.
 */
export class FeedReader {
  readonly #socket: WebSocket;
  readonly #source: FeedSource;
  readonly #limits: ApiLimits;
  readonly #requests = createRateLimit(FEED_REQUESTS_PER_SECOND, FEED_REQUESTS_BURST);
  readonly #topics = new Set<string>();
  /** The next event to look at. */
  #height: Height;
  #seq = 0;
  #stall: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #unansweredPings = 0;
  #isEnding = false;

  constructor(socket: WebSocket, source: FeedSource, limits: ApiLimits) {
    this.#socket = socket;
    this.#source = source;
    this.#limits = limits;
    this.#height = Height(source.head() + 1);
    socket.on('message', (message, isBinary) => this.#receive(message, isBinary));
    socket.on('pong', () => {
      this.#unansweredPings = 0;
    });
    // What a reader breaks of the protocol closes its socket; `close` follows, and is all we need.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(this.#stall);
      clearImmediate(this.#turn);
    });
  }

  /** Goes on along the chain: to be called when it has grown. */
  advance(): void {
    if (this.#turn === undefined && this.#stall === undefined) this.#pump();
  }

  /** An event that is on no chain: only for those who are at the head, and want everything. */
  tell(text: string): void {
    const isAtHead = this.#height > this.#source.head() && this.#stall === undefined;
    if (isAtHead && this.#topics.has(ALL)) this.#send(text);
  }

  ping(): void {
    if (this.#unansweredPings >= 2) {
      this.#socket.terminate();
      return;
    }
    this.#unansweredPings += 1;
    this.#socket.ping();
  }

  /** Resolves when the socket is closed: when the reader has answered, or after `graceMs`. */
  close(code: number, reason: string, graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cutOff = setTimeout(() => this.#socket.terminate(), graceMs);
      this.#socket.once('close', () => {
        clearTimeout(cutOff);
        resolve();
      });
      this.#socket.close(code, reason);
    });
  }

  /** A slow reader first has to read up to the farewell: it gets as long for it as it had to become quicker. */
  #end(code: number, reason: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#topics.clear();
    this.#source.onEnd(code, reason);
    void this.close(code, reason, FEED_STALL_MS_MAX);
  }

  #pump(): void {
    this.#turn = undefined;
    for (let blocks = 0; this.#topics.size > 0 && this.#height <= this.#source.head(); blocks += 1) {
      if (blocks === FEED_REPLAY_BLOCKS_PER_TURN) {
        this.#turn = setImmediate(() => this.#pump());
        return;
      }
      const events = this.#source.eventsAt(this.#height);
      if (events === undefined) {
        const reason = `HISTORY_GONE: this node does not keep block ${this.#height}; ask another`;
        this.#end(FEED_CLOSE.HISTORY_GONE, reason);
        return;
      }
      if (!this.#sendBlock(events)) {
        this.#waitForSocket();
        return;
      }
      this.#height = Height(this.#height + 1);
      this.#seq = 0;
    }
    // Nobody to tell anything: whoever subscribes next begins at what comes then.
    if (this.#topics.size === 0) this.#height = Height(this.#source.head() + 1);
  }

  /** Whether the whole block went out; otherwise the cursor stands at the first event that did not. */
  #sendBlock(events: readonly ChainEvent[]): boolean {
    for (; this.#seq < events.length; this.#seq += 1) {
      if (this.#socket.bufferedAmount > this.#limits.feedBufferBytesMax) return false;
      const next = events[this.#seq];
      if (next !== undefined && this.#wants(next)) this.#send(JSON.stringify(next.event));
    }
    return true;
  }

  #wants({ event, ticket }: ChainEvent): boolean {
    if (this.#topics.has(ALL)) return true;
    if (event.type === 'block_finalised') return this.#topics.has('block');
    return ticket !== null && this.#topics.has(TICKET + ticket);
  }

  #waitForSocket(): void {
    this.#stall = setTimeout(() => this.#giveUp(), this.#limits.feedStallMsMax);
  }

  #giveUp(): void {
    this.#end(FEED_CLOSE.SLOW_READER, `SLOW_READER: subscribe again with "from": ${this.#height}`);
  }

  #send(text: string): void {
    this.#socket.send(text, () => this.#sent());
  }

  #sent(): void {
    if (this.#stall === undefined || this.#socket.bufferedAmount > this.#limits.feedBufferBytesMax / 2) return;
    clearTimeout(this.#stall);
    this.#stall = undefined;
    // Not in this call stack: a send that fails at once calls back at once.
    this.#turn = setImmediate(() => this.#pump());
  }

  #receive(message: RawData, isBinary: boolean): void {
    if (this.#isEnding) return;
    if (!this.#requests.take('', performance.now()).allowed) {
      this.#end(FEED_CLOSE.TOO_MANY_REQUESTS, 'RATE_LIMITED: too many requests on this feed');
      return;
    }
    // Answers are not held back as events are, so whoever asks on without reading has to go.
    if (this.#socket.bufferedAmount > 2 * this.#limits.feedBufferBytesMax) {
      this.#giveUp();
      return;
    }
    const request = isBinary ? fail('BAD_REQUEST', 'requests are text') : parseRequest(message);
    if (!request.ok) {
      const { code, detail } = request.error;
      this.#send(JSON.stringify({ type: 'error', code, detail }));
      return;
    }
    this.#obey(request.value);
  }

  #obey(request: FeedRequest): void {
    if (request.op === 'ping') {
      this.#send(JSON.stringify({ type: 'pong', height: this.#source.head() }));
      return;
    }
    if (request.op === 'unsubscribe') {
      for (const one of request.topics) this.#topics.delete(one);
    } else if (new Set([...this.#topics, ...request.topics]).size > FEED_TOPICS_MAX) {
      const detail = `at most ${FEED_TOPICS_MAX} topics on one feed; "*" is everything`;
      this.#send(JSON.stringify({ type: 'error', code: 'BAD_REQUEST', detail }));
      return;
    } else {
      this.#subscribe(request.topics, request.from);
    }
    const told = { type: 'subscribed', topics: [...this.#topics], from: this.#height, head: this.#source.head() };
    this.#send(JSON.stringify(told));
    this.advance();
  }

  #subscribe(topics: readonly string[], from: number | undefined): void {
    if (from !== undefined) {
      this.#height = Height(from);
      this.#seq = 0;
    } else if (this.#topics.size === 0) {
      this.#height = Height(this.#source.head() + 1);
      this.#seq = 0;
    }
    for (const one of topics) this.#topics.add(one);
  }
}

function parseRequest(message: RawData): Result<FeedRequest, Problem> {
  const bytes = Array.isArray(message) ? Buffer.concat(message) : new Uint8Array(message);
  const value = parseJson(bytes);
  if (!value.ok) return value;
  const parsed = requestSchema.safeParse(value.value, { error: wording });
  if (parsed.success) return ok(parsed.data);
  const fault = firstFault(parsed.error, 'a request is a JSON object with an "op"');
  return fail('BAD_REQUEST', `${fault.detail}; such as {"op":"subscribe","topics":["block"],"from":0}`);
}
