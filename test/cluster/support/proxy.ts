import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { defined } from '../../../src/lib/assert.ts';
import type { Prng } from '../../../src/lib/prng.ts';

/** What waits between two ends before the sender is held back, as full buffers along a path hold it back. */
const WAITING_BYTES_MAX = 1_048_576;
const PIECES_PER_SECOND = 20;
const LOOPBACK = '127.0.0.1';

/** What happens to the bytes from one node to another, whichever of the two opened the connection. */
export interface Conditions {
  /** Nothing passes. What was sent waits and comes later, as TCP would send it again. */
  readonly isCut: boolean;
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const CLEAR: Conditions = { isCut: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

/** One direction between two nodes. */
class Way {
  conditions: Conditions = CLEAR;
  readonly onChange = new Set<() => void>();

  set(conditions: Conditions): void {
    this.conditions = conditions;
    for (const changed of [...this.onChange]) changed();
  }
}

interface Parcel {
  readonly content: Buffer | 'end' | 'reset';
  readonly dueAt: number;
}

/** One direction of one connection: what its source says comes out of its sink under the conditions of the way. */
class Flow {
  readonly #source: Socket;
  readonly #way: Way;
  readonly #waiting: Parcel[] = [];
  #sink: Socket | undefined;
  #waitingBytes = 0;
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isSinkFull = false;
  #hasEnded = false;

  constructor(source: Socket, way: Way) {
    this.#source = source;
    this.#way = way;
    way.onChange.add(this.#pump);
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.once('end', () => this.#end('end'));
    source.once('close', () => this.#end('reset'));
  }

  /** Nothing comes out before. */
  open(sink: Socket): void {
    this.#sink = sink;
    sink.on('drain', () => {
      this.#isSinkFull = false;
      this.#pump();
    });
    sink.once('close', () => this.forget());
    this.#pump();
  }

  /** Nobody is there to hear the rest. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#way.onChange.delete(this.#pump);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#source.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#sink?.destroyed === true) return;
    const { bytesPerSecond } = this.#way.conditions;
    this.#waitingBytes += bytes.length;
    // A narrow way hands on what has passed, not all when the last of it has.
    const step = Math.min(bytes.length, Math.max(1, Math.floor(bytesPerSecond / PIECES_PER_SECOND)));
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step);
      this.#freeAt = Math.max(this.#freeAt, performance.now()) + (1_000 * piece.length) / bytesPerSecond;
      this.#add(piece);
    }
  }

  #end(how: 'end' | 'reset'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#add(how);
  }

  #add(content: Parcel['content']): void {
    const sentAt = Math.max(this.#freeAt, performance.now());
    this.#waiting.push({ content, dueAt: sentAt + this.#way.conditions.delayMs });
    this.#pump();
  }

  #pump = (): void => {
    clearTimeout(this.#timer);
    const sink = this.#sink;
    while (sink !== undefined && !this.#way.conditions.isCut && !this.#isSinkFull) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      const leftMs = next.dueAt - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(this.#pump, leftMs);
        break;
      }
      this.#waiting.shift();
      this.#deliver(next.content, sink);
    }
    if (this.#waitingBytes >= WAITING_BYTES_MAX) this.#source.pause();
    else this.#source.resume();
  };

  #deliver(content: Parcel['content'], sink: Socket): void {
    if (content === 'end') sink.end();
    else if (content === 'reset') sink.destroy();
    else {
      this.#waitingBytes -= content.length;
      this.#isSinkFull = !sink.write(content);
    }
  }
}

interface Route {
  /** From who dials to who is dialled. */
  readonly there: Way;
  readonly back: Way;
  readonly port: () => number;
}

/** A connection of two nodes, and its two halves here. */
class Passage {
  readonly #client: Socket;
  readonly #route: Route;
  readonly #there: Flow;
  #upstream: Socket | undefined;

  constructor(client: Socket, route: Route, onClosed: () => void) {
    this.#client = client;
    this.#route = route;
    client.setNoDelay(true);
    client.on('error', ignore);
    this.#there = new Flow(client, route.there);
    for (const way of [route.there, route.back]) way.onChange.add(this.#connect);
    client.once('close', () => {
      this.#settle();
      if (this.#upstream === undefined) this.#there.forget();
      onClosed();
    });
    this.#connect();
  }

  /** Ends both halves at once, as a router does that forgets its connections. */
  tear(): void {
    this.#client.resetAndDestroy();
    this.#upstream?.resetAndDestroy();
  }

  /** A connection opens when packets pass both ways; until then the far side hears of nothing. */
  #connect = (): void => {
    const { there, back, port } = this.#route;
    if (there.conditions.isCut || back.conditions.isCut) return;
    this.#settle();
    const upstream = connect({ host: LOOPBACK, port: port(), allowHalfOpen: true, noDelay: true });
    this.#upstream = upstream;
    upstream.on('error', ignore);
    const answers = new Flow(upstream, back);
    this.#there.open(upstream);
    answers.open(this.#client);
  };

  #settle(): void {
    for (const way of [this.#route.there, this.#route.back]) way.onChange.delete(this.#connect);
  }
}

/** What failed is told by the `close` that follows. */
function ignore(): void {}

/** The links between nodes that dial each other through here: one listening port for each ordered pair. */
export class Links {
  /** By the seat of who speaks, then of who hears. */
  readonly #ways: readonly (readonly Way[])[];
  readonly #servers = new Map<string, Server>();
  readonly #passages = new Set<Passage>();
  #ports: readonly number[] = [];

  private constructor(nodes: number) {
    this.#ways = Array.from({ length: nodes }, () => Array.from({ length: nodes }, () => new Way()));
  }

  static async open(nodes: number): Promise<Links> {
    const links = new Links(nodes);
    for (const [from, to] of links.pairs()) {
      const route = { there: links.#way(from, to), back: links.#way(to, from), port: () => links.#portOf(to) };
      const server = createServer({ allowHalfOpen: true }, (client) => {
        const passage = new Passage(client, route, () => links.#passages.delete(passage));
        links.#passages.add(passage);
      });
      server.listen(0, LOOPBACK);
      await once(server, 'listening');
      links.#servers.set(`${from} ${to}`, server);
    }
    return links;
  }

  /** Where the nodes listen, in the order of their seats. */
  leadTo(ports: readonly number[]): void {
    this.#ports = ports;
  }

  /** The port at which the first of two finds the second. */
  entrance(from: number, to: number): number {
    const address = defined(this.#servers.get(`${from} ${to}`), 'each pair has its server').address();
    if (address === null || typeof address === 'string') throw new Error('the links are closed');
    return address.port;
  }

  /** Every ordered pair of different seats. */
  pairs(): readonly (readonly [number, number])[] {
    const seats = this.#ways.map((_, seat) => seat);
    return seats.flatMap((from) => seats.filter((to) => to !== from).map((to) => [from, to] as const));
  }

  /** One way only: `to` hears nothing of `from` any more. */
  cut(from: number, to: number): void {
    this.#change([[from, to]], { isCut: true });
  }

  /** Both ways, between these seats and all others. */
  part(seats: readonly number[]): void {
    this.#change(
      this.pairs().filter(([from, to]) => seats.includes(from) !== seats.includes(to)),
      { isCut: true },
    );
  }

  /** Makes every way slow or narrow. */
  slow(conditions: Partial<Pick<Conditions, 'delayMs' | 'bytesPerSecond'>>): void {
    this.#change(this.pairs(), conditions);
  }

  /** Every way as it was in the beginning. */
  heal(): void {
    this.#change(this.pairs(), CLEAR);
  }

  /** Tears each connection with this probability; how many it were. */
  tear(prng: Prng, probability: number): number {
    const torn = [...this.#passages].filter(() => prng.chance(probability));
    for (const passage of torn) passage.tear();
    return torn.length;
  }

  async close(): Promise<void> {
    const closed = [...this.#servers.values()].map((server) => once(server, 'close'));
    for (const server of this.#servers.values()) server.close();
    for (const passage of this.#passages) passage.tear();
    await Promise.all(closed);
  }

  #change(pairs: readonly (readonly [number, number])[], conditions: Partial<Conditions>): void {
    for (const [from, to] of pairs) {
      const way = this.#way(from, to);
      way.set({ ...way.conditions, ...conditions });
    }
  }

  #way(from: number, to: number): Way {
    return defined(this.#ways[from]?.[to], 'a way from each seat to each');
  }

  #portOf(seat: number): number {
    return defined(this.#ports[seat], 'every node listens somewhere');
  }
}
