import { createHeap } from '../../lib/heap.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** The time that everybody shares and nobody reads: milliseconds that pass only from task to task. */
export class VirtualTime {
  now = 0;
  readonly #tasks = createHeap<Task>((a, b) => a.at - b.at || a.order - b.order);
  #order = 0;

  /** Tasks of one moment run in the order in which they came. */
  after(delayMs: number, run: () => void): void {
    this.#order += 1;
    this.#tasks.push({ at: this.now + delayMs, order: this.#order, run });
  }

  /** Runs what is due until `until`, or until `isDone`, which is asked now and then. */
  run(until: number, isDone: () => boolean = () => false): void {
    for (let count = 1; ; count += 1) {
      const task = this.#tasks.pop();
      if (task === undefined) break;
      if (task.at > until) {
        this.#tasks.push(task);
        break;
      }
      this.now = task.at;
      task.run();
      if (count % 32 === 0 && isDone()) return;
    }
    this.now = Math.max(this.now, until);
  }
}
