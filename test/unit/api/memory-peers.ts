import type { BannedPeer, PeerControl } from '../../../src/api/ports.ts';

/** Connected with an authority and a follower; remembers what it was told. */
export class MemoryPeers implements PeerControl {
  static readonly FOLLOWER = 'bb'.repeat(32);
  static readonly AUTHORITY = 'venue';
  readonly dialled: string[] = [];
  readonly connected = new Set([MemoryPeers.FOLLOWER, MemoryPeers.AUTHORITY]);
  readonly #bans = new Map<string, BannedPeer>();

  connect(address: string): void {
    this.dialled.push(address);
  }

  disconnect(id: string): boolean {
    return this.connected.delete(id);
  }

  async ban(id: string, lengthMs: number): ReturnType<PeerControl['ban']> {
    if (id === MemoryPeers.AUTHORITY) return 'AUTHORITY';
    if (id.length < 64) return 'UNKNOWN';
    this.connected.delete(id);
    const times = (this.#bans.get(id)?.times ?? 0) + 1;
    const since = 1_780_000_000_000;
    const entry = { id, reason: 'OPERATOR', since, until: since + lengthMs, times };
    this.#bans.set(id, entry);
    return entry;
  }

  async unban(id: string): Promise<boolean> {
    return this.#bans.delete(id);
  }

  bans(): readonly BannedPeer[] {
    return [...this.#bans.values()];
  }
}
