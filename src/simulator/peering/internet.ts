/**
 * A network of whole nodes and of hostile peers that find each other by address, catch up and pass on what is new.
 * This file is the internet between them: the port of the transport over lines that fail.
 */
import type { Prng } from '../../lib/prng.ts';
import { SYNC_LANE_FRAMES_MAX } from '../../model/limits.ts';
import type { DialOutcome, DialPurpose, DownReason, Refusal } from '../../network/transport.ts';
import type { VirtualTime } from '../full/time.ts';
import { type End, type Line, otherEnd } from './line.ts';

/** How the lines behave while faults last; afterwards they are whole and quick. Times in milliseconds. */
export interface Weather {
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** How often a frame overtakes those before it. */
  readonly reorderRate: number;
  readonly delayMs: number;
  readonly delaySpikeMs: number;
  readonly spikeRate: number;
  /** How long a session outlives its line at most. */
  readonly silenceMsMax: number;
}

export interface Sent {
  readonly from: End;
  readonly frame: Uint8Array;
  readonly lane: string;
}

const DIAL_MS = 30;
/** Until somebody who dials nobody gives up. */
const UNREACHABLE_MS = 2_000;
/** Frames of every lane together that one direction of a session holds. */
const UNDER_WAY_MAX = 4 * SYNC_LANE_FRAMES_MAX;

/** Carries dials and frames between addresses, loses, delays and repeats them, and is cut in two at times. */
export class Internet {
  frames = 0;
  dials = 0;
  /** Told of every frame that somebody sends. */
  onSent: (from: End, frame: Uint8Array) => void = () => undefined;
  readonly #time: VirtualTime;
  readonly #prng: Prng;
  readonly #weather: Weather;
  readonly #hosts = new Map<string, End>();
  /** `from>to`: how many cuts there are of that direction. */
  readonly #cuts = new Map<string, number>();
  #isHealed = false;

  constructor(time: VirtualTime, prng: Prng, weather: Weather) {
    this.#time = time;
    this.#prng = prng;
    this.#weather = weather;
  }

  get time(): VirtualTime {
    return this.#time;
  }

  attach(host: End): void {
    this.#hosts.set(host.address, host);
  }

