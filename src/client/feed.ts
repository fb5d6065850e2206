import type { FeedEvent } from './answers.ts';
import { pause } from './call.ts';

/** What of a WebSocket is used: a browser's is one, and so is that of the `ws` package. */
interface FeedSocket {
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  send(text: string): void;
  close(): void;
}

export interface FeedOptions {
  /** Of the node, such as `http://127.0.0.1:7180`. */
  readonly url: string;
  readonly connect: (url: string) => FeedSocket;
  /** `block`, `ticket:ID`, or `*`. */
  readonly topics: readonly string[];
  /** The first height to hear of; what is final from now on, unless given. */
  readonly from?: number;
  readonly onEvent: (event: FeedEvent) => void;
  /** The node did not take the request, or sent this reader away; after the latter it connects again by itself. */
  readonly onTrouble?: (trouble: { readonly code: string; readonly detail: string }) => void;
  readonly signal: AbortSignal;
}

/** What a node says that is no event. */
type Said =
  | { readonly type: 'subscribed'; readonly from: number }
  | { readonly type: 'error'; readonly code: string; readonly detail: string };

const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 5_000;

/** The place along the chain up to which events were handed on. */
interface Cursor {
  height: number | undefined;
  seq: number;
}

/**
 * Hands on the events of a node, each once and in order, until `signal` is raised. When the connection ends it connects
 * again and goes on where it was: what became final in between is not missed.
 */
export async function followFeed(options: FeedOptions): Promise<void> {
  const { signal } = options;
  const cursor: Cursor = { height: options.from, seq: -1 };
  for (let waitMs = RECONNECT_MS_MIN; !signal.aborted; waitMs = Math.min(2 * waitMs, RECONNECT_MS_MAX)) {
    const wasOpen = await session(options, cursor);
    if (wasOpen) waitMs = RECONNECT_MS_MIN;
    await pause(waitMs, signal);
  }
}

/** One connection, until it ends; whether it was ever subscribed. */
function session(options: FeedOptions, cursor: Cursor): Promise<boolean> {
  const { url, connect, topics, signal, onTrouble = () => undefined } = options;
  return new Promise((resolve) => {
    let isSubscribed = false;
    const socket = connect(`${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws`);
    const hangUp = (): void => socket.close();
    signal.addEventListener('abort', hangUp);
    socket.addEventListener('open', () => {
      const from = cursor.height === undefined ? {} : { from: cursor.height };
      socket.send(JSON.stringify({ op: 'subscribe', topics, ...from }));
    });
    socket.addEventListener('message', ({ data }) => {
      const said = parse(data);
      if (said === undefined || signal.aborted) return;
      if (said.type === 'error') onTrouble(said);
      else if (said.type === 'subscribed') {
        isSubscribed = true;
        cursor.height ??= said.from;
      } else handOn(said, cursor, options.onEvent);
    });
    // A failed connection closes as well; without a listener some implementations throw.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', ({ code, reason }) => {
      signal.removeEventListener('abort', hangUp);
      if (isSubscribed && !signal.aborted) onTrouble(farewell(code, reason));
      resolve(isSubscribed);
    });
  });
}

/** RFC 6455 §7.4.1: 1006 is nobody's word, but what a reader notices when the connection is simply gone. */
const LOST = 1006;

function farewell(code: number, reason: string): { readonly code: string; readonly detail: string } {
  const again = 'connecting again, and going on where it ended';
  if (code === LOST) return { code: 'CONNECTION_LOST', detail: `the connection broke off; ${again}` };
  // The node's own words begin with a code.
  const said = /^([A-Z_]+): (.*)$/s.exec(reason);
  return { code: said?.[1] ?? `CLOSED_${code}`, detail: `${said?.[2] ?? 'the node closed the feed'}; ${again}` };
}

function handOn(event: FeedEvent, cursor: Cursor, onEvent: (event: FeedEvent) => void): void {
  if (event.seq !== null) {
    const height = cursor.height ?? event.height;
    // After reconnecting, the height at which it broke is told again from its start.
    if (event.height < height || (event.height === height && event.seq <= cursor.seq)) return;
    cursor.height = event.height;
    cursor.seq = event.seq;
  }
  onEvent(event);
}

function parse(data: unknown): FeedEvent | Said | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null && 'type' in value ? (value as FeedEvent | Said) : undefined;
  } catch {
    return undefined;
  }
}
