import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { createAddressBook, failed, hear, reached, takeChanges } from '../../../src/peering/address-book.ts';
import { charge, createReputation, takeBanChanges } from '../../../src/peering/reputation.ts';
import type { KeyValueChange } from '../../../src/store/key-value.ts';
import type { MemoryKeyValue } from '../../../src/store/memory.ts';
import { addressChanges, banChanges, readPeers, saltChange } from '../../../src/store/peers.ts';
import { TABLES } from '../../../src/store/schema.ts';
import { memoryStore } from '../../support/stores.ts';

const SALT = new Uint8Array(32).fill(9);
/** The steady clock of the first run began in 2026, that of the second an hour later. */
const FIRST = 1_780_000_000_000;
const SECOND = FIRST + 3_600_000;

function write(store: MemoryKeyValue, changes: readonly KeyValueChange[]): Promise<void> {
  return new Promise((resolve, reject) => store.write(changes, { durable: resolve, failed: reject }));
}

describe('remembered peers', () => {
  it('survive a restart, with their times in the time of the new run', async () => {
    const store = memoryStore();
    expect(readPeers(store, FIRST)).toEqual({ salt: undefined, addresses: [], bans: [] });
    const book = createAddressBook(SALT);
    const id = 'ab'.repeat(32);
    const teller = { group: '66.1', scope: 'public' } as const;
    hear(book, { id, address: '20.1.1.1:7281', role: 'authority' }, teller, 100);
    reached(book, { id, address: '30.1.1.1:7281', role: 'follower' }, 200);
    failed(book, '30.1.1.1:7281', 300, 0);
    const reputation = createReputation();
    charge(reputation, { id, role: 'follower' }, 'BAD_CERTIFICATE', 400);
    await write(store, [
      saltChange(SALT),
      ...addressChanges(takeChanges(book), FIRST),
      ...banChanges(takeBanChanges(reputation), FIRST),
    ]);
    const read = readPeers(store, SECOND);
    expect(read.salt).toEqual(SALT);
    expect(read.addresses).toMatchObject([
      { id, address: '20.1.1.1:7281', role: 'authority', sources: ['66.1'], heardAt: 100 - 3_600_000, reachedAt: null },
      { id, address: '30.1.1.1:7281', reachedAt: 200 - 3_600_000, triedAt: 300 - 3_600_000, failures: 1 },
    ]);
    expect(read.bans).toMatchObject([{ id, reason: 'BAD_CERTIFICATE', since: 400 - 3_600_000, times: 1 }]);
    expect(createAddressBook(SALT, read.addresses).places).toEqual(book.places);
  });

  it('are gone when they are forgotten, and left out when they are damaged', async () => {
    const store = memoryStore();
    const peer = { id: 'ab'.repeat(32), address: '30.1.1.1:7281', role: 'follower' } as const;
    const book = createAddressBook(SALT);
    reached(book, peer, 0);
    await write(store, addressChanges(takeChanges(book), FIRST));
    await write(store, [
      { table: TABLES.addresses, key: utf8('40.1.1.1:1'), value: utf8('nonsense') },
      { table: TABLES.bans, key: utf8('ab'), value: new Uint8Array() },
    ]);
    expect(readPeers(store, FIRST).addresses.map(({ address }) => address)).toEqual([peer.address]);
    expect(readPeers(store, FIRST).bans).toEqual([]);
    await write(store, addressChanges({ kept: [], forgotten: [peer.address] }, FIRST));
    expect(readPeers(store, FIRST).addresses).toEqual([]);
  });
});
