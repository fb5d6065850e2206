/**
 * The shell: effects into deeds, the world into events.
 * This file says what the shell needs of the world, so that a simulator can be the world as well.
 */
import type { PublicKey, Signature, Timestamp } from '../model/ids.ts';

export interface Clock {
  /** Wall clock, in milliseconds since 1970. */
  now(): Timestamp;
  /** Milliseconds that only ever grow, for durations. */
  monotonicMs(): number;
}

export interface Timers {
  /** Calls back once, not before `delayMs` have passed; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back as soon as everything that is already waiting had its turn. */
  soon(callback: () => void): void;
}

/** Where a node writes what happened to it. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** An authority's hand: signs what the core has decided. */
export interface Signer {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Signature;
}

/** Checks a signature without holding up the loop; the answer comes later, in any order. */
export type SignatureCheckLater = (
  publicKey: PublicKey,
  message: Uint8Array,
  signature: Signature,
  done: (valid: boolean) => void,
) => void;

/** What matters first when a link is slow. */
export type Urgency = 'consensus' | 'sync' | 'transactions';

/** Ways to the other authorities, by seat. What cannot be sent is lost: the core asks again. */
export interface Links {
  send(seat: number, frame: Uint8Array, urgency: Urgency): void;
  /** Seats that are connected now, this one not among them. */
  connected(): readonly number[];
  /** Measured round trip to a connected seat in milliseconds, once there was one. */
  roundTripMs(seat: number): number | undefined;
  /** A seat sent what no honest node sends; the transport decides what that costs it. */
  penalize(seat: number, reason: string): void;
}
