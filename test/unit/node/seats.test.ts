import { describe, expect, it } from 'vitest';
import { PublicKey } from '../../../src/model/ids.ts';
import { type PeerInfo, peerIdOf, type Transport } from '../../../src/network/transport.ts';
import { Seats } from '../../../src/node/seats.ts';

const KEYS = [1, 2, 3].map((seat) => PublicKey(`${seat}`.repeat(64)));

function peer(id: number, key: number | null): PeerInfo {
  const authorityKey = key === null ? undefined : KEYS[key];
  return {
    id: peerIdOf(new Uint8Array(32).fill(id)),
    role: key === null ? 'follower' : 'authority',
    ...(authorityKey === undefined ? {} : { authorityKey }),
    direction: 'inbound',
    address: `10.0.0.${id}:7000`,
    version: '0.0.0',
    latencyMs: id,
    since: 0,
    head: { height: 0, hash: 'ab'.repeat(32) },
  } as PeerInfo;
}

/** Records what reaches whom. */
class Recorder implements Transport {
  readonly self = peer(9, null).id;
  readonly sent: string[] = [];
  readonly ended: string[] = [];
  up: PeerInfo[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }
  send(to: PeerInfo['id'], frame: Uint8Array, lane: string): boolean {
    this.sent.push(`${this.name(to)} ${lane} ${frame.length}`);
    return true;
  }
  backlog(): number {
    return 0;
  }
  peers(): readonly PeerInfo[] {
    return this.up;
  }
  disconnect(who: PeerInfo['id']): void {
    this.ended.push(this.name(who));
  }
  setAuthorities(): void {}
  dial(): void {}
  close(): Promise<void> {
    return Promise.resolve();
  }
  name(id: PeerInfo['id']): string {
    return `${Number.parseInt(id.slice(0, 2), 16)}`;
  }
}

function seats(): { readonly transport: Recorder; readonly seats: Seats } {
  const transport = new Recorder();
  return { transport, seats: new Seats(transport, (key) => KEYS.indexOf(key)) };
}

describe('seats', () => {
  it('belong to authorities alone', () => {
    const { seats: held } = seats();
    expect(held.join(peer(1, null))).toBeUndefined();
    expect(held.join({ ...peer(1, 0), authorityKey: PublicKey('f'.repeat(64)) })).toBeUndefined();
    expect(held.join(peer(2, 1))).toEqual({ seat: 1, isTwin: false });
    expect(held.join(peer(1, 0))).toEqual({ seat: 0, isTwin: false });
    expect(held.connected()).toEqual([0, 1]);
    expect(held.leave(peer(5, 2).id)).toBeUndefined();
  });

  it('stay with the first session that proves a key, and go to the next one when that ends', () => {
    const { seats: held, transport } = seats();
    const [first, second] = [peer(4, 1), peer(5, 1)];
    transport.up = [first, second];
    held.join(first);
    expect(held.join(second)).toEqual({ seat: 1, isTwin: true });
    expect([held.seat(first.id), held.seat(second.id)]).toEqual([1, undefined]);
    held.send(1, new Uint8Array(3), 'consensus');
    expect(held.roundTripMs(1)).toBe(4);
    expect(held.leave(first.id)).toEqual({ seat: 1, wasSeated: true, isSeatTaken: true });
    expect(held.seat(second.id)).toBe(1);
    held.send(1, new Uint8Array(5), 'sync');
    held.penalize(1);
    expect(held.roundTripMs(1)).toBe(5);
    expect(held.connected()).toEqual([1]);
    expect(held.leave(second.id)).toEqual({ seat: 1, wasSeated: true, isSeatTaken: false });
    held.send(1, new Uint8Array(7), 'transactions');
    expect(held.roundTripMs(1)).toBeUndefined();
    expect(transport.sent).toEqual(['4 consensus 3', '5 sync 5']);
    expect(transport.ended).toEqual(['5']);
    expect(held.connected()).toEqual([]);
  });

  it('lose nothing when the session that waits for one ends', () => {
    const { seats: held } = seats();
    const [first, second] = [peer(4, 1), peer(5, 1)];
    held.join(first);
    held.join(second);
    expect(held.leave(second.id)).toEqual({ seat: 1, wasSeated: false, isSeatTaken: true });
    expect(held.seat(first.id)).toBe(1);
  });
});
