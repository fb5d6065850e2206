import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import type { Journal, JournalPosition, JournalProblem } from '../../src/store/journal.ts';
import { type CrashChoice, MemoryDisk } from '../../src/store/memory-disk.ts';
import { createJournal, type OpenedJournal, openJournal } from '../../src/store/open-journal.ts';

const PUBLIC_KEY = new Uint8Array(32).fill(7);
const CHAIN_ID = new Uint8Array(32).fill(8);

type Step =
  | { readonly kind: 'append'; readonly sizes: readonly number[] }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'wait'; readonly tasks: number }
  | { readonly kind: 'kill'; readonly interrupted: readonly Interrupted[] }
  | { readonly kind: 'power'; readonly seed: number; readonly interrupted: readonly Interrupted[] };

/** A start that ends after so many answers of the disk: by a power failure with this seed, or without one. */
interface Interrupted {
  readonly tasks: number;
  readonly seed: number | null;
}

const interrupted: fc.Arbitrary<readonly Interrupted[]> = fc.array(
  fc.record({ tasks: fc.nat(6), seed: fc.option(fc.integer()) }),
  { maxLength: 3 },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.nat(120), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), tasks: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), interrupted }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('power' as const), seed: fc.integer(), interrupted }) },
);

function anyCrash(random: Prng): CrashChoice {
  return {
    bytesKept: (_name, unsynced) => random.below(unsynced + 1),
    keeps: () => random.chance(0.5),
    zeros: random.chance(0.5),
  };
}

/** A node that numbers its records, notes which were acknowledged, and is stopped again and again. */
class Story {
  readonly #tasks: (() => void)[] = [];
  #disk = new MemoryDisk({ schedule: (task) => this.#tasks.push(task) });
  #journal: Journal;
  #count = 0;
  /** The newest record, and the newest snapshot, that must be there; and what the node knows in `data/`. */
  #acknowledged = 0;
  #snapshot = 0;
  #witness: JournalPosition | undefined;

  constructor() {
    createJournal({ disk: this.#disk, publicKey: PUBLIC_KEY, incarnation: new Uint8Array(16).fill(1) }, () => {});
    this.#wait(Number.POSITIVE_INFINITY);
    this.#journal = this.#open().journal;
  }

  do(next: Step): void {
    if (next.kind === 'append') this.#append(next.sizes);
    else if (next.kind === 'truncate') this.#truncate();
    else if (next.kind === 'wait') this.#wait(next.tasks);
    else {
      const disk = next.kind === 'kill' ? this.#disk.kill() : this.#disk.crash(anyCrash(createPrng(next.seed)));
      this.#restart(disk, next.interrupted);
    }
  }

  #append(sizes: readonly number[]): void {
    const payloads = sizes.map((size) => {
      this.#count += 1;
      return utf8(`${this.#count} ${'x'.repeat(size)}`);
    });
    const last = this.#count;
    this.#journal.append(payloads, () => this.#acknowledge(last));
  }

  #truncate(): void {
    this.#count += 1;
    const own = this.#count;
    this.#journal.truncate(utf8(`${own} snapshot`), () => {
      this.#snapshot = own;
      this.#acknowledge(own);
    });
  }

  #acknowledge(count: number): void {
    expect(count).toBeGreaterThan(this.#acknowledged);
    this.#acknowledged = count;
    this.#witness = this.#journal.position();
  }

  #wait(tasks: number): void {
    for (let index = 0; index < tasks && this.#tasks.length > 0; index += 1) this.#tasks.shift()?.();
  }

  #restart(disk: MemoryDisk, interrupted: readonly Interrupted[]): void {
    this.#disk = disk;
    for (const { tasks, seed } of interrupted) {
      this.#begin(() => undefined);
      this.#wait(tasks);
      this.#disk = seed === null ? this.#disk.kill() : this.#disk.crash(anyCrash(createPrng(seed)));
    }
    const first = this.#open();
    const found = this.#check(first);
    expect(this.#disk.list().length, 'a segment without a record is the newest').toBeLessThanOrEqual(found.length + 1);
    // What a start has read, it acts on: not even a power failure right after may take it away.
    this.#disk = this.#disk.crash({ bytesKept: () => 0, keeps: () => false });
    const second = this.#open();
    expect(this.#check(second)).toEqual(found);
    this.#journal = second.journal;
    this.#count = found.at(-1) ?? 0;
    this.#acknowledged = this.#count;
    this.#witness = this.#journal.position();
  }

  /** The records are the newest of all that were appended, without gaps, from a start or a snapshot on. */
  #check({ records }: OpenedJournal): number[] {
    const texts = [...records].map((payload) => fromUtf8(payload) ?? '');
    const numbers = texts.map((text) => Number.parseInt(text, 10));
    const first = numbers[0] ?? 1;
    expect(numbers).toEqual(numbers.map((_number, index) => first + index));
    if (numbers.length > 0) expect(first === 1 || texts[0]?.endsWith('snapshot')).toBe(true);
    expect(numbers.length === 0 ? 0 : first + numbers.length - 1).toBeGreaterThanOrEqual(this.#acknowledged);
    expect(first).toBeGreaterThanOrEqual(Math.max(1, this.#snapshot));
    return numbers;
  }

  #open(): OpenedJournal {
    let opened: OpenedJournal | JournalProblem | undefined;
    this.#begin((outcome) => {
      opened = outcome;
    });
    this.#wait(Number.POSITIVE_INFINITY);
    if (opened === undefined || 'code' in opened) throw new Error(`it did not open: ${JSON.stringify(opened)}`);
    return opened;
  }

  #begin(done: (opened: OpenedJournal | JournalProblem) => void): void {
    const onFatal = (error: Error): never => {
      throw error;
    };
    const witness = this.#witness;
    const of = { disk: this.#disk, publicKey: PUBLIC_KEY, chainId: CHAIN_ID };
    openJournal({ ...of, onFatal, witness, segmentBytesMax: 450 }, (outcome) => {
      done(outcome.ok ? outcome.value : outcome.error);
    });
  }
}

describe('a journal', () => {
  it('keeps what was acknowledged through any writes, truncations, kills and power failures', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer(), (steps, seed) => {
        const story = new Story();
        for (const next of steps) story.do(next);
        story.do({ kind: 'power', seed, interrupted: [] });
      }),
      { numRuns: 4_000 },
    );
  });
});
