import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { formatAddress, type HostAndPort } from '../lib/address.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Channel, WEBSOCKET_LIMITS } from './channel.ts';
import { Handshake, type HandshakeFailure, type ProvenPeer, type Self } from './handshake.ts';
import type { PeerId, Refusal } from './transport.ts';

export interface AttemptOptions {
  readonly self: Self;
  /** To open the connection, and again to say hello. */
  readonly timeoutMs: number;
  /** As in a handshake. */
  readonly greet: (id: PeerId) => Refusal | undefined;
  readonly admit: (peer: ProvenPeer) => Refusal | undefined;
  /** Called once, and never after `abandon`. */
  readonly done: (outcome: Result<{ readonly channel: Channel; readonly peer: ProvenPeer }, HandshakeFailure>) => void;
}

/** One dial of one address, from the first packet to the judged hello. */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #ws: WebSocket;
  readonly #address: string;
  #id: PeerId | undefined;
  #abandoned = false;

  constructor(at: HostAndPort, options: AttemptOptions) {
    this.#options = options;
    this.#address = formatAddress(at.host, at.port);
    let socket: TLSSocket | undefined;
    const ws = new WebSocket(`wss://${this.#address}/`, {
      ...WEBSOCKET_LIMITS,
      followRedirects: false,
      createConnection: () => {
        socket = connect({ ...options.self.identity.tls, ...at, rejectUnauthorized: false });
        return socket;
      },
    });
    this.#ws = ws;
    const timer = setTimeout(() => ws.terminate(), options.timeoutMs);
    ws.on('error', ignore);
    const onUnreachable = (): void => {
      clearTimeout(timer);
      if (!this.#abandoned) options.done(err({ reason: 'UNREACHABLE', by: 'them' }));
    };
    ws.once('close', onUnreachable);
    ws.once('open', () => {
      clearTimeout(timer);
      ws.off('close', onUnreachable);
      if (socket === undefined || this.#abandoned) ws.terminate();
      else this.#introduce({ ws, socket, direction: 'outbound', address: this.#address });
    });
  }

  /** Who lives at the address: known once our hello is on its way, or was withheld. */
  get id(): PeerId | undefined {
    return this.#id;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#ws.terminate();
  }

  #introduce(channel: Channel): void {
    const { self, timeoutMs, greet, admit, done } = this.#options;
    new Handshake(channel, self, {
      timeoutMs,
      greet: (id) => {
        this.#id = id;
        return greet(id);
      },
      admit: (peer) => (this.#abandoned ? 'DUPLICATE_SESSION' : admit(peer)),
      done: (outcome) => {
        if (!this.#abandoned) done(outcome.ok ? ok({ channel, peer: outcome.value }) : outcome);
      },
    });
  }
}

/** What failed is told by the `close` that follows. */
function ignore(): void {}
