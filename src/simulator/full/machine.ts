import type { Genesis } from '../../ledger/genesis.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { hexBytes, type PublicKey, Timestamp } from '../../model/ids.ts';
import type { Clock, Timers } from '../../node/ports.ts';
import { beginChain } from '../../node/recovery.ts';
import type { Chain } from '../../store/chain.ts';
import { readWitness } from '../../store/chain.ts';
import type { JournalPosition, JournalProblem } from '../../store/journal.ts';
import { listSegments, segmentName } from '../../store/journal-segment.ts';
import { MemoryKeyValue } from '../../store/memory.ts';
import { MemoryDisk } from '../../store/memory-disk.ts';
import { checkNewestBlocks } from '../../store/newest-blocks.ts';
import { createJournal, type OpenedJournal, openJournal } from '../../store/open-journal.ts';
import { TABLES } from '../../store/schema.ts';
import { BEGINNING } from './genesis.ts';
import type { FullProcess } from './process.ts';
import type { FullScenario, MachineFault } from './scenario.ts';
import type { VirtualTime } from './time.ts';
import type { Wire } from './wire.ts';

/** Thrown by a port when the machine dies while its program uses it. */
class MachineDied extends Error {
  override readonly name = 'MachineDied';
}

/** What a machine asks of its world, and tells it. */
export interface Surroundings {
  readonly scenario: FullScenario;
  readonly time: VirtualTime;
  readonly wire: Wire;
  readonly prng: Prng;
  readonly genesis: Genesis;
  readonly jurisdiction: Jurisdiction;
  readonly journalSegmentBytesMax: number;
  publicKeyOf(seat: number): PublicKey;
  /** The chain was read back. */
  recovered(machine: Machine, chain: Chain): void;
  /** The program is put together on what the disks hold; without a journal it only follows, for the reason given. */
  launch(machine: Machine, chain: Chain, opened: OpenedJournal | JournalProblem): FullProcess;
  received(machine: Machine, from: number, frame: Uint8Array): void;
  /** After everything that happens on a machine that goes on. */
  afterEvent(machine: Machine, process: FullProcess): void;
  /** Its program cannot go on. */
  failed(machine: Machine, error: Error): void;
  /** Whether an error of this machine's program is nothing but its own affair. */
  forgives(machine: Machine, error: unknown): boolean;
  fell(machine: Machine): void;
  trace(line: () => string): void;
}

/** One computer: a clock, two disks, and the program that runs on it until something ends it. */
export class Machine {
  readonly seat: number;
  readonly name: string;
  readonly clock: Clock;
  readonly timers: Timers;
  process: FullProcess | null = null;
  isOn = false;
  /** Why this key must not vote any more, by the way in which its journal was lost; null while it may. */
  deadKey: MachineFault | null = null;
  /** Whether it was put back to an earlier moment: it may have to give up its seat. */
  isRestored = false;
  /** Heights that this machine has said are durable here: no crash may take them back. */
  promisedHeight = 0;
  boots = 0;
  /** Uses of its ports: clock apart, all that it does is one, and between any two of them it can fail. */
  uses = 0;
  readonly #world: Surroundings;
  readonly #prng: Prng;
  readonly #rate: number;
  readonly #skewMs: number;
  #disk: MemoryDisk;
  #store: MemoryKeyValue;
  #storeFreeAt = 0;
  #hasKey = false;
  #planned: MachineFault | null = null;
  #fuse = 0;
  /** Set while a fault takes effect in the middle of something. */
  #dying: MachineFault | null = null;
  /** Where the journal stood at each commit that is not durable yet, and at the newest that is. */
  #noted: JournalPosition[] = [];
  #witnessed: JournalPosition | null = null;
  #snapshot: Snapshot | null = null;

