import type { JournalRecord } from '../../consensus/record.ts';

/** Runs something after a number of simulated milliseconds, unless the process has died by then. */
export type Later = (delayMs: number, run: () => void) => void;

/** A journal as it was at some time. */
interface JournalCopy {
  readonly records: readonly JournalRecord[];
  /** Records that were forgotten before. */
  readonly first: number;
}

/** A journal whose unsynced tail a crash may cut anywhere between two records. */
export class SimulatedJournal {
  /** Records, and the number of the first of them counted from the journal's beginning. */
  #records: JournalRecord[] = [];
  #first = 0;
  /** Number of records, from the beginning, that survive any crash. */
  #durable = 0;
  #waiting: { readonly end: number; readonly done: () => void }[] = [];
  #isSyncing = false;
  readonly #later: Later;
  readonly #random: () => number;
  readonly #syncMsMax: number;

  constructor(later: Later, random: () => number, syncMsMax: number) {
    this.#later = later;
    this.#random = random;
    this.#syncMsMax = syncMsMax;
  }

  get records(): readonly JournalRecord[] {
    return this.#records;
  }

  get #end(): number {
    return this.#first + this.#records.length;
  }

  /** One sync at a time covers everything appended before it began. */
  append(records: readonly JournalRecord[], done: () => void): void {
    this.#records.push(...records);
    this.#waiting.push({ end: this.#end, done });
    if (!this.#isSyncing) this.#sync();
  }

  #sync(): void {
    this.#isSyncing = true;
    const end = this.#end;
    this.#later(this.#random() * this.#syncMsMax, () => {
      this.#durable = end;
      this.#isSyncing = false;
      const done = this.#waiting.filter((one) => one.end <= end);
      this.#waiting = this.#waiting.filter((one) => one.end > end);
      this.#forget();
      if (this.#waiting.length > 0) this.#sync();
      for (const one of done) one.done();
    });
  }

  /** What is before a durable snapshot goes. */
  #forget(): void {
    const durable = this.#records.slice(0, this.#durable - this.#first);
    const snapshot = durable.findLastIndex(({ kind }) => kind === 'snapshot');
    if (snapshot <= 0) return;
    this.#records = this.#records.slice(snapshot);
    this.#first += snapshot;
  }

  /** What is durable now. */
  copy(): JournalCopy {
    return { records: this.#records.slice(0, this.#durable - this.#first), first: this.#first };
  }

  /** An older copy is put back, while nothing is being written. */
  restore({ records, first }: JournalCopy): void {
    this.#records = [...records];
    this.#first = first;
    this.#durable = this.#end;
  }

  /** Keeps what is durable and some of what is not. */
  crash(): void {
    const spare = Math.floor(this.#random() * (this.#end - this.#durable + 1));
    this.#records = this.#records.slice(0, this.#durable + spare - this.#first);
    this.#durable = this.#end;
    this.#waiting = [];
    this.#isSyncing = false;
    this.#forget();
  }
}
