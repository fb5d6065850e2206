import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { CLOSE_TIMEOUT_MS_MAX, FRAME_BYTES_MAX, FRAME_CHUNKS_MAX, FRAME_FRAGMENTS_MAX } from '../model/limits.ts';
import type { Direction, DownReason, Refusal } from './transport.ts';
import { ENVELOPE_BYTES, encodeError } from './wire.ts';

/** One open WebSocket and the TLS channel under it. */
export interface Channel {
  readonly ws: WebSocket;
  readonly socket: TLSSocket;
  readonly direction: Direction;
  /** `host:port` of the other end. */
  readonly address: string;
}

/** Same on both ends. Compression would cost 20 times the transfer, and automatic pongs pile up before a slow reader. */
export const WEBSOCKET_LIMITS = {
  maxPayload: FRAME_BYTES_MAX + ENVELOPE_BYTES,
  maxFragments: FRAME_FRAGMENTS_MAX,
  maxBufferedChunks: FRAME_CHUNKS_MAX,
  perMessageDeflate: false,
  autoPong: false,
} as const;

/** RFC 6455 §7.4.1. */
const POLICY_VIOLATION = 1_008;
const MESSAGE_TOO_BIG = 1_009;
const GOING_AWAY = 1_001;

/** Says why and closes; what the other end does not finish in time is cut. */
export function farewell(channel: Channel, refusal: Refusal): void {
  const { ws } = channel;
  if (ws.readyState === ws.OPEN) {
    ws.send(encodeError(refusal));
    ws.close(refusal === 'STOPPING' ? GOING_AWAY : POLICY_VIOLATION, refusal);
  }
  cutInTime(channel);
}

/** Cuts a channel that closes, unless it is closed by then. */
export function cutInTime({ ws }: Channel): void {
  if (ws.readyState === ws.CLOSED) return;
  const timer = setTimeout(() => ws.terminate(), CLOSE_TIMEOUT_MS_MAX / 2);
  ws.once('close', () => clearTimeout(timer));
}

/** What a failure of the WebSocket layer means: its own codes name what the peer did wrong. */
export function reasonOfError(error: Error & { readonly code?: unknown }): DownReason {
  switch (error.code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return 'FRAME_TOO_LARGE';
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return 'FLOOD';
    default:
      return typeof error.code === 'string' && error.code.startsWith('WS_ERR_') ? 'MALFORMED_FRAME' : 'LOST';
  }
}

/** What the other end's close code means when no Error frame came before it. */
export function reasonOfCloseCode(code: number): DownReason {
  if (code === MESSAGE_TOO_BIG) return 'FRAME_TOO_LARGE';
  if (code === POLICY_VIOLATION) return 'FLOOD';
  return 'LOST';
}