  /** A machine is gone without a farewell: the others notice late. */
  detach(host: End): void {
    if (this.#hosts.get(host.address) === host) this.#hosts.delete(host.address);
    for (const line of host.lines()) {
      line.isOpen = false;
      this.#fallLater(line, otherEnd(line, host), this.#silenceMs(), 'LOST');
    }
  }

  /** Loses what these say to those, until `mend`. */
  cut(from: readonly string[], to: readonly string[]): void {
    for (const direction of directions(from, to)) {
      this.#cuts.set(direction, (this.#cuts.get(direction) ?? 0) + 1);
    }
    for (const host of this.#hosts.values()) {
      for (const line of host.lines()) if (line.ends[0] === host && this.#isCut(line)) this.#starve(line);
    }
  }

  mend(from: readonly string[], to: readonly string[]): void {
    for (const direction of directions(from, to)) {
      const count = (this.#cuts.get(direction) ?? 0) - 1;
      if (count > 0) this.#cuts.set(direction, count);
      else this.#cuts.delete(direction);
    }
  }

  /** From now on every line is whole and nothing is lost. */
  heal(): void {
    this.#isHealed = true;
    this.#cuts.clear();
  }

  /** Opens a session, or looks who lives at an address; `answer` is called once. */
  dial(from: End, address: string, purpose: DialPurpose, answer: (outcome: DialOutcome) => void): void {
    this.dials += 1;
    const answerLater = (outcome: DialOutcome, delayMs: number): void => {
      this.#time.after(delayMs, () => {
        if (from.isOn) answer(outcome);
      });
    };
    this.#time.after(this.#delayMs() + this.#prng.next() * DIAL_MS, () => {
      if (!from.isOn) return;
      const host = this.#hosts.get(address);
      if (host === undefined || !host.isOn || this.#isApart(from, host)) {
        const delayMs = host === undefined ? DIAL_MS : UNREACHABLE_MS * this.#prng.next();
        answerLater({ reached: false, reason: 'UNREACHABLE', by: 'us' }, delayMs);
        return;
      }
      const refusal = this.#refusal(from, host);
      if (refusal !== undefined) answerLater(refusal, 0);
      else if (purpose === 'probe' || from.lineTo(host.self)?.isOpen === true) {
        answerLater({ reached: true, id: host.self }, 0);
      } else {
        this.#open(from, host, address);
        answer({ reached: true, id: host.self });
      }
    });
  }

  #refusal(from: End, host: End): DialOutcome | undefined {
    if (from.self === host.self) return { reached: false, reason: 'SELF', by: 'us' };
    if (from.shuns(host)) return { reached: false, reason: 'BANNED', by: 'us' };
    if (host.shuns(from)) return { reached: false, reason: 'BANNED', by: 'them' };
    if (host.isFullFor(from)) return { reached: false, reason: 'TOO_MANY_PEERS', by: 'them' };
    return undefined;
  }

  #open(from: End, host: End, address: string): void {
    for (const [own, other] of [[from, host] as const, [host, from] as const]) {
      const stale = own.lineTo(other.self);
      if (stale !== undefined) own.fall(stale, 'DUPLICATE_SESSION', 'us');
    }
    const line: Line = {
      ends: [from, host],
      isOpen: true,
      arrivals: new Map(),
      underWay: [0, 0],
      bytesUnderWay: [0, 0],
    };
    from.rise(line, address);
    this.#time.after(this.#delayMs(), () => {
      if (line.isOpen) host.rise(line, address);
    });
  }

  /** False when too much is under way. */
  carry(line: Line, { from, frame, lane }: Sent): boolean {
    const side = line.ends[0] === from ? 0 : 1;
    if (line.underWay[side] >= UNDER_WAY_MAX) return false;
    this.onSent(from, frame);
    const to = otherEnd(line, from);
    const { lossRate, duplicateRate, reorderRate } = this.#weather;
    const happens = (rate: number): boolean => !this.#isHealed && rate > 0 && this.#prng.chance(rate);
    if (!line.isOpen || this.#cuts.has(directionOf(from, to)) || happens(lossRate)) return true;
    const copies = happens(duplicateRate) ? 2 : 1;
    const key = `${side}${lane}`;
    for (let copy = 0; copy < copies; copy += 1) {
      const at = this.#time.now + this.#delayMs();
      const inOrder = Math.max(at, line.arrivals.get(key) ?? 0);
      const arrival = happens(reorderRate) ? at : inOrder;
      line.arrivals.set(key, inOrder);
      line.underWay[side] += 1;
      line.bytesUnderWay[side] += frame.length;
      this.#time.after(arrival - this.#time.now, () => {
        line.underWay[side] -= 1;
        line.bytesUnderWay[side] -= frame.length;
        this.#deliver(line, from, to, frame);
      });
    }
    return true;
  }

  #deliver(line: Line, from: End, to: End, frame: Uint8Array): void {
    if (!line.isOpen || !to.isOn) return;
    if (to.lineTo(from.self) !== line) to.rise(line, from.address);
    this.frames += 1;
    to.take(from.self, frame);
  }

  /** One end leaves: the other learns of it, unless the line is cut. */
  close(line: Line, by: End, reason: Refusal): void {
    if (!line.isOpen) return;
    line.isOpen = false;
    const other = otherEnd(line, by);
    const isHeard = !this.#cuts.has(directionOf(by, other));
    this.#fallLater(line, other, isHeard ? this.#delayMs() : this.#silenceMs(), isHeard ? reason : 'SILENT');
  }

  #fallLater(line: Line, end: End, delayMs: number, reason: DownReason): void {
    this.#time.after(delayMs, () => {
      if (end.isOn) end.fall(line, reason, 'them');
    });
  }

  /** Nothing comes any more: both ends give it up, each when it notices. */
  #starve(line: Line): void {
    this.#time.after(this.#silenceMs(), () => {
      if (!line.isOpen || !this.#isCut(line)) return;
      line.isOpen = false;
      for (const end of line.ends) this.#fallLater(line, end, this.#prng.next() * 20, 'SILENT');
    });
  }

  #isCut({ ends: [a, b] }: Line): boolean {
    return this.#isApart(a, b);
  }

  #isApart(a: End, b: End): boolean {
    return this.#cuts.has(directionOf(a, b)) || this.#cuts.has(directionOf(b, a));
  }

  #delayMs(): number {
    const { delayMs, delaySpikeMs, spikeRate } = this.#weather;
    const isSpike = !this.#isHealed && spikeRate > 0 && this.#prng.chance(spikeRate);
    return 0.1 + this.#prng.next() * (isSpike ? delaySpikeMs : delayMs);
  }

  #silenceMs(): number {
    return this.#prng.next() * (this.#prng.chance(0.5) ? 20 : this.#weather.silenceMsMax);
  }
}

function directionOf(from: End, to: End): string {
  return `${from.address}>${to.address}`;
}

function* directions(from: readonly string[], to: readonly string[]): Generator<string> {
  for (const one of from) for (const other of to) if (one !== other) yield `${one}>${other}`;
}
