import { defined } from '../lib/assert.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import {
  ADDRESSES_TRACKED_MAX,
  CONNECTIONS_PER_ADDRESS_BURST,
  CONNECTIONS_PER_ADDRESS_PER_SECOND,
  PENDING_CONNECTIONS_MAX,
  PENDING_CONNECTIONS_PER_ADDRESS_MAX,
} from '../model/limits.ts';
import { chargedAddress } from './address.ts';

interface Pending {
  readonly address: string;
  readonly cut: () => void;
}

/** Counts the connections that nobody has vouched for yet, before they cost a TLS handshake. */
export class Admission {
  /** By connection, the oldest first. */
  readonly #pending = new Map<string, Pending>();
  readonly #perAddress = new Map<string, number>();
  /** By address, the longest unseen first. */
  readonly #rates = new Map<string, TokenBucket>();

  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Lets a new connection in, or answers false. When all places are taken the oldest makes room: an honest handshake
   * takes milliseconds, so whoever fills the places with sleepers loses them first.
   */
  enter(connection: string, remoteAddress: string, cut: () => void, nowMs: number): boolean {
    const address = chargedAddress(remoteAddress);
    if (!this.#rateOf(address, nowMs).take(1, nowMs)) return false;
    const mine = this.#perAddress.get(address) ?? 0;
    if (mine >= PENDING_CONNECTIONS_PER_ADDRESS_MAX) return false;
    if (this.#pending.size >= PENDING_CONNECTIONS_MAX) this.#cutOldest();
    this.#pending.set(connection, { address, cut });
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    return true;
  }

  /** The connection is admitted, or gone. */
  leave(connection: string): void {
    const pending = this.#pending.get(connection);
    if (pending === undefined) return;
    this.#pending.delete(connection);
    const left = defined(this.#perAddress.get(pending.address), 'an address of a pending connection is counted') - 1;
    if (left === 0) this.#perAddress.delete(pending.address);
    else this.#perAddress.set(pending.address, left);
  }

  /** Cuts all that wait. */
  clear(): void {
    while (this.#pending.size > 0) this.#cutOldest();
  }

  #cutOldest(): void {
    for (const [connection, { cut }] of this.#pending) {
      this.leave(connection);
      cut();
      return;
    }
  }

  #rateOf(address: string, nowMs: number): TokenBucket {
    const rate =
      this.#rates.get(address) ??
      new TokenBucket(CONNECTIONS_PER_ADDRESS_PER_SECOND, CONNECTIONS_PER_ADDRESS_BURST, nowMs);
    this.#rates.delete(address);
    this.#rates.set(address, rate);
    if (this.#rates.size > ADDRESSES_TRACKED_MAX) {
      for (const longestUnseen of this.#rates.keys()) {
        this.#rates.delete(longestUnseen);
        break;
      }
    }
    return rate;
  }
}
