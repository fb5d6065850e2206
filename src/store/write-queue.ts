import { assert } from '../lib/assert.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../model/limits.ts';
import type { KeyValueChange, StoreError, WriteOutcome } from './key-value.ts';

interface Write {
  readonly batch: readonly KeyValueChange[];
  readonly outcome: WriteOutcome;
}

export interface CommitResult {
  readonly visible: () => void;
  readonly durable: () => void;
  readonly failed: (error: StoreError) => void;
}

/** Does one transaction; calls `visible` and then `durable`, or `failed`, and never before it has returned. */
export type Commit = (changes: readonly KeyValueChange[], result: CommitResult) => void;

/**
 * Writes in the order in which they came, one transaction at a time; all that wait go with the next one. After a failure
 * every write fails, because what the environment holds then is not known.
 */
export class WriteQueue {
  readonly #commit: Commit;
  readonly #later: (task: () => void) => void;
  #waiting: Write[] = [];
  #busy = false;
  #failure: StoreError | undefined;
  #onIdle: (() => void) | undefined;

  /** `later` runs a task after the current one has ended. */
  constructor(commit: Commit, later: (task: () => void) => void) {
    this.#commit = commit;
    this.#later = later;
  }

  get failure(): StoreError | undefined {
    return this.#failure;
  }

  add(batch: readonly KeyValueChange[], outcome: WriteOutcome): void {
    assert(this.#onIdle === undefined, 'the store is closed');
    for (const { key, value } of batch) {
      assertKey(key);
      assert((value?.length ?? 0) <= VALUE_BYTES_MAX, `a value of ${value?.length} bytes`);
    }
    const failure = this.#failure;
    if (failure !== undefined) this.#later(() => outcome.failed(failure));
    else {
      this.#waiting.push({ batch, outcome });
      this.#proceed();
    }
  }

  /** Calls `onIdle` once everything that was added is durable or has failed. */
  end(onIdle: () => void): void {
    assert(this.#onIdle === undefined, 'the store is closed');
    this.#onIdle = onIdle;
    this.#proceed();
  }

  #proceed(): void {
    if (this.#busy) return;
    if (this.#waiting.length === 0) {
      if (this.#onIdle !== undefined) this.#later(this.#onIdle);
      return;
    }
    this.#busy = true;
    const writes = this.#waiting;
    this.#waiting = [];
    const [first] = writes;
    // Copying a large batch costs as much as a part of writing it.
    const changes = first !== undefined && writes.length === 1 ? first.batch : writes.flatMap(({ batch }) => batch);
    this.#commit(changes, {
      visible: () => {
        for (const { outcome } of writes) outcome.visible?.();
      },
      durable: () => {
        for (const { outcome } of writes) outcome.durable?.();
        this.#busy = false;
        this.#proceed();
      },
      failed: (error) => this.#fail(writes, error),
    });
  }

  #fail(writes: readonly Write[], error: StoreError): void {
    this.#failure = error;
    const all = [...writes, ...this.#waiting];
    this.#waiting = [];
    for (const { outcome } of all) outcome.failed(error);
    this.#busy = false;
    this.#proceed();
  }
}

export function assertKey(key: Uint8Array): void {
  assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, `a key of ${key.length} bytes`);
}
