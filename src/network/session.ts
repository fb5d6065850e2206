import { assert } from '../lib/assert.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import {
  FRAME_BYTES_MAX,
  PEER_BYTES_BURST,
  PEER_BYTES_PER_SECOND,
  PEER_FRAMES_BURST,
  PEER_FRAMES_PER_SECOND,
  SEND_BUFFER_BYTES_MAX,
} from '../model/limits.ts';
import { type Channel, cutInTime, farewell, reasonOfCloseCode, reasonOfError } from './channel.ts';
import type { ProvenPeer } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outbox } from './outbox.ts';
import type { DownReason, Lane, Refusal } from './transport.ts';
import { decodeFrame, encodeMessage, encodePing } from './wire.ts';

export interface SessionOptions {
  readonly heartbeatIntervalMs: number;
  /** Silence that is borne now, however short that is. Milliseconds. */
  readonly patienceMs: () => number;
  readonly onFrame: (frame: Uint8Array) => void;
  /** Called once; no frame comes after it. */
  readonly onDown: (reason: DownReason, by: 'us' | 'them') => void;
}

/** A channel whose two ends have introduced themselves: frames out by priority, frames in within bounds. */
export class Session {
  readonly peer: ProvenPeer;
  /** Unix milliseconds. */
  readonly since = Date.now();
  readonly #channel: Channel;
  readonly #options: SessionOptions;
  readonly #heartbeat: Heartbeat;
  readonly #outbox = new Outbox();
  readonly #frames = new TokenBucket(PEER_FRAMES_PER_SECOND, PEER_FRAMES_BURST, performance.now());
  readonly #bytes = new TokenBucket(PEER_BYTES_PER_SECOND, PEER_BYTES_BURST, performance.now());
  readonly #closed: Promise<void>;
  /** At most one of each waits, so that a peer that pings without reading fills nothing. */
  #ping: Uint8Array | undefined;
  #pong: Uint8Array | undefined;
  #pumpIsDue = false;
  #down = false;

  constructor(channel: Channel, peer: ProvenPeer, options: SessionOptions) {
    this.peer = peer;
    this.#channel = channel;
    this.#options = options;
    const { ws, socket } = channel;
    this.#closed = new Promise((resolve) => ws.once('close', () => resolve()));
    ws.on('message', this.#onMessage);
    ws.on('ping', this.#onWebSocketPing);
    ws.on('pong', this.#onWebSocketPing);
    ws.on('error', this.#onError);
    ws.on('close', this.#onClose);
    this.#heartbeat = new Heartbeat({
      intervalMs: options.heartbeatIntervalMs,
      patienceMs: options.patienceMs,
      bytesReceived: () => socket.bytesRead,
      ping: (nonce) => {
        this.#ping = encodePing('ping', nonce);
        this.#schedule();
      },
      onSilent: () => this.#abort('SILENT', 'them'),
      onDeaf: () => this.#abort('SLOW_READER', 'us'),
    });
  }

  /** Moving average of the round trip; undefined until the first answer. */
  get latencyMs(): number | undefined {
    return this.#heartbeat.latencyMs;
  }

  /** Resolves when the socket is gone. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Frames and bytes that wait for the socket. */
  get waiting(): { readonly frames: number; readonly bytes: number } {
    return this.#outbox.waiting();
  }

  /** Bytes that wait, with those that the socket has not sent. */
  get backlog(): number {
    return this.#outbox.waiting().bytes + this.#channel.ws.bufferedAmount;
  }

  /** As `Transport.send`. */
  send(frame: Uint8Array, lane: Lane): boolean {
    assert(frame.length <= FRAME_BYTES_MAX, `a frame of ${frame.length} bytes is above FRAME_BYTES_MAX`);
    if (this.#down) return false;
    if (this.#outbox.add(encodeMessage(frame), lane)) {
      this.#schedule();
      return true;
    }
    if (lane === 'consensus') this.#abort('SLOW_READER', 'us');
    return false;
  }

  /** Ends the session and tells the peer why; `onDown` is called before this returns. */
  close(refusal: Refusal): void {
    if (this.#down) return;
    farewell(this.#channel, refusal);
    this.#finish(refusal, 'us');
  }

  /** Drops the socket as it is. */
  terminate(): void {
    this.#channel.ws.terminate();
  }

  /** Sends once the current turn is over: what a turn produces leaves in order of priority and in few records. */
  #schedule(): void {
    if (this.#pumpIsDue) return;
    this.#pumpIsDue = true;
    process.nextTick(this.#pump);
  }

  #pump = (): void => {
    this.#pumpIsDue = false;
    if (this.#down) return;
    const { ws, socket } = this.#channel;
    socket.cork();
    while (ws.bufferedAmount < SEND_BUFFER_BYTES_MAX) {
      const frame = this.#next();
      if (frame === undefined) break;
      ws.send(frame, SEND_OPTIONS, this.#onSent);
    }
    socket.uncork();
  };

  #next(): Uint8Array | undefined {
    const control = this.#pong ?? this.#ping;
    if (control === undefined) return this.#outbox.take();
    if (this.#pong === undefined) this.#ping = undefined;
    else this.#pong = undefined;
    return control;
  }

  #onSent = (): void => {
    if (!this.#outbox.isEmpty) this.#schedule();
  };

  #admits(bytes: number): boolean {
    const now = performance.now();
    if (this.#frames.take(1, now) && this.#bytes.take(bytes, now)) return true;
    this.close('FLOOD');
    return false;
  }

  #onWebSocketPing = (data: Uint8Array): void => {
    if (!this.#down) this.#admits(data.length);
  };

  #onMessage = (data: unknown, isBinary: boolean): void => {
    if (this.#down) return;
    if (!isBinary || !(data instanceof Uint8Array)) {
      this.close('MALFORMED_FRAME');
      return;
    }
    if (!this.#admits(data.length)) return;
    const decoded = decodeFrame(data);
    if (!decoded.ok) {
      this.close('MALFORMED_FRAME');
      return;
    }
    const frame = decoded.value;
    switch (frame.kind) {
      case 'message':
        this.#options.onFrame(frame.frame);
        return;
      case 'ping':
        this.#pong = encodePing('pong', frame.nonce);
        this.#schedule();
        return;
      case 'pong':
        this.#heartbeat.answered(frame.nonce);
        return;
      case 'error':
        this.#channel.ws.close();
        cutInTime(this.#channel);
        this.#finish(frame.refusal, 'them');
        return;
      case 'hello':
        this.close('MALFORMED_FRAME');
    }
  };

  #onError = (error: Error): void => {
    const reason = reasonOfError(error);
    cutInTime(this.#channel);
    this.#finish(reason, reason === 'LOST' ? 'them' : 'us');
  };

  #onClose = (code: number): void => this.#finish(reasonOfCloseCode(code), 'them');

  /** Ends the session without a word: the peer does not read, or does not speak. */
  #abort(reason: DownReason, by: 'us' | 'them'): void {
    this.#channel.ws.terminate();
    this.#finish(reason, by);
  }

  #finish(reason: DownReason, by: 'us' | 'them'): void {
    if (this.#down) return;
    this.#down = true;
    this.#heartbeat.stop();
    this.#options.onDown(reason, by);
  }
}

const SEND_OPTIONS = { binary: true, compress: false, fin: true } as const;
