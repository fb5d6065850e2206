import { describe, expect, it } from 'vitest';
import {
  AUTHORITIES,
  EVENT,
  IDEMPOTENCY,
  idempotencyKey,
  KEY,
  ORGANISATION,
  parseStateKey,
  ROLE,
  roleKey,
  SEAT,
  seatKey,
  stateKey,
  TIER,
  tierKey,
} from '../../../src/ledger/records.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { toHex } from '../../../src/lib/bytes.ts';
import { type Codec, decode } from '../../../src/model/codec.ts';
import { EventId, OrganisationId, TierId } from '../../../src/model/ids.ts';
import { ARENA, CUP, FEDERATION } from './fixture.ts';
import { SAMPLES } from './samples.ts';

const KINDS: readonly { readonly tag: number }[] = [
  EVENT,
  TIER,
  SEAT,
  TICKET,
  ORGANISATION,
  KEY,
  ROLE,
  AUTHORITIES,
  IDEMPOTENCY,
];

function isReadable<T>(layout: Codec<T>, bytes: Uint8Array): boolean {
  return decode(layout, bytes).ok;
}

describe('a state record', () => {
  it('has a tag of its own, in the order of the kinds', () => {
    expect(KINDS.map(({ tag }) => tag)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each(SAMPLES)('$name is read back as it was written', ({ name, write }) => {
    const { bytes, again } = write();
    expect(again).toEqual(bytes);
    expect(bytes[0]).toBe(name.startsWith('ticket') ? 2 : 1);
  });

  it.each(SAMPLES)('$name of another version, cut or lengthened is not read', ({ write, layout }) => {
    const { bytes } = write();
    expect(isReadable(layout, bytes)).toBe(true);
    expect(isReadable(layout, Uint8Array.of(3, ...bytes.subarray(1)))).toBe(false);
    expect(isReadable(layout, bytes.subarray(0, -1))).toBe(false);
    expect(isReadable(layout, Uint8Array.of(...bytes, 0))).toBe(false);
  });
});

describe('a state key', () => {
  it('is the tag of the kind and the id', () => {
    expect(toHex(stateKey(TICKET, 'ab'))).toBe('046162');
    expect(toHex(stateKey(TIER, tierKey(EventId('e'), TierId('t'))))).toBe('02650074');
    expect(toHex(stateKey(AUTHORITIES, ''))).toBe('08');
  });

  it('is taken apart again, whatever the characters of an idempotency key', () => {
    for (const key of ['', 'plain', 'ключ', '\u{1f3ab}']) {
      const id = idempotencyKey(FEDERATION, key);
      expect(parseStateKey(stateKey(IDEMPOTENCY, id))).toEqual({ tag: 9, id });
    }
  });

  it('is of no other bytes', () => {
    expect(parseStateKey(new Uint8Array())).toBeUndefined();
    expect(parseStateKey(Uint8Array.of(4, 0xff))).toBeUndefined();
  });

  it('never runs two names together', () => {
    expect(tierKey(EventId('a'), TierId('bc'))).not.toBe(tierKey(EventId('ab'), TierId('c')));
    expect(seatKey(EventId('a'), 'bc')).not.toBe(seatKey(EventId('ab'), 'c'));
    expect(roleKey(CUP, ARENA, 'gate')).not.toBe(roleKey(CUP, OrganisationId('aren'), 'gate'));
    expect(idempotencyKey(OrganisationId('a'), 'bc')).not.toBe(idempotencyKey(OrganisationId('ab'), 'c'));
  });
});
