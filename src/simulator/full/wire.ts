import { defined } from '../../lib/assert.ts';
import type { Prng } from '../../lib/prng.ts';
import type { FullScenario, PlannedCut } from './scenario.ts';
import type { VirtualTime } from './time.ts';

/** Where the sessions of one running process end. */
export interface Endpoint {
  peer(seat: number, isConnected: boolean): void;
  frame(from: number, frame: Uint8Array): void;
}

/** The line between two seats, and the session over it that both, one or none of them believe in. */
interface Line {
  readonly seats: readonly [number, number];
  /** Of the newest session; each has its own. */
  session: number;
  isOpen: boolean;
  isDialling: boolean;
  /** The session that each end believes in; 0 for none. */
  readonly believed: [number, number];
}

const HANDSHAKE_MS_MAX = 20;
const DIAL_MS = 60;

/**
 * Sessions between machines as a transport makes them, over lines that lose, delay, reorder and double what is sent: a
 * session that fails takes what was under way with it, and the two ends do not learn of it at the same time.
 */
export class Wire {
  frames = 0;
  readonly #scenario: FullScenario;
  readonly #time: VirtualTime;
  readonly #prng: Prng;
  readonly #lines = new Map<number, Line>();
  readonly #endpoints = new Map<number, Endpoint>();
  /** Directions in which nothing arrives, with how many cuts of each. */
  readonly #cuts = new Map<number, number>();
  #isHealed = false;

  constructor(scenario: FullScenario, time: VirtualTime, prng: Prng) {
    this.#scenario = scenario;
    this.#time = time;
    this.#prng = prng;
    for (let low = 0; low < scenario.n; low += 1) {
      for (let high = low + 1; high < scenario.n; high += 1) {
        const line: Line = { seats: [low, high], session: 0, isOpen: false, isDialling: false, believed: [0, 0] };
        this.#lines.set(directionOf(low, high), line);
      }
    }
    for (const cut of scenario.cuts) this.#plan(cut);
  }

  /** A process has started: it dials, and is dialled. */
  attach(seat: number, endpoint: Endpoint): void {
    this.#endpoints.set(seat, endpoint);
    for (const line of this.#linesOf(seat)) this.#dial(line, this.#prng.next() * HANDSHAKE_MS_MAX);
  }

  /** A process has ended without a farewell. */
  detach(seat: number): void {
    if (!this.#endpoints.delete(seat)) return;
    for (const line of this.#linesOf(seat)) {
      const own = endOf(line, seat);
      const session = line.believed[own];
      line.believed[own] = 0;
      line.isOpen = false;
      if (session > 0) this.#fallLater(line, 1 - own, this.#silenceMs());
    }
  }

  /** Seats to which `seat` believes to have a session. */
  connected(seat: number): readonly number[] {
    return this.#linesOf(seat)
      .filter((line) => line.believed[endOf(line, seat)] > 0)
      .map((line) => otherOf(line, seat))
      .sort((a, b) => a - b);
  }

  /** Ends a session on purpose: the other side learns of it as soon as bytes travel. */
  disconnect(seat: number, other: number): void {
    const line = this.#line(seat, other);
    if (line.believed[endOf(line, seat)] === 0) return;
    this.#close(line, [endOf(line, seat) === 0 ? 0 : 5, endOf(line, seat) === 0 ? 5 : 0]);
  }

  /** An observer does not know the seat that its dead key had, and may write to itself: nobody gets that. */
  send(from: number, to: number, frame: Uint8Array): void {
    if (from === to) return;
    const line = this.#line(from, to);
    const session = line.believed[endOf(line, from)];
    if (session === 0) return;
    const { lossRate, duplicateRate } = this.#scenario;
    if (this.#cuts.has(directionOf(from, to)) || (!this.#isHealed && this.#prng.chance(lossRate))) return;
    const copies = !this.#isHealed && this.#prng.chance(duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#time.after(this.#delayMs(), () => this.#deliver(line, { from, to, session, frame }));
    }
  }

  /** From now on every line is whole and nothing is lost. */
  heal(): void {
    this.#isHealed = true;
    this.#cuts.clear();
    for (const line of this.#lines.values()) this.#dial(line, this.#prng.next() * DIAL_MS);
  }

  #deliver(
    line: Line,
    sent: { readonly from: number; readonly to: number; readonly session: number; readonly frame: Uint8Array },
  ): void {
    const end = endOf(line, sent.to);
    if (line.isOpen && line.session === sent.session) this.#rise(line, end, sent.session);
    if (line.believed[end] !== sent.session) return;
    this.frames += 1;
    this.#endpoints.get(sent.to)?.frame(sent.from, sent.frame);
  }

  #delayMs(): number {
    const { delayMs, delaySpikeMs, spikeRate } = this.#scenario;
    const isSpike = !this.#isHealed && this.#prng.chance(spikeRate);
    return 0.1 + this.#prng.next() * (isSpike ? delaySpikeMs : delayMs);
  }

  /** Until an end notices that nobody is there: at once when a process ends, late when a machine or a line does. */
  #silenceMs(): number {
    return this.#prng.next() * (this.#prng.chance(0.5) ? 20 : this.#scenario.silenceMsMax);
  }

