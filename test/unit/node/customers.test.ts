import { describe, expect, it } from 'vitest';
import { Timestamp } from '../../../src/model/ids.ts';
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
});
