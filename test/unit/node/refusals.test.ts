import { describe, expect, it } from 'vitest';
import { Timestamp } from '../../../src/model/ids.ts';
import { REFUSALS_LOGGED_MS } from '../../../src/model/limits.ts';
import { Refusals, type RefusedEvent } from '../../../src/node/refusals.ts';

const FLOOD: RefusedEvent = { type: 'refused', direction: 'inbound', address: '10.0.0.1:1', reason: 'FLOOD', by: 'us' };

describe('refused connections', () => {
  it('of one kind are told now and then, with how many there were', () => {
    let nowMs = 0;
    const refusals = new Refusals({ now: () => Timestamp(0), monotonicMs: () => nowMs });
    const told: (number | undefined)[] = [];
    for (let count = 0; count < 1_000; count += 1) {
      told.push(refusals.count({ ...FLOOD, address: `10.0.0.${count}:1` }));
      nowMs += (2 * REFUSALS_LOGGED_MS) / 1_000;
    }
    expect(told.filter((times) => times !== undefined)).toEqual([1, 500]);
    expect(refusals.count({ ...FLOOD, reason: 'HELLO_TIMEOUT' })).toBe(1);
  });

  it('that this node dialled are told for each address', () => {
    const refusals = new Refusals({ now: () => Timestamp(0), monotonicMs: () => 0 });
    const dialled: RefusedEvent = { ...FLOOD, direction: 'outbound', reason: 'UNREACHABLE' };
    expect(refusals.count(dialled)).toBe(1);
    expect(refusals.count(dialled)).toBeUndefined();
    expect(refusals.count({ ...dialled, address: '10.0.0.2:1' })).toBe(1);
  });
});
