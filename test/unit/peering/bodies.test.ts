import { beforeAll, describe, expect, it } from 'vitest';
import { bodyLayout } from '../../../src/model/block.ts';
import { encode } from '../../../src/model/codec.ts';
import { joinBodies, splitBodies } from '../../../src/peering/bodies.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

let joined: Uint8Array;
let ids: readonly (readonly string[])[];

beforeAll(async () => {
  const generator = await ChainGenerator.open(memoryStore(), { seed: 3, transactions: 2 });
  await generator.grow(3);
  const bodies = [1, 2, 3].map((height) => generator.chain.block(height)?.body ?? []);
  joined = joinBodies(bodies.map((body) => encode(bodyLayout, body)));
  ids = bodies.map((body) => body.map(({ id }) => id));
});

describe('bodies on their way', () => {
  it('come out as they went in', () => {
    expect(splitBodies(joined, 3)?.map((body) => body.map(({ id }) => id))).toEqual(ids);
    expect(splitBodies(joinBodies([]), 0)).toEqual([]);
  });

  it('are as many as is said', () => {
    expect(splitBodies(joined, 2)).toBeNull();
    expect(splitBodies(joined, 4)).toBeNull();
  });

  it('are nothing when any byte is missing, or one too many', () => {
    for (let length = 0; length < joined.length; length += 7)
      expect(splitBodies(joined.subarray(0, length), 3)).toBeNull();
    expect(splitBodies(Uint8Array.from([...joined, 0]), 3)).toBeNull();
  });

  it('never reach behind the end, whatever length they claim', () => {
    expect(splitBodies(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1), 1)).toBeNull();
    expect(splitBodies(Uint8Array.of(0, 0, 0), 1)).toBeNull();
  });
});
