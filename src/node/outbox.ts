import { encode } from '../model/codec.ts';
import { type Message, type MessageKind, messageLayout } from '../model/message.ts';
import type { HostParts } from './host-parts.ts';
import type { Urgency } from './ports.ts';

const URGENCIES: Partial<Record<MessageKind, Urgency>> = {
  transactions: 'transactions',
  blocks: 'sync',
  body: 'sync',
};

/** The way out for messages to other authorities: encoded once, counted, in the lane of their kind. */
export class Outbox {
  readonly #parts: Pick<HostParts, 'links' | 'seat' | 'listener'>;

  constructor(parts: Pick<HostParts, 'links' | 'seat' | 'listener'>) {
    this.#parts = parts;
  }

  broadcast(message: Message): void {
    const { links, seat, listener } = this.#parts;
    const frame = encode(messageLayout, message);
    const seats = links.connected().filter((other) => other !== seat);
    for (const other of seats) links.send(other, frame, URGENCIES[message.kind] ?? 'consensus');
    listener.sent(message.kind, frame.length, seats.length);
  }

  send(to: number, message: Message): void {
    this.sendFrame(to, { kind: message.kind, frame: encode(messageLayout, message) });
  }

  /** What is encoded already. */
  sendFrame(to: number, { kind, frame }: { readonly kind: MessageKind; readonly frame: Uint8Array }): void {
    this.#parts.links.send(to, frame, URGENCIES[kind] ?? 'consensus');
    this.#parts.listener.sent(kind, frame.length, 1);
  }
}