  constructor(seat: number, world: Surroundings) {
    this.seat = seat;
    this.name = `${seat}`;
    this.#world = world;
    this.#prng = world.prng;
    const { skewMs, driftPpm } = world.scenario;
    this.#skewMs = skewMs * (2 * this.#prng.next() - 1);
    this.#rate = 1 + (driftPpm * (2 * this.#prng.next() - 1)) / 1_000_000;
    this.clock = {
      now: () => Timestamp(Math.floor(BEGINNING + this.#elapsedMs() + this.#skewMs)),
      monotonicMs: () => this.#elapsedMs(),
    };
    this.timers = {
      after: (delayMs, run) => this.#after(delayMs / this.#rate, run),
      soon: (run) => void this.#after(0, run),
    };
    this.#disk = this.#emptyDisk();
    this.#store = this.#emptyStore();
  }

  get disk(): MemoryDisk {
    return this.#disk;
  }

  get store(): MemoryKeyValue {
    return this.#store;
  }

  #elapsedMs(): number {
    return this.#world.time.now * this.#rate;
  }

  #emptyDisk(): MemoryDisk {
    return new MemoryDisk({
      schedule: (task) => this.#later(this.#world.scenario.syncMsMax, task),
      onOperation: () => this.use(),
    });
  }

  #emptyStore(): MemoryKeyValue {
    return new MemoryKeyValue({ tables: Object.values(TABLES), schedule: (task) => this.#laterInOrder(task) });
  }

  start(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.run(() => (this.#hasKey ? this.#boot() : this.#install()));
  }

  /** Makes the journal of a new key and then the key, as `keys new` does: before both are there, there is nothing. */
  #install(): void {
    const publicKey = hexBytes(this.#world.publicKeyOf(this.seat));
    const incarnation = new Uint8Array(16).map(() => this.#prng.below(256));
    this.#disk = this.#emptyDisk();
    createJournal({ disk: this.#disk, publicKey, incarnation }, () => {
      this.#hasKey = true;
      this.#boot();
    });
  }

  /** The way of `commands/compose`: the chain, its newest blocks, the journal behind its witness, the replica. */
  #boot(): void {
    const { genesis, jurisdiction, journalSegmentBytesMax } = this.#world;
    this.boots += 1;
    this.#noted = [];
    beginChain(this.#store, genesis, (begun) => {
      if (!begun.ok) throw begun.error;
      const chain = begun.value;
      checkNewestBlocks(this.#store, jurisdiction);
      this.#world.recovered(this, chain);
      const options = {
        disk: this.#disk,
        publicKey: hexBytes(this.#world.publicKeyOf(this.seat)),
        chainId: hexBytes(genesis.chainId),
        witness: readWitness(this.#store),
        onFatal: (error: Error) => this.fail(error),
        segmentBytesMax: journalSegmentBytesMax,
      };
      openJournal(options, (opened) => this.#launch(chain, opened.ok ? opened.value : opened.error));
    });
  }

  #launch(chain: Chain, opened: OpenedJournal | JournalProblem): void {
    const process = this.#world.launch(this, chain, opened);
    this.process = process;
    process.start();
    this.#world.wire.attach(this.seat, {
      peer: (seat, isConnected) => this.run(() => process.peer(seat, isConnected)),
      frame: (from, frame) => this.run(() => this.#world.received(this, from, frame)),
    });
  }

  /** Its program says that it cannot go on. */
  fail(error: Error): void {
    if (this.#dying === null && this.isOn) this.#world.failed(this, error);
  }

  /** Whatever happens on this machine happens in here: it may be the last thing. */
  run(deed: () => void): void {
    if (!this.isOn) return;
    try {
      deed();
    } catch (error) {
      if (!(error instanceof MachineDied) && !this.#world.forgives(this, error)) throw error;
      this.#dying ??= 'kill';
    }
    if (this.#dying !== null) this.#fall(this.#dying);
    else if (this.process !== null) this.#world.afterEvent(this, this.process);
  }

  /** One use of a port; the one at which a planned fault strikes throws. */
  use(): void {
    if (this.#dying !== null) throw new MachineDied();
    this.uses += 1;
    if (this.#fuse === 0) return;
    this.#fuse -= 1;
    if (this.#fuse > 0 || this.#planned === null) return;
    this.#dying = this.#planned;
    throw new MachineDied();
  }

  /** Something happens to this machine after so many uses of its ports, of which there are none while it is off. */
  plan(fault: MachineFault, fuse: number): void {
    if (fault === 'take-snapshot') {
      this.#snapshot = { disk: this.#disk.snapshot(), store: this.#store.copy((task) => this.#laterInOrder(task)) };
      return;
    }
    if (fuse === 0) {
      this.#fall(fault);
      return;
    }
    this.#planned = fault;
    this.#fuse = fuse;
  }

  /** No fault is planned any more. */
  spare(): void {
    if (this.#planned !== null && this.#fuse > 0 && isLasting(this.#planned)) this.#fall(this.#planned);
    this.#fuse = 0;
    this.#planned = null;
  }

  switchOff(): void {
    if (this.isOn) this.#fall('power-failure');
  }

  #fall(fault: MachineFault): void {
    this.#world.trace(() => `${this.name} falls: ${fault}`);
    this.isOn = false;
    this.process = null;
    this.#dying = null;
    this.#fuse = 0;
    this.#planned = null;
    this.#world.wire.detach(this.seat);
    this.#loseUnsynced(fault);
    if (fault === 'wipe-data') {
      this.#store = this.#emptyStore();
      this.promisedHeight = 0;
      this.#witnessed = null;
    }
    if (fault === 'restore-snapshot') this.#restore();
    if (fault === 'lose-journal' && this.#hasKey) this.#loseJournal();
    if (fault === 'roll-journal-back' && this.#hasKey) this.#rollJournalBack();
    this.#world.fell(this);
  }

  #loseUnsynced(fault: MachineFault): void {
    if (fault === 'kill') {
      this.#disk = this.#disk.kill();
      this.#store = this.#store.crash(true);
      return;
    }
    const zeros = this.#prng.chance(0.2);
    this.#disk = this.#disk.crash({
      bytesKept: (_, unsynced) => (this.#prng.chance(0.3) ? 0 : this.#prng.below(unsynced + 1)),
      keeps: () => this.#prng.chance(0.5),
      zeros,
    });
    this.#store = this.#store.crash(this.#prng.chance(0.5));
  }

  /** What it promised since is forgotten here, and the others know it. */
  #restore(): void {
    if (this.#snapshot === null) return;
    const { disk, store } = this.#snapshot;
    this.#disk = disk.snapshot();
    this.#store = store.copy((task) => this.#laterInOrder(task));
    this.promisedHeight = 0;
    this.#witnessed = null;
    this.isRestored = true;
  }

  #loseJournal(): void {
    for (const name of this.#disk.list()) this.#disk.remove(name);
    this.#disk = this.#disk.copy();
    this.deadKey = 'lose-journal';
  }

  /** A commit has asked how far the journal is durable. */
  noted(position: JournalPosition): void {
    this.#noted.push(position);
  }

  /** The oldest commit under way is durable up to this height. */
  settled(height: number): void {
    this.promisedHeight = Math.max(this.promisedHeight, height);
    this.#witnessed = this.#noted.shift() ?? this.#witnessed;
  }

  /** The end that the data directory has seen goes; what it has not seen may go in any crash. */
  #rollJournalBack(): void {
    const witness = this.#witnessed;
    const newest = listSegments(this.#disk).at(-1);
    const length = newest === undefined ? 0 : this.#disk.bytesOf(segmentName(newest)).length;
    if (witness === null || witness.segment !== newest || length < witness.offset) {
      this.#loseJournal();
      return;
    }
    const name = segmentName(newest);
    this.#disk.overwrite(name, this.#disk.bytesOf(name).slice(0, this.#prng.below(witness.offset)));
    this.deadKey = 'roll-journal-back';
  }

  /** Runs later if the machine is then still in the same run. */
  #after(delayMs: number, run: () => void): () => void {
    this.use();
    const { boots } = this;
    let isDue = true;
    this.#world.time.after(delayMs, () => {
      if (isDue && this.isOn && this.boots === boots) this.run(run);
    });
    return () => {
      isDue = false;
    };
  }

  #later(msMax: number, task: () => void): void {
    this.#world.time.after(this.#prng.next() * msMax, () => this.run(task));
  }

  /** What a store is asked for, it does in order. */
  #laterInOrder(task: () => void): void {
    const { time, scenario } = this.#world;
    this.#storeFreeAt = Math.max(time.now, this.#storeFreeAt) + this.#prng.next() * scenario.storeMsMax;
    time.after(this.#storeFreeAt - time.now, () => this.run(task));
  }
}

/** The disks of a machine at one moment. */
interface Snapshot {
  readonly disk: MemoryDisk;
  readonly store: MemoryKeyValue;
}

/** Faults that a run counts on, once they are planned. */
function isLasting(fault: MachineFault): boolean {
  return fault === 'lose-journal' || fault === 'roll-journal-back' || fault === 'restore-snapshot';
}
