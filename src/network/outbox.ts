import { defined } from '../lib/assert.ts';
import {
  CONSENSUS_LANE_BYTES_MAX,
  CONSENSUS_LANE_FRAMES_MAX,
  SYNC_LANE_BYTES_MAX,
  SYNC_LANE_FRAMES_MAX,
  TRANSACTION_LANE_BYTES_MAX,
  TRANSACTION_LANE_FRAMES_MAX,
} from '../model/limits.ts';
import { LANES, type Lane } from './transport.ts';

interface LaneBounds {
  readonly framesMax: number;
  readonly bytesMax: number;
}

const BOUNDS: Readonly<Record<Lane, LaneBounds>> = {
  consensus: { framesMax: CONSENSUS_LANE_FRAMES_MAX, bytesMax: CONSENSUS_LANE_BYTES_MAX },
  sync: { framesMax: SYNC_LANE_FRAMES_MAX, bytesMax: SYNC_LANE_BYTES_MAX },
  transactions: { framesMax: TRANSACTION_LANE_FRAMES_MAX, bytesMax: TRANSACTION_LANE_BYTES_MAX },
};

/** First in, first out, without the cost of `shift` on a long array. */
class Queue {
  #items: Uint8Array[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: Uint8Array): void {
    this.#items.push(item);
    this.bytes += item.length;
  }

  shift(): Uint8Array | undefined {
    if (this.length === 0) return undefined;
    const item = defined(this.#items[this.#head], 'a queue has no holes');
    this.#items[this.#head] = EMPTY;
    this.#head += 1;
    this.bytes -= item.length;
    if (this.#head > 64 && 2 * this.#head > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

const EMPTY = new Uint8Array(0);

/** Frames that wait for one peer: three bounded queues, emptied in strict priority. */
export class Outbox {
  readonly #lanes: Readonly<Record<Lane, Queue>> = {
    consensus: new Queue(),
    sync: new Queue(),
    transactions: new Queue(),
  };

  /** False when the lane is full; the frame is then not taken. */
  add(frame: Uint8Array, lane: Lane): boolean {
    const queue = this.#lanes[lane];
    const bounds = BOUNDS[lane];
    if (queue.length >= bounds.framesMax || queue.bytes + frame.length > bounds.bytesMax) return false;
    queue.push(frame);
    return true;
  }

  /** The oldest frame of the first lane that has any. */
  take(): Uint8Array | undefined {
    for (const lane of LANES) {
      const frame = this.#lanes[lane].shift();
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  get isEmpty(): boolean {
    return LANES.every((lane) => this.#lanes[lane].length === 0);
  }

  /** Frames and bytes that wait, in all lanes. */
  waiting(): { readonly frames: number; readonly bytes: number } {
    const queues = Object.values(this.#lanes);
    return {
      frames: queues.reduce((sum, queue) => sum + queue.length, 0),
      bytes: queues.reduce((sum, queue) => sum + queue.bytes, 0),
    };
  }
}
