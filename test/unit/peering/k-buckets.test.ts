import { describe, expect, it } from 'vitest';
import { compareBytes, toHex } from '../../../src/lib/bytes.ts';
import { Hash, hexBytes } from '../../../src/model/ids.ts';
import { KADEMLIA_BUCKET_SIZE, KADEMLIA_CONTACTS_MAX, KADEMLIA_PARALLELISM } from '../../../src/model/limits.ts';
import type { ListedPeer } from '../../../src/model/peer-message.ts';
import {
  answered,
  createKBuckets,
  found,
  isDone,
  type KBuckets,
  lost,
  nearest,
  nextToAsk,
  pointOf,
  seen,
  silent,
  startLookup,
} from '../../../src/peering/k-buckets.ts';
import { idOf, listed } from './discovery-world.ts';

function peers(count: number): ListedPeer[] {
  return Array.from({ length: count }, (_, index) => listed(index, `127.0.0.1:${10_000 + index}`));
}

function byDistance(all: readonly ListedPeer[], target: Hash): ListedPeer[] {
  const point = hexBytes(target);
  const distance = ({ id }: ListedPeer): Uint8Array => pointOf(id).map((byte, index) => byte ^ (point[index] ?? 0));
  return [...all].sort((a, b) => compareBytes(distance(a), distance(b)));
}

const TARGET = Hash(idOf('target'));

describe('k-buckets', () => {
  it('hold a bounded number of peers, the oldest, and answer the nearest of them', () => {
    const table = createKBuckets(idOf('self'));
    const all = peers(2_000);
    for (const peer of all) seen(table, peer);
    const held = [...table.buckets.values()].flat().map(({ peer }) => peer);
    for (const bucket of table.buckets.values()) expect(bucket.length).toBeLessThanOrEqual(KADEMLIA_BUCKET_SIZE);
    expect(held.length).toBeLessThan(12 * KADEMLIA_BUCKET_SIZE);
    for (const peer of all.slice(0, KADEMLIA_BUCKET_SIZE)) expect(held).toContainEqual(peer);
    expect(nearest(table, TARGET)).toEqual(byDistance(held, TARGET).slice(0, KADEMLIA_BUCKET_SIZE));
  });

  it('never hold this node, and forget who is gone', () => {
    const table = createKBuckets(idOf(0));
    const [self, ...others] = peers(10);
    for (const peer of [self as ListedPeer, ...others]) seen(table, peer);
    expect(nearest(table, TARGET, 100).length).toBe(9);
    for (const { id } of others) lost(table, id);
    lost(table, idOf('never seen'));
    expect(table.buckets.size).toBe(0);
  });

  it('take a new address of a peer they have', () => {
    const table = createKBuckets(idOf('self'));
    seen(table, listed(1, '127.0.0.1:1'));
    seen(table, listed(1, '127.0.0.1:2'));
    expect(nearest(table, TARGET)).toEqual([listed(1, '127.0.0.1:2')]);
  });
});

/** A network in which everybody has met some others. */
function network(size: number): { all: ListedPeer[]; tables: Map<string, KBuckets> } {
  const all = peers(size);
  const tables = new Map(all.map(({ id }) => [id, createKBuckets(id)]));
  for (const [index, peer] of all.entries()) {
    for (let step = 1; step < size; step += 1) {
      const other = all[(index + step * 7) % size] as ListedPeer;
      seen(tables.get(peer.id) as KBuckets, other);
    }
  }
  return { all, tables };
}

describe('a look-up', () => {
  it('finds the nearest peers of the whole network in few questions', () => {
    const { all, tables } = network(300);
    for (const name of ['a', 'b', 'c']) {
      const target = Hash(idOf(name));
      const lookup = startLookup(tables.get(idOf(0)) as KBuckets, target);
      let questions = 0;
      while (!isDone(lookup)) {
        const asked = nextToAsk(lookup);
        expect(asked.length).toBeLessThanOrEqual(KADEMLIA_PARALLELISM);
        for (const { id } of asked) {
          questions += 1;
          answered(lookup, id, nearest(tables.get(id) as KBuckets, target));
        }
      }
      const others = all.filter(({ id }) => id !== idOf(0));
      expect(found(lookup).slice(0, 8)).toEqual(byDistance(others, target).slice(0, 8));
      expect(questions).toBeLessThan(60);
    }
  });

  it('ends when nobody answers, and takes answers of those alone who were asked', () => {
    const { tables } = network(100);
    const lookup = startLookup(tables.get(idOf(0)) as KBuckets, TARGET);
    expect(answered(lookup, idOf('a stranger'), peers(5))).toBe(false);
    for (let asked = nextToAsk(lookup); asked.length > 0; asked = nextToAsk(lookup)) {
      for (const { id } of asked) silent(lookup, id);
    }
    expect(isDone(lookup)).toBe(true);
    expect(found(lookup)).toEqual([]);
  });

  it('remembers a bounded number of peers, however many it is told', () => {
    const { tables } = network(50);
    const lookup = startLookup(tables.get(idOf(0)) as KBuckets, TARGET);
    let invented = 0;
    for (let turn = 0; turn < 40; turn += 1) {
      for (const { id } of nextToAsk(lookup)) {
        const lies = Array.from({ length: 64 }, () => {
          invented += 1;
          return { id: toHex(pointOf(idOf(`lie ${invented}`))), address: '127.0.0.1:1', role: 'follower' as const };
        });
        answered(lookup, id, lies);
      }
    }
    expect(lookup.candidates.size).toBeLessThanOrEqual(KADEMLIA_CONTACTS_MAX);
  });
});
