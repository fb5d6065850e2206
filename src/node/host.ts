import type { Event, LocalEvent } from '../consensus/event.ts';
import { step } from '../consensus/pbft.ts';
import type { Replica } from '../consensus/replica.ts';
import { haltedStatus } from '../consensus/status.ts';
import { wants } from '../consensus/wants.ts';
import { decode } from '../model/codec.ts';
import { type Message, messageLayout } from '../model/message.ts';
import { verifyMessage } from '../model/verified.ts';
import { Announcer } from './announcer.ts';
import { Deeds } from './deeds.ts';
import type { HostParts } from './host-parts.ts';
import { Outbox } from './outbox.ts';
import { PrimaryJudge } from './primary-judge.ts';

/** The one loop: events in, one step each, effects carried out in order. */
export class Host {
  readonly #parts: HostParts;
  readonly #outbox: Outbox;
  readonly #announcer: Announcer;
  readonly #primaryJudge: PrimaryJudge;
  readonly #deeds: Deeds;
  readonly #queue: Event[] = [];
  #draining = false;
  #stopped = false;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts);
    this.#announcer = new Announcer({
      ...parts,
      tell: (pending) => this.report({ type: 'pending', pending }),
    });
    this.#primaryJudge = new PrimaryJudge(parts);
    this.#deeds = new Deeds({
      ...parts,
      outbox: this.#outbox,
      announcer: this.#announcer,
      primaryJudge: this.#primaryJudge,
      loop: {
        report: (event) => this.report(event),
        hearOwn: (message) => this.#enqueue({ type: 'message', from: parts.seat, message, now: parts.clock.now() }),
      },
    });
  }

  start(): void {
    this.report({ type: 'start' });
  }

  /** No effect is carried out any more. */
  stop(): void {
    this.#stopped = true;
    this.#announcer.stop();
    this.#deeds.stop();
  }

  get replica(): Replica {
    return this.#parts.replica;
  }

  report(event: LocalEvent): void {
    this.#enqueue({ ...event, now: this.#parts.clock.now() });
  }

  /** What another authority sent. */
  frame(seat: number, frame: Uint8Array): Message | undefined {
    const { listener, links, journal } = this.#parts;
    // A disk that cannot keep up: what is dropped here will be sent again.
    if (this.#stopped || journal?.full() === true) return undefined;
    const decoded = decode(messageLayout, frame);
    if (!decoded.ok) {
      listener.rejected(seat, decoded.error.code);
      links.penalize(seat, decoded.error.reason);
      return undefined;
    }
    const message = decoded.value;
    listener.received(message.kind, frame.length);
    if (message.kind === 'transactions') return message;
    this.#receive(seat, message);
    return undefined;
  }

  /** The mempool has grown. */
  transactionsArrived(): void {
    this.#announcer.changed();
  }

  broadcast(message: Message): void {
    this.#outbox.broadcast(message);
  }

  send(to: number, message: Message): void {
    this.#outbox.send(to, message);
  }

  /** Tells those who are connected, or the one that has just come, that this node takes no part any more; also when stopped. */
  tellHalted(seat?: number): void {
    const message: Message = { kind: 'status', status: haltedStatus(this.#parts.replica) };
    if (seat === undefined) this.#outbox.broadcast(message);
    else this.#outbox.send(seat, message);
  }

  #receive(seat: number, message: Message): void {
    const { replica, jurisdiction, listener, links, clock } = this.#parts;
    if (!wants(replica, seat, message)) return;
    const verified = verifyMessage(message, jurisdiction);
    if (!verified.ok) {
      listener.rejected(seat, verified.error.code);
      links.penalize(seat, verified.error.reason);
      return;
    }
    if (message.kind === 'pre-prepare') this.#primaryJudge.proposed(message.vote.digest);
    this.#enqueue({ type: 'message', from: seat, message: verified.value, now: clock.now() });
  }

  #enqueue(event: Event): void {
    if (this.#stopped) return;
    this.#queue.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        this.#take(next);
      }
    } catch (error) {
      // A broken invariant ends the process: until it has ended, this replica must sign nothing more.
      this.stop();
      throw error;
    } finally {
      this.#draining = false;
    }
  }

  #take(event: Event): void {
    const { replica, listener } = this.#parts;
    const { view } = replica;
    for (const effect of step(replica, event)) {
      if (this.#stopped) return;
      this.#deeds.carryOut(effect);
    }
    if (replica.view !== view) listener.entered(replica.view);
  }
}
