import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../../src/lib/address.ts';
import { TokenBucket } from '../../../src/lib/token-bucket.ts';
import {
  ADDRESSES_TRACKED_MAX,
  CONNECTIONS_PER_ADDRESS_BURST,
  CONSENSUS_LANE_BYTES_MAX,
  PENDING_CONNECTIONS_MAX,
  PENDING_CONNECTIONS_PER_ADDRESS_MAX,
  SYNC_LANE_FRAMES_MAX,
} from '../../../src/model/limits.ts';
import { chargedAddress } from '../../../src/network/address.ts';
import { Admission } from '../../../src/network/admission.ts';
import { Outbox } from '../../../src/network/outbox.ts';
import { LANES, type Lane } from '../../../src/network/transport.ts';

describe('an outbox', () => {
  test('gives consensus before sync before transactions, each in its order', () => {
    const outbox = new Outbox();
    const added: [Lane, number][] = [
      ['transactions', 1],
      ['sync', 2],
      ['consensus', 3],
      ['transactions', 4],
      ['sync', 5],
      ['consensus', 6],
    ];
    for (const [lane, value] of added) expect(outbox.add(Uint8Array.of(value), lane)).toBe(true);
    expect(outbox.waiting()).toEqual({ frames: 6, bytes: 6 });
    expect(added.map(() => outbox.take()?.[0])).toEqual([3, 6, 2, 5, 1, 4]);
    expect(outbox.take()).toBeUndefined();
    expect(outbox.isEmpty).toBe(true);
  });

  test('is bounded in frames and in bytes, lane by lane', () => {
    const outbox = new Outbox();
    for (let count = 0; count < SYNC_LANE_FRAMES_MAX; count += 1) outbox.add(new Uint8Array(1), 'sync');
    expect(outbox.add(new Uint8Array(1), 'sync')).toBe(false);
    expect(outbox.add(new Uint8Array(CONSENSUS_LANE_BYTES_MAX), 'consensus')).toBe(true);
    expect(outbox.add(new Uint8Array(1), 'consensus')).toBe(false);
    expect(outbox.add(new Uint8Array(1), 'transactions')).toBe(true);
    outbox.take();
    expect(outbox.add(new Uint8Array(1), 'consensus')).toBe(true);
  });

  test('keeps its order and its count over many turns', () => {
    const outbox = new Outbox();
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 2_000; round += 1) {
      for (const lane of LANES.slice(0, 1)) {
        outbox.add(Uint8Array.of(next & 0xff), lane);
        outbox.add(Uint8Array.of((next + 1) & 0xff), lane);
        next += 2;
      }
      expect(outbox.take()?.[0]).toBe(expected & 0xff);
      expected += 1;
    }
    expect(outbox.waiting()).toEqual({ frames: 2_000, bytes: 2_000 });
  });
});

describe('a token bucket', () => {
  test('allows its burst at once and its rate ever after', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false]);
    expect(bucket.take(1, 99)).toBe(false);
    expect(bucket.take(1, 100)).toBe(true);
    expect(bucket.take(4, 1_000_000)).toBe(false);
    expect(bucket.take(3, 1_000_000)).toBe(true);
  });

  test('takes nothing when it refuses, and never runs backwards', () => {
    const bucket = new TokenBucket(10, 3, 1_000);
    expect(bucket.take(2, 1_000)).toBe(true);
    expect(bucket.take(2, 1_000)).toBe(false);
    expect(bucket.take(1, 500)).toBe(true);
  });
});

describe('admission', () => {
  const enter = (admission: Admission, name: string, address: string, cut: string[] = []): boolean =>
    admission.enter(name, address, () => cut.push(name), 0);

  test('bounds what one address holds, and gives places back', () => {
    const admission = new Admission();
    const cut: string[] = [];
    for (let count = 0; count < PENDING_CONNECTIONS_PER_ADDRESS_MAX; count += 1) {
      expect(enter(admission, `a${count}`, '192.0.2.1', cut)).toBe(true);
    }
    expect(enter(admission, 'more', '192.0.2.1', cut)).toBe(false);
    expect(enter(admission, 'other', '192.0.2.2', cut)).toBe(true);
    admission.leave('a0');
    admission.leave('a0');
    expect(enter(admission, 'again', '192.0.2.1', cut)).toBe(true);
    expect(cut).toEqual([]);
    expect(admission.pending).toBe(PENDING_CONNECTIONS_PER_ADDRESS_MAX + 1);
  });

  test('cuts the longest sleeper when all places are taken', () => {
    const admission = new Admission();
    const cut: string[] = [];
    for (let count = 0; count < PENDING_CONNECTIONS_MAX + 2; count += 1) {
      expect(enter(admission, `c${count}`, `192.0.2.${count % 200}`, cut)).toBe(true);
    }
    expect(cut).toEqual(['c0', 'c1']);
    expect(admission.pending).toBe(PENDING_CONNECTIONS_MAX);
    admission.clear();
    expect(admission.pending).toBe(0);
    expect(cut.length).toBe(PENDING_CONNECTIONS_MAX + 2);
  });

  test('bounds the rate of one address', () => {
    const admission = new Admission();
    const tryOnce = (name: string, nowMs: number): boolean => {
      const isIn = admission.enter(name, '192.0.2.1', () => {}, nowMs);
      admission.leave(name);
      return isIn;
    };
    const burst = Array.from({ length: CONNECTIONS_PER_ADDRESS_BURST + 5 }, (_, index) => tryOnce(`c${index}`, 0));
    expect(burst.filter((isIn) => isIn).length).toBe(CONNECTIONS_PER_ADDRESS_BURST);
    expect(tryOnce('later', 1_000)).toBe(true);
  });

  test('remembers a bounded number of addresses, the latest', () => {
    const admission = new Admission();
    for (let count = 0; count < CONNECTIONS_PER_ADDRESS_BURST; count += 1) {
      enter(admission, 'first', '192.0.2.1');
      admission.leave('first');
    }
    expect(enter(admission, 'first', '192.0.2.1')).toBe(false);
    for (let count = 0; count < ADDRESSES_TRACKED_MAX; count += 1) {
      enter(admission, 'other', `10.0.${count >> 8}.${count & 255}`);
      admission.leave('other');
    }
    expect(enter(admission, 'first', '192.0.2.1')).toBe(true);
  });
});

describe('an address', () => {
  test.each([
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['node-1.example.org:65535', { host: 'node-1.example.org', port: 65_535 }],
    ['[::1]:30303', { host: '::1', port: 30_303 }],
  ])('is %s', (text, parsed) => {
    expect(parseAddress(text)).toEqual(parsed);
    expect(formatAddress(parsed.host, parsed.port)).toBe(text);
  });

  test.each([
    '',
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    'host:01',
    '::1:80',
    '[::1]',
    '[host]:1',
    'a b:1',
    'a/b:1',
    'user@host:1',
    '-host:1',
    `${'h'.repeat(254)}:1`,
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is charged as %s', (address, charged) => {
    expect(chargedAddress(address)).toBe(charged);
  });
});