  #plan({ group, isOneWay, begin, end }: PlannedCut): void {
    const directions: number[] = [];
    for (const { seats } of this.#lines.values()) {
      for (const [from, to] of [seats, [seats[1], seats[0]] as const]) {
        const isFromGroup = group.includes(from);
        if (isFromGroup === group.includes(to) || (isOneWay && !isFromGroup)) continue;
        directions.push(directionOf(from, to));
      }
    }
    this.#time.after(begin, () => {
      if (!this.#isHealed) for (const direction of directions) this.#cut(direction, 1);
    });
    this.#time.after(end, () => {
      if (!this.#isHealed) for (const direction of directions) this.#cut(direction, -1);
    });
  }

  #cut(direction: number, change: number): void {
    const count = (this.#cuts.get(direction) ?? 0) + change;
    if (count === 0) this.#cuts.delete(direction);
    else this.#cuts.set(direction, count);
    const line = defined(this.#lines.get(direction) ?? this.#lines.get(turned(direction)), 'a line has two directions');
    if (change < 0 || !line.isOpen) return;
    const { session } = line;
    this.#time.after(this.#silenceMs(), () => {
      if (line.session === session && line.isOpen && this.#isCut(line)) this.#close(line, [0, this.#silenceMs()]);
    });
  }

  #isCut({ seats: [low, high] }: Line): boolean {
    return this.#cuts.has(directionOf(low, high)) || this.#cuts.has(directionOf(high, low));
  }

  #dial(line: Line, delayMs: number): void {
    if (line.isDialling || line.isOpen) return;
    line.isDialling = true;
    this.#time.after(delayMs, () => {
      line.isDialling = false;
      if (line.isOpen || !line.seats.every((seat) => this.#endpoints.has(seat))) return;
      if (this.#isCut(line)) {
        this.#dial(line, DIAL_MS * (1 + this.#prng.next()));
        return;
      }
      line.session += 1;
      line.isOpen = true;
      const { session } = line;
      for (const end of [0, 1] as const) {
        this.#time.after(this.#prng.next() * HANDSHAKE_MS_MAX, () => {
          if (line.isOpen && line.session === session) this.#rise(line, end, session);
        });
      }
    });
  }

  #close(line: Line, delaysMs: readonly [number, number]): void {
    line.isOpen = false;
    for (const end of [0, 1] as const) this.#fallLater(line, end, delaysMs[end]);
    this.#dial(line, DIAL_MS * (1 + this.#prng.next()));
  }

  #fallLater(line: Line, end: number, delayMs: number): void {
    const session = line.believed[end];
    if (session === undefined || session === 0) return;
    this.#time.after(delayMs, () => {
      if (line.believed[end] !== session) return;
      line.believed[end] = 0;
      this.#tell(line, end, false);
    });
  }

  #rise(line: Line, end: 0 | 1, session: number): void {
    if (line.believed[end] === session || !this.#endpoints.has(line.seats[end])) return;
    if (line.believed[end] !== 0) {
      line.believed[end] = 0;
      this.#tell(line, end, false);
    }
    line.believed[end] = session;
    this.#tell(line, end, true);
  }

  #tell(line: Line, end: number, isConnected: boolean): void {
    const seat = defined(line.seats[end], 'a line has two ends');
    this.#endpoints.get(seat)?.peer(otherOf(line, seat), isConnected);
  }

  #line(a: number, b: number): Line {
    return defined(this.#lines.get(directionOf(Math.min(a, b), Math.max(a, b))), `no line from ${a} to ${b}`);
  }

  #linesOf(seat: number): readonly Line[] {
    return [...this.#lines.values()].filter(({ seats }) => seats.includes(seat));
  }
}

const SEATS = 64;

function directionOf(from: number, to: number): number {
  return from * SEATS + to;
}

function turned(direction: number): number {
  return directionOf(direction % SEATS, Math.floor(direction / SEATS));
}

function endOf(line: Line, seat: number): 0 | 1 {
  return line.seats[0] === seat ? 0 : 1;
}

function otherOf(line: Line, seat: number): number {
  return line.seats[1 - endOf(line, seat)] ?? seat;
}
