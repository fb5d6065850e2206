import { fromUtf8, utf8 } from '../../../src/lib/bytes.ts';
import type { Result } from '../../../src/lib/result.ts';
import type { Disk } from '../../../src/store/disk.ts';
import type { JournalPosition, JournalProblem } from '../../../src/store/journal.ts';
import { type CrashChoice, MemoryDisk } from '../../../src/store/memory-disk.ts';
import { createJournal, type OpenedJournal, openJournal } from '../../../src/store/open-journal.ts';

export const PUBLIC_KEY = new Uint8Array(32).fill(7);
export const CHAIN_ID = new Uint8Array(32).fill(8);
export const INCARNATION = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);

/** What was synced and nothing more. */
export const KEEP_NOTHING: CrashChoice = { bytesKept: () => 0, keeps: () => false };
export const KEEP_ALL: CrashChoice = { bytesKept: (_, unsynced) => unsynced, keeps: () => true };

/** Tasks that wait until the test runs them. */
export class Tasks {
  readonly waiting: (() => void)[] = [];
  readonly schedule = (task: () => void): void => {
    this.waiting.push(task);
  };

  step(): boolean {
    const task = this.waiting.shift();
    task?.();
    return task !== undefined;
  }

  run(): void {
    while (this.step());
  }
}

export function newDisk(tasks: Tasks, onOperation?: (operation: string) => void): MemoryDisk {
  return new MemoryDisk({ schedule: tasks.schedule, ...(onOperation === undefined ? {} : { onOperation }) });
}

export function create(disk: Disk, tasks: Tasks, publicKey = PUBLIC_KEY): string {
  let outcome = 'nothing happened';
  createJournal({ disk, publicKey, incarnation: INCARNATION }, (created) => {
    outcome = created.ok ? 'ok' : created.error.code;
  });
  tasks.run();
  return outcome;
}

export interface OpenChoice {
  readonly witness?: JournalPosition;
  readonly segmentBytesMax?: number;
  readonly publicKey?: Uint8Array;
  readonly chainId?: Uint8Array;
  readonly onFatal?: (error: Error) => void;
}

export function open(disk: Disk, tasks: Tasks, choice: OpenChoice = {}): Result<OpenedJournal, JournalProblem> {
  let outcome: Result<OpenedJournal, JournalProblem> | undefined;
  const onFatal = (error: Error): never => {
    throw error;
  };
  openJournal({ disk, publicKey: PUBLIC_KEY, chainId: CHAIN_ID, onFatal, ...choice }, (opened) => {
    outcome = opened;
  });
  tasks.run();
  if (outcome === undefined) throw new Error('the journal did not open');
  return outcome;
}

export function openOrThrow(disk: Disk, tasks: Tasks, choice: OpenChoice = {}): OpenedJournal {
  const opened = open(disk, tasks, choice);
  if (!opened.ok) throw new Error(`the journal did not open: ${JSON.stringify(opened.error)}`);
  return opened.value;
}

export function problemOf(disk: Disk, tasks: Tasks, choice: OpenChoice = {}): string {
  const opened = open(disk, tasks, choice);
  return opened.ok ? 'ok' : opened.error.code;
}

export function texts(records: Iterable<Uint8Array>): string[] {
  return [...records].map((payload) => fromUtf8(payload) ?? '?');
}

export function payloads(...words: string[]): Uint8Array[] {
  return words.map(utf8);
}
