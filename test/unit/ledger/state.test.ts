import { describe, expect, it } from 'vitest';
import { SEAT, stateKey } from '../../../src/ledger/records.ts';
import { Overlay, type StateReader } from '../../../src/ledger/state.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { InvariantError } from '../../../src/lib/assert.ts';
import { compareBytes, toHex } from '../../../src/lib/bytes.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { Height, TicketId, ZERO_HASH } from '../../../src/model/ids.ts';

class Store implements StateReader {
  readonly records = new Map<string, Uint8Array>();
  reads = 0;

  get(key: Uint8Array): Uint8Array | undefined {
    this.reads += 1;
    return this.records.get(toHex(key));
  }

  take(overlay: Overlay): void {
    for (const { key, value } of overlay.changes()) this.records.set(toHex(key), value);
  }
}

function seat(ticket: string) {
  return { ticket: TicketId(ticket) };
}

const FIRST_USE = {
  operation: ZERO_HASH,
  transaction: ZERO_HASH,
  height: Height(1),
  outcome: { accepted: true, code: null, subject: null, firstScan: null },
};

function store(): Store {
  const first = new Overlay({ get: () => undefined });
  first.seats.put('a', seat('stored'));
  const filled = new Store();
  filled.take(first);
  return filled;
}

describe('an overlay', () => {
  it('shows what is stored, then what its parents wrote, then its own writes', () => {
    const parent = new Overlay(store()).child();
    parent.seats.put('b', seat('parent'));
    const child = parent.child();
    child.seats.put('a', seat('child'));
    expect([child.seats.get('a'), child.seats.get('b')]).toEqual([seat('child'), seat('parent')]);
    expect([parent.seats.get('a'), parent.seats.get('b')]).toEqual([seat('stored'), seat('parent')]);
    expect(child.seats.get('c')).toBeUndefined();
    parent.seats.put('b', seat('later'));
    expect(child.seats.get('b')).toEqual(seat('later'));
  });

  it('shows a record as it was last written, though it was read before', () => {
    const overlay = new Overlay(store());
    expect(overlay.seats.get('a')).toEqual(seat('stored'));
    overlay.seats.put('a', seat('written'));
    expect(overlay.seats.get('a')).toEqual(seat('written'));
  });

  it('lists its own writes only, the last of each, sorted by key', () => {
    const parent = new Overlay(store());
    parent.seats.put('z', seat('parent'));
    const child = parent.child();
    child.idempotency.put('ｚ', FIRST_USE);
    child.idempotency.put('\u{10000}', FIRST_USE);
    child.seats.put('b', seat('first'));
    child.seats.put('b', seat('second'));
    child.seats.put('a', seat('x'));
    child.seats.get('z');
    const changes = child.changes();
    expect(changes.map(({ key }) => toHex(key))).toEqual(['0361', '0362', '09efbd9a', '09f0908080']);
    expect([...changes].sort((a, b) => compareBytes(a.key, b.key))).toEqual(changes);
    expect(child.seats.get('b')).toEqual(seat('second'));
  });

  it('is itself a reader of bytes', () => {
    const overlay = new Overlay(store()).child();
    overlay.seats.put('b', seat('mine'));
    expect(overlay.get(stateKey(SEAT, 'b'))).toEqual(overlay.seats.bytes('b'));
    expect(overlay.get(stateKey(SEAT, 'a'))).toEqual(store().get(stateKey(SEAT, 'a')));
    expect(overlay.get(stateKey(SEAT, 'none'))).toBeUndefined();
    expect(overlay.get(stateKey(TICKET, 'a'))).toBeUndefined();
    for (const tag of [0, 10, 255]) expect(overlay.get(Uint8Array.of(tag, 0x61))).toBeUndefined();
    expect(overlay.get(new Uint8Array())).toBeUndefined();
  });

  it('reads a record once, however many blocks ask for it', () => {
    const stored = store();
    const parent = new Overlay(stored);
    for (let round = 0; round < 3; round += 1) parent.child().seats.get('a');
    expect(stored.reads).toBe(1);
  });

  it('lets its parent go once that is stored', () => {
    const stored = store();
    const parent = new Overlay(stored).child();
    parent.seats.put('b', seat('parent'));
    const child = parent.child();
    child.seats.put('c', seat('child'));
    stored.take(parent);
    child.detach();
    parent.seats.put('b', seat('never-seen'));
    expect(['a', 'b', 'c'].map((id) => child.seats.get(id)?.ticket)).toEqual(['stored', 'parent', 'child']);
  });

  it('hashes the bytes of a record', () => {
    const overlay = new Overlay(store());
    expect(overlay.seats.hash('a')).toBe(toHex(sha256(overlay.seats.bytes('a') ?? new Uint8Array())));
    expect(() => overlay.seats.hash('none')).toThrow(InvariantError);
  });

  it('stops at a stored record that is damaged', () => {
    const overlay = new Overlay({ get: () => Uint8Array.of(1, 0, 0) });
    expect(() => overlay.seats.get('a')).toThrow(/corrupt/);
  });
});
