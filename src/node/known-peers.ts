import { createBoundedMap } from '../lib/bounded.ts';
import { BAN_POINTS, BUSY_PEER_MS, KNOWN_PEERS_SAVED_MS, SCORES_KEPT_MAX } from '../model/limits.ts';
import type { PeerInfo } from '../network/transport.ts';
import { type AddressBook, createAddressBook, takeChanges } from '../peering/address-book.ts';
import { type Level, reputationLevels } from '../peering/levels.ts';
import {
  type Ban,
  ban,
  bansInForce,
  charge,
  createReputation,
  isBanned,
  type Offence,
  pointsOf,
  type Reputation,
  sweepBans,
  takeBanChanges,
  unban,
} from '../peering/reputation.ts';
import type { KeyValue, KeyValueChange, WriteOutcome } from '../store/key-value.ts';
import { addressChanges, banChanges, readPeers, saltChange } from '../store/peers.ts';
import type { Clock, Timers } from './ports.ts';

export interface KnownPeersParts {
  readonly store: KeyValue;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 32 bytes that nobody else knows, for a node that starts for the first time. */
  readonly salt: Uint8Array;
  /** The store takes nothing more; what is known is forgotten with the process. */
  readonly onFailed: (error: Error) => void;
}

/** A ban as people see it. */
export interface BanView {
  readonly id: string;
  readonly reason: Ban['reason'];
  /** Unix milliseconds. */
  readonly since: number;
  readonly until: number;
  readonly times: number;
}

/** What a node remembers of its peers across restarts: where they live, and who is banned. */
export class KnownPeers {
  readonly book: AddressBook;
  readonly #reputation: Reputation;
  readonly #parts: KnownPeersParts;
  /** Until when those are left alone with whom an operator has ended a session. */
  readonly #cutOff = createBoundedMap<string, number>(SCORES_KEPT_MAX);
  #isNew: boolean;
  #cancelSave: () => void = () => undefined;

  constructor(parts: KnownPeersParts) {
    this.#parts = parts;
    const { salt, addresses, bans } = readPeers(parts.store, this.#unixOffsetMs());
    this.#isNew = salt === undefined;
    this.book = createAddressBook(salt ?? parts.salt, addresses);
    this.#reputation = createReputation(bans);
  }

  /** Saves now and then; a ban is saved at once. */
  start(): void {
    this.#cancelSave = this.#parts.timers.after(KNOWN_PEERS_SAVED_MS, () => {
      sweepBans(this.#reputation, this.#now());
      this.#save();
      this.start();
    });
  }

  stop(): void {
    this.#cancelSave();
    this.#save();
  }

  isBanned(id: string): boolean {
    return isBanned(this.#reputation, id, this.#now());
  }

  /** An operator wants no session with it for BUSY_PEER_MS. Forgotten with the process, other than a ban. */
  cutOff(id: string): void {
    this.#cutOff.set(id, this.#now() + BUSY_PEER_MS);
  }

  /** The operator has thought better of it. */
  readmit(id: string): void {
    this.#cutOff.set(id, Number.NEGATIVE_INFINITY);
  }

  isCutOff(id: string): boolean {
    return (this.#cutOff.get(id) ?? Number.NEGATIVE_INFINITY) > this.#now();
  }

  /** Whether this node seeks nothing from it: it is banned, or a quarter of the way to it, or cut off. */
  isShunned(id: string): boolean {
    return this.isBanned(id) || this.isCutOff(id) || pointsOf(this.#reputation, id, this.#now()) >= BAN_POINTS / 4;
  }

  /** As `charge` of the reputation. */
  charge(peer: Pick<PeerInfo, 'id' | 'role'>, offence: Offence): Ban | undefined {
    const imposed = charge(this.#reputation, peer, offence, this.#now());
    if (imposed !== undefined) this.#save();
    return imposed;
  }

  /** From 0 for a peer that kept every rule lately, down to -BAN_POINTS for one that is banned. */
  score(id: string): number {
    const points = pointsOf(this.#reputation, id, this.#now());
    return points < 0.5 ? 0 : -Math.round(points);
  }

  /**
   * An operator's word: in force at once, and answered when no crash can lose it.
   *
   * @param lengthMs how long
   */
  ban(id: string, lengthMs: number): Promise<BanView> {
    const imposed = this.#view(ban(this.#reputation, id, this.#now(), lengthMs));
    return new Promise((resolve, reject) => this.#save({ durable: () => resolve(imposed), failed: reject }));
  }

  /** As `ban`. False when it was not banned. */
  unban(id: string): Promise<boolean> {
    if (!unban(this.#reputation, id, this.#now())) return Promise.resolve(false);
    return new Promise((resolve, reject) => this.#save({ durable: () => resolve(true), failed: reject }));
  }

  /** Bans in force, the latest to end first. */
  bans(): readonly BanView[] {
    return bansInForce(this.#reputation, this.#now()).map((entry) => this.#view(entry));
  }

  levels(): readonly Level[] {
    return reputationLevels(this.#reputation);
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }

  #unixOffsetMs(): number {
    const { clock } = this.#parts;
    return clock.now() - clock.monotonicMs();
  }

  #view(entry: Ban): BanView {
    const offsetMs = this.#unixOffsetMs();
    return { ...entry, since: Math.round(entry.since + offsetMs), until: Math.round(entry.until + offsetMs) };
  }

  #save(outcome: WriteOutcome = { failed: this.#parts.onFailed }): void {
    const offsetMs = this.#unixOffsetMs();
    const changes: KeyValueChange[] = [
      ...(this.#isNew ? [saltChange(this.book.salt)] : []),
      ...addressChanges(takeChanges(this.book), offsetMs),
      ...banChanges(takeBanChanges(this.#reputation), offsetMs),
    ];
    if (changes.length === 0) return;
    this.#isNew = false;
    this.#parts.store.write(changes, outcome);
  }
}
