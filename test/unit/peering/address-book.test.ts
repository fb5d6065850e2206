import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import {
  ADDRESS_BUCKET_SIZE,
  HEARD_ADDRESSES_MAX,
  HEARD_BUCKETS_PER_SOURCE,
  LISTED_ADDRESS_MS_MAX,
  LOST_ADDRESS_MS_MAX,
  REDIAL_MS_MAX,
  TRIED_ADDRESSES_MAX,
  TRIED_BUCKETS_PER_GROUP,
} from '../../../src/model/limits.ts';
import {
  type AddressBook,
  createAddressBook,
  failed,
  forget,
  hear,
  isListable,
  postpone,
  reached,
  sweep,
  takeChanges,
} from '../../../src/peering/address-book.ts';
import { isTellable, originOf } from '../../../src/peering/address-group.ts';
import { idOf, listed, SALT } from './discovery-world.ts';

function origin(address: string) {
  return defined(originOf(address), `${address} is an address`);
}

function ip(index: number): string {
  return `${20 + (index % 80)}.${(index >> 3) % 250}.${(index >> 7) % 250}.${index % 250}:7281`;
}

const TELLER = origin('66.1.1.1:1000');

describe('groups of addresses', () => {
  it.each([
    ['1.2.3.4:5', '1.2', 'public'],
    ['10.1.2.3:5', '10.1.2', 'private'],
    ['172.31.2.3:5', '172.31.2', 'private'],
    ['172.32.2.3:5', '172.32', 'public'],
    ['100.64.2.3:5', '100.64.2', 'private'],
    ['169.254.2.3:5', '169.254.2', 'private'],
    ['127.9.9.9:5', '127.9.9.9:5', 'loopback'],
    ['0.0.0.0:5', '0.0.0.0:5', 'loopback'],
    ['[::1]:5', '[::1]:5', 'loopback'],
    ['[::]:5', '[::]:5', 'loopback'],
    ['[::ffff:1.2.3.4]:5', '1.2', 'public'],
    ['[::ffff:127.0.0.1]:5', '[::ffff:127.0.0.1]:5', 'loopback'],
    ['[2002:102:304::]:5', '1.2', 'public'],
    ['[2001:db8:1::1]:5', '2001:db8', 'public'],
    ['[fd00:1:2:3::1]:5', 'fd00:1:2:3', 'private'],
    ['[fe80::1]:5', 'fe80:0:0:0', 'private'],
    ['localhost:5', 'localhost:5', 'loopback'],
    ['a.LOCALHOST.:5', undefined, undefined],
    ['a.evil.example:5', 'evil.example', 'public'],
    ['node-1:5', 'node-1', 'public'],
    ['nonsense', undefined, undefined],
  ])('%s', (address, group, scope) => {
    expect(originOf(address)).toEqual(group === undefined ? undefined : { group, scope });
  });

  it('are told inwards only', () => {
    const places = ['127.0.0.1:1', '10.0.0.1:1', '1.1.1.1:1'].map(origin);
    const told = places.map((to) => places.map((from) => isTellable(to, from)));
    expect(told).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});

describe('the address book', () => {
  it('gives one teller an eighth of the places for hearsay', () => {
    const book = createAddressBook(SALT);
    for (let index = 0; index < 15_000; index += 1) hear(book, listed(index, ip(index)), TELLER, 0);
    expect(book.records.size).toBeGreaterThan(300);
    expect(book.records.size).toBeLessThanOrEqual(HEARD_BUCKETS_PER_SOURCE * ADDRESS_BUCKET_SIZE);
  });

  it('never holds more than its places, whoever tells what', () => {
    const book = createAddressBook(SALT);
    for (let index = 0; index < 15_000; index += 1) {
      const teller = origin(ip(7 * index));
      hear(book, listed(index, ip(index)), teller, index);
      if (index % 5 === 0) reached(book, listed(index, ip(index)), index);
    }
    expect(book.records.size).toBeLessThanOrEqual(TRIED_ADDRESSES_MAX + HEARD_ADDRESSES_MAX);
    expect(book.places.size).toBe(book.records.size);
    expect(book.contested.size).toBeLessThanOrEqual(TRIED_ADDRESSES_MAX);
  });

  it('gives one group of addresses an eighth of the places for what was reached', () => {
    const book = createAddressBook(SALT);
    for (let index = 0; index < 15_000; index += 1) {
      const address = `66.66.${index >> 8}.${index & 255}:7281`;
      reached(book, listed(index, address), 0);
    }
    const held = [...book.places.keys()].filter((slot) => slot < TRIED_ADDRESSES_MAX);
    expect(held.length).toBeLessThanOrEqual(TRIED_BUCKETS_PER_GROUP * ADDRESS_BUCKET_SIZE);
  });

  it('loses nothing that was reached to what is told', () => {
    const known = fc.uniqueArray(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(known, fc.infiniteStream(fc.integer({ min: 0, max: 1 << 20 })), (good, noise) => {
        const book = createAddressBook(SALT);
        for (const index of good) reached(book, listed(index, ip(index)), 0);
        const before = [...book.records.values()].filter(({ reachedAt }) => reachedAt !== null);
        let told = 0;
        for (const index of noise) {
          hear(book, listed(`liar ${index}`, ip(index)), origin(ip(index >> 3)), 1);
          if (told++ > 500) break;
        }
        for (const { address, id } of before) expect(book.records.get(address)?.id).toBe(id);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps who was proven to live at an address, whatever is said', () => {
    const book = createAddressBook(SALT);
    hear(book, listed('somebody', ip(1)), TELLER, 0);
    hear(book, listed('somebody else', ip(1), 'authority'), TELLER, 1);
    expect(book.records.get(ip(1))?.id).toBe(idOf('somebody else'));
    reached(book, listed('the one', ip(1)), 2);
    hear(book, listed('somebody', ip(1)), TELLER, 3);
    expect(book.records.get(ip(1))).toMatchObject({ id: idOf('the one'), role: 'follower', reachedAt: 2 });
  });

  it('tells others what was reached lately, or told by several groups', () => {
    const book = createAddressBook(SALT);
    const listable = (index: number, now: number): boolean =>
      isListable(defined(book.records.get(ip(index)), 'it is kept'), now);
    reached(book, listed(1, ip(1)), 0);
    hear(book, listed(2, ip(2)), TELLER, 0);
    expect([listable(1, 0), listable(1, LISTED_ADDRESS_MS_MAX), listable(2, 0)]).toEqual([true, true, false]);
    expect(listable(1, LISTED_ADDRESS_MS_MAX + 1)).toBe(false);
    hear(book, listed(2, ip(2)), origin('66.1.9.9:1'), 0);
    expect(listable(2, 0)).toBe(false);
    hear(book, listed(2, ip(2)), origin('67.1.9.9:1'), 0);
    expect(listable(2, 0)).toBe(true);
    failed(book, ip(2), 1, 0);
    expect(listable(2, 1)).toBe(false);
  });

  it('forgets what never answered after three dials, and what did answer after a month', () => {
    const book = createAddressBook(SALT);
    hear(book, listed(1, ip(1)), TELLER, 0);
    reached(book, listed(2, ip(2)), 0);
    const retries: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const index of [1, 2]) failed(book, ip(index), 0, 0.5);
      retries.push(book.records.get(ip(2))?.retryAt ?? 0);
    }
    expect(retries).toEqual([750, 1_500, 3_000]);
    sweep(book, REDIAL_MS_MAX - 1);
    expect(book.records.size).toBe(2);
    sweep(book, REDIAL_MS_MAX);
    expect([...book.records.keys()]).toEqual([ip(2)]);
    sweep(book, LOST_ADDRESS_MS_MAX);
    expect(book.records.size).toBe(1);
    sweep(book, LOST_ADDRESS_MS_MAX + 1);
    expect(book.records.size).toBe(0);
  });

  it('looks at who holds a place before it gives it to another', () => {
    const book = createAddressBook(SALT);
    let index = 0;
    while (book.contested.size === 0) {
      index += 1;
      reached(book, listed(index, `66.66.${index >> 8}.${index & 255}:7281`), 0);
    }
    const [pair] = book.contested;
    const [holder, contender] = defined(pair, 'a place is contested');
    failed(book, holder, 1, 0);
    expect(book.records.has(holder)).toBe(true);
    reached(book, defined(book.records.get(holder), 'it is kept'), 2);
    expect(book.contested.has(holder)).toBe(false);
    // Its contender is met again, and now the holder is gone for good.
    book.contested.set(holder, contender);
    for (let turn = 0; turn < 3; turn += 1) failed(book, holder, 3, 0);
    expect(book.records.has(holder)).toBe(false);
    expect(book.records.has(contender)).toBe(true);
    expect(book.places.size).toBe(book.records.size);
  });

  it('survives a restart with the same places', () => {
    const book = createAddressBook(SALT);
    for (let index = 0; index < 500; index += 1) hear(book, listed(index, ip(index)), TELLER, 5);
    for (let index = 0; index < 100; index += 1) reached(book, listed(index, ip(index)), 6);
    const { kept, forgotten } = takeChanges(book);
    expect(forgotten.every((address) => !book.records.has(address))).toBe(true);
    const again = createAddressBook(SALT, kept);
    expect(new Map(again.records)).toEqual(new Map(book.records));
    expect(new Map(again.places)).toEqual(new Map(book.places));
    expect(takeChanges(again)).toEqual({ kept: [], forgotten: [] });
  });

  it('says what changed since it was asked last', () => {
    const book: AddressBook = createAddressBook(SALT);
    reached(book, listed(1, ip(1)), 0);
    reached(book, listed(2, ip(2)), 0);
    takeChanges(book);
    postpone(book, ip(1), 5_000);
    forget(book, ip(2));
    const { kept, forgotten } = takeChanges(book);
    expect(kept.map(({ address, retryAt }) => [address, retryAt])).toEqual([[ip(1), 5_000]]);
    expect(forgotten).toEqual([ip(2)]);
  });
});
