import { describe, expect, it } from 'vitest';
import { Timestamp } from '../../../src/model/ids.ts';
import { SERVED_LOOK_MS, SERVED_PATIENCE_MS } from '../../../src/model/peer-limits.ts';
import { Customers } from '../../../src/node/customers.ts';

describe('customers', () => {
  it('wait for an answer that is finished elsewhere, however many they are', () => {
    const due: (() => void)[] = [];
    const finishing: (() => void)[] = [];
    const served: string[] = [];
    const customers: Customers<string, number> = new Customers({
      clock: { now: () => Timestamp(0), monotonicMs: () => 0 },
      timers: { soon: (callback) => void due.push(callback), after: () => () => undefined },
      serve: (to) => {
        served.push(to);
        finishing.push(customers.begin());
        return { bytes: 1, blocks: 1 };
      },
    });
    const turns = (): void => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) next();
    };
    for (const to of ['one', 'two', 'three']) customers.request(to, 1);
    turns();
    expect(served).toEqual(['one']);
    customers.request('four', 1);
    turns();
    expect(served).toEqual(['one']);
    for (let finished = finishing.shift(); finished !== undefined; finished = finishing.shift()) {
      finished();
      turns();
      expect(finishing.length).toBeLessThanOrEqual(1);
    }
    expect(served).toEqual(['one', 'two', 'three', 'four']);
  });

  it('who do not read hold up nobody else', () => {
    const due: (() => void)[] = [];
    const looks: (() => void)[] = [];
    const served: string[] = [];
    const refused: string[] = [];
    const readers = new Set(['fast']);
    const time = { ms: 0 };
    const customers: Customers<string, number> = new Customers({
      clock: { now: () => Timestamp(0), monotonicMs: () => time.ms },
      timers: {
        soon: (callback) => void due.push(callback),
        after: (_, callback) => {
          looks.push(callback);
          return () => looks.splice(looks.indexOf(callback), 1);
        },
      },
      isReady: (to) => readers.has(to),
      serve: (to, request) => {
        served.push(`${to} ${request}`);
        return { bytes: 1, blocks: 1 };
      },
      refuse: (to, request) => refused.push(`${to} ${request}`),
    });
    const turns = (): void => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) next();
    };
    for (const request of [1, 2]) for (const to of ['slow', 'slower', 'fast']) customers.request(to, request);
    turns();
    expect(served).toEqual(['fast 1', 'fast 2']);
    expect(looks.length).toBe(1);
    readers.add('slow');
    time.ms += SERVED_LOOK_MS;
    looks[0]?.();
    turns();
    expect(served.slice(2)).toEqual(['slow 1', 'slow 2']);
    time.ms += SERVED_PATIENCE_MS;
    customers.request('fast', 3);
    turns();
    expect(served.slice(4)).toEqual(['fast 3']);
    expect(refused).toEqual(['slower 1', 'slower 2']);
  });
});
