import { describe, expect, it } from 'vitest';
import { decode } from '../../../src/model/codec.ts';
import { Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import {
  SERVED_REQUESTS_BURST,
  SERVED_REQUESTS_PER_SECOND,
  SERVED_REQUESTS_WAITING_MAX,
} from '../../../src/model/limits.ts';
import { messageLayout } from '../../../src/model/message.ts';
import { type Served, Serving } from '../../../src/node/serving.ts';
import { openWorld } from '../../support/small-office.ts';

const BLOCKS = { kind: 'blocks-request', from: Height(1), count: 1 } as const;
const UNKNOWN = { kind: 'body-request', digest: Hash('ab'.repeat(32)) } as const;

/** A store with some blocks, and a loop whose turns the test takes. */
function shop() {
  const { chain } = openWorld().machine(0);
  const sent: { readonly seat: number; readonly served: Served }[] = [];
  const due: (() => void)[] = [];
  const time = { ms: 0 };
  const serving = new Serving({
    chain,
    clock: { now: () => Timestamp(0), monotonicMs: () => time.ms },
    timers: { soon: (callback) => void due.push(callback), after: () => () => undefined },
    send: (seat, served) => void sent.push({ seat, served }),
  });
  const turn = (): boolean => {
    const next = due.shift();
    next?.();
    return next !== undefined;
  };
  const turns = (): number => {
    let count = 0;
    while (turn()) count += 1;
    return count;
  };
  return { chain, serving, sent, time, turn, turns };
}

describe('blocks from the store', () => {
  it('are the bytes of a message that holds them', () => {
    const { chain, serving, sent, turns } = shop();
    serving.request(1, BLOCKS);
    const block = chain.block(1);
    serving.request(2, { kind: 'body-request', digest: Hash(block?.hash ?? '') });
    turns();
    const messages = sent.map(({ served }) => decode(messageLayout, served.frame));
    const whole = { header: block?.header, body: block?.body };
    expect(messages).toMatchObject([
      { ok: true, value: { kind: 'blocks', blocks: [whole], certificate: block?.certificate } },
      { ok: true, value: { kind: 'body', block: whole } },
    ]);
  });

  it('are sent one answer a turn, and to each seat in its turn', () => {
    const { serving, sent, turn } = shop();
    for (let asked = 0; asked < 3; asked += 1) serving.request(1, BLOCKS);
    serving.request(2, BLOCKS);
    expect(sent).toEqual([]);
    for (const count of [1, 2, 3, 4]) {
      turn();
      expect(sent).toHaveLength(count);
    }
    expect(sent.map(({ seat }) => seat)).toEqual([1, 2, 1, 1]);
  });

  it('are refused to who asks for more than may wait, while others are served', () => {
    const { serving, sent, turns } = shop();
    for (let asked = 0; asked < 2 * SERVED_REQUESTS_WAITING_MAX; asked += 1) serving.request(1, BLOCKS);
    serving.request(2, BLOCKS);
    turns();
    expect(sent.filter(({ seat }) => seat === 1)).toHaveLength(SERVED_REQUESTS_WAITING_MAX);
    expect(sent.filter(({ seat }) => seat === 2)).toHaveLength(1);
  });

  it('are looked for no more often than the rate allows, also those that nobody has', () => {
    const { serving, time, turns } = shop();
    const ask = (): number => {
      let looked = 0;
      for (let asked = 0; asked < 2 * SERVED_REQUESTS_BURST; asked += 1) {
        serving.request(1, UNKNOWN);
        looked += Math.max(0, turns() - 1);
      }
      return looked;
    };
    expect(ask()).toBe(SERVED_REQUESTS_BURST);
    expect(ask()).toBe(0);
    expect(serving.allows(1)).toBe(false);
    expect(serving.allows(2)).toBe(true);
    time.ms += 500;
    expect(ask()).toBe(SERVED_REQUESTS_PER_SECOND / 2);
  });

  it('are not sent any more once it has stopped', () => {
    const { serving, sent, turns } = shop();
    serving.request(1, BLOCKS);
    serving.stop();
    turns();
    expect(sent).toEqual([]);
  });
});
