import { hash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { installSha256 } from '../../src/model/hash.ts';
import { Crossings } from '../../src/simulator/peering/crossings.ts';
import { FLOOD_KINDS } from '../../src/simulator/peering/floods.ts';
import { LIES, type LieName } from '../../src/simulator/peering/lies.ts';
import { type PeeringReport, runPeeringSimulation } from '../../src/simulator/peering/report.ts';
import { drawPeeringScenario, type PeeringScenario, withoutAuthorities } from '../../src/simulator/peering/scenario.ts';
import { PeeringWorld } from '../../src/simulator/peering/world.ts';
import type { Chain } from '../../src/store/chain.ts';

const LONG = process.env['COUNTERFOIL_LONG'] === '1';
const SEEDS = LONG ? 600 : 10;
/** Hostile peers in one run: alone each lie is seen best, together they are quicker. */
const LIARS = LONG ? 1 : 6;

// The SHA-256 that a node uses, at eight times the speed.
beforeAll(() => installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer'))));

/** What a failing seed shows: the invariant, and the command that runs it again. */
function fault({ failure, replay }: PeeringReport): string | null {
  return failure === null ? null : `${replay}\n${failure.invariant}: ${failure.detail}`;
}

function inGroups<T>(all: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / LIARS);
  return Array.from({ length: count }, (_, group) => all.slice(group * LIARS, (group + 1) * LIARS));
}

const CALM = {
  ...{ hostile: [], tellsOfHostile: false, hostileStay: true, hasBootstrapNode: false, authorityGuestsMax: 64 },
  ...{ outages: [], divides: [], lossRate: 0, duplicateRate: 0, reorderRate: 0, spikeRate: 0, delayMs: 5 },
  ...{ silenceMsMax: 100, authorities: 4, followers: 2, pastBlocks: 0, informed: 0, snapshots: 0 },
  ...{ transactions: 0, faultsMs: 1_000, blockIntervalMs: 0, checkpointInterval: 25 },
} as const satisfies Partial<PeeringScenario>;

describe('followers among faults and hostile peers', () => {
  const reports: PeeringReport[] = [];

  test(`reach the head with ${SEEDS} seeds, hold no more than they may, and ban nobody who is honest`, {
    timeout: LONG ? 3_600_000 : 120_000,
  }, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const report = await runPeeringSimulation({ seed });
      reports.push(report);
      expect(fault(report)).toBeNull();
    }
  });

  test.each([[5_261, 'addresses at which nobody lives keep a node from the one that it was told first']] as const)(
    'seed %i: %s',
    async (seed) => {
      expect(fault(await runPeeringSimulation({ seed }))).toBeNull();
    },
  );

  test('and a lot happens meanwhile', () => {
    const sum = (count: (report: PeeringReport) => number): number => reports.reduce((all, one) => all + count(one), 0);
    // A harness in which nothing happens finds nothing.
    expect(sum(({ bans }) => bans)).toBeGreaterThan(0);
    expect(sum(({ hostile }) => hostile.length)).toBeGreaterThan(reports.length / 2);
    expect(sum(({ fullest }) => fullest['sync bodies'] ?? 0)).toBeGreaterThan(reports.length);
    expect(sum(({ height }) => height)).toBeGreaterThan(5 * reports.length);
  });
});

describe('followers that meet hostile peers before any authority reach the head when they find one:', () => {
  /** Cut off from the authorities, they have only the hostile ones to ask. */
  const SURROUNDED = {
    ...CALM,
    ...{ tellsOfHostile: true, pastBlocks: 40, transactions: 2, faultsMs: 6_000 },
    divides: [withoutAuthorities(CALM.authorities, 5_000)],
  } as const;
  for (const lies of inGroups<LieName>(LIES)) {
    test(lies.map((lie) => `one that ${lie}`).join(', '), async () => {
      const hostile = lies.map((lie) => ({ lies: [lie] }));
      expect(fault(await runPeeringSimulation({ seed: 7, scenario: { ...SURROUNDED, hostile } }))).toBeNull();
    });
  }

  for (const kinds of inGroups(FLOOD_KINDS)) {
    test(`one that floods with ${kinds.join(', one with ')}`, async () => {
      const hostile = kinds.map((floodKind) => ({ lies: ['floods with one kind of message'] as const, floodKind }));
      expect(fault(await runPeeringSimulation({ seed: 7, scenario: { ...SURROUNDED, hostile } }))).toBeNull();
    });
  }

  test.each([
    'claims a height that too few signed',
    'leaves headers out',
    'shows a certificate of too few',
    'sends bodies of other blocks',
    'sends bytes that inflate for ever',
    'sends bytes that are no messages',
  ] as const)('who is hostile for all to see is banned: one that %s', async (lie) => {
    const hostile = [{ lies: [lie] }];
    const report = await runPeeringSimulation({ seed: 7, scenario: { ...SURROUNDED, hostile } });
    expect(fault(report)).toBeNull();
    expect(report.bans).toBeGreaterThan(0);
  });
});

test.runIf(LONG)(
  'a hundred followers, some of them late and some that fail, reach the head among ten hostile peers',
  {
    timeout: 1_800_000,
  },
  async () => {
    const prng = createPrng(100);
    const followers = 100;
    const scenario = {
      ...CALM,
      ...{ followers, pastBlocks: 80, informed: 60, transactions: 20, faultsMs: 8_000, blockIntervalMs: 500 },
      ...{ lossRate: 0.02, reorderRate: 0.05, tellsOfHostile: true, healMsMax: 600_000 },
      hostile: Array.from({ length: 10 }, () => ({ lies: [prng.pick(LIES), prng.pick(LIES)] })),
      outages: Array.from({ length: 20 }, (_, index) => ({
        follower: prng.below(followers),
        at: 200 * index,
        restartMs: 2_000,
        isPowerFailure: index % 2 === 0,
      })),
    };
    const report = await runPeeringSimulation({ seed: 7, scenario });
    expect(fault(report)).toBeNull();
    process.stdout.write(`100 followers: ${JSON.stringify({ ...report, hostile: report.hostile.length })}\n`);
  },
);

describe('a chain that goes on while its state is taken over', () => {
  test.each(LONG ? [1, 2, 3, 4, 5, 6, 7, 8] : [1])(
    'is followed from there on (seed %i)',
    { timeout: 600_000 },
    async (seed) => {
      const trace: string[] = [];
      const scenario = {
        ...CALM,
        ...{ followers: 3, pastBlocks: 1_100, snapshots: 2, transactions: 20, faultsMs: 10_000, blockIntervalMs: 500 },
      };
      const report = await runPeeringSimulation({ seed, scenario, trace: (line) => trace.push(line) });
      expect(fault(report)).toBeNull();
      // Both who wanted a state had it, and blocks had been made meanwhile that came on top of it.
      const told = (text: string): readonly string[] => trace.filter((line) => line.includes(text));
      expect(told('the state is here')).toHaveLength(2);
      expect(told('catching up {"height":1100,').length).toBeGreaterThanOrEqual(1);
      expect(report.height).toBeGreaterThan(1_110);
    },
  );
});

test('a crowd at one place that holds all places and says nothing keeps nobody from the only authority', async () => {
  const hostile = Array.from({ length: 8 }, () => ({ lies: ['says nothing at all'] as const }));
  const crowd = { hostile, isHostileOneGroup: true, authorities: 1, authorityGuestsMax: 4, followers: 3 };
  for (const seed of [1, 2, 3]) {
    const scenario = { ...CALM, ...crowd, transactions: 2, healMsMax: 30_000 };
    expect(fault(await runPeeringSimulation({ seed, scenario }))).toBeNull();
  }
});

test.runIf(LONG)('a state that hostile peers serve wrongly is fetched all the same', { timeout: 600_000 }, async () => {
  const lies = [
    'changes parts of a snapshot',
    'leaves records of a snapshot out',
    'offers a snapshot that is none',
    'offers the state of its newest block and serves none',
    'answers that it is busy',
    'changes the blocks before a snapshot',
    'answers nothing',
    'sends chunks as large as they may be',
  ] as const;
  for (const lie of lies) {
    const hostile = [{ lies: [lie] }, { lies: [lie] }];
    const scenario = { ...CALM, tellsOfHostile: true, pastBlocks: 1_100, snapshots: 1, hostile };
    expect(fault(await runPeeringSimulation({ seed: 7, scenario }))).toBeNull();
  }
});

const BLOCKS_WATCHED = LONG ? 60 : 12;

describe('news', () => {
  /** A network in which everybody has found somebody. */
  function connected(followers: number, changes: Partial<PeeringScenario> = {}): PeeringWorld {
    const scenario = { ...drawPeeringScenario({ seed: 1 }), ...CALM, followers, ...changes };
    const world = new PeeringWorld(scenario, null);
    for (const station of world.stations) station.start();
    world.time.run(120_000, () => world.followers.every(({ transport }) => (transport?.peers().length ?? 0) >= 8));
    return world;
  }

  test.each(LONG ? [12, 100] : [12])(
    'of a transaction given to any of %i followers crosses at most √n + 1 links for each node, and reaches all',
    { timeout: 600_000 },
    (followers) => {
      const world = connected(followers);
      const n = world.keepers.length;
      for (let round = 0; round < 8; round += 1) {
        const crossings = new Crossings();
        world.internet.onSent = (end, frame) => crossings.sent(end, frame);
        const station = defined(world.followers[(round * 7) % followers], 'a follower');
        world.order(station);
        const id = defined(world.ordered.at(-1), 'an order');
        // Whoever has not heard of the block by then tells of the transaction once more.
        world.time.run(world.time.now + 1_000);
        world.internet.onSent = () => undefined;
        world.time.run(world.time.now + 20_000, () =>
          world.keepers.every(({ chain }) => chain?.place(id) !== undefined),
        );
        expect(world.keepers.filter(({ chain }) => chain?.place(id) === undefined)).toEqual([]);
        expect(crossings.all(id) / n).toBeLessThanOrEqual(Math.sqrt(n) + 1);
        expect(crossings.most(id)).toBeLessThanOrEqual(Math.sqrt(n) + 1);
      }
    },
  );

  test.each(LONG ? [24, 100] : [24])(
    'of a block reaches each of %i followers and four authorities within a second of the first',
    { timeout: 900_000 },
    (followers) => {
      const world = connected(followers);
      const lateMs: number[] = [];
      for (let round = 0; round < BLOCKS_WATCHED; round += 1) {
        world.order(defined(world.followers[(round * 7) % followers], 'a follower'));
        const next = world.watch.height + 1;
        const has = ({ chain }: { chain: Chain | undefined }): boolean => (chain?.head.height ?? 0) >= next;
        world.time.run(world.time.now + 20_000, () => world.keepers.some(has));
        const firstMs = world.time.now;
        world.time.run(firstMs + 20_000, () => world.keepers.every(has));
        lateMs.push(world.time.now - firstMs);
        // Nothing that came before helps: no comparison is due just now because of it.
        world.time.run(world.time.now + world.prng.next() * 2_000);
      }
      lateMs.sort((a, b) => a - b);
      expect(lateMs.at(-1), `${lateMs.map(Math.round).join(' ')} ms`).toBeLessThan(1_000);
    },
  );

  test('reach more followers than the one that all are told of has room for', { timeout: 120_000 }, () => {
    const world = connected(14, { authorityGuestsMax: 4, authorities: 1 });
    expect(world.followers.map(({ transport }) => transport?.peers().length ?? 0).filter((count) => count < 2)).toEqual(
      [],
    );
    world.order(defined(world.followers[13], 'the last follower'));
    const id = defined(world.ordered.at(-1), 'an order');
    world.time.run(world.time.now + 20_000, () => world.keepers.every(({ chain }) => chain?.place(id) !== undefined));
    expect(world.keepers.filter(({ chain }) => chain?.place(id) === undefined)).toEqual([]);
  });
});

describe('a run', () => {
  test('is the same when it is run again', async () => {
    const lines = async (): Promise<string[]> => {
      const trace: string[] = [];
      await runPeeringSimulation({ seed: 19, trace: (line) => trace.push(line) });
      return trace;
    };
    expect(await lines()).toEqual(await lines());
  });

  test('says how to run it again', async () => {
    const { replay } = await runPeeringSimulation({ seed: 11, n: 4 });
    expect(replay).toBe('npm run -s cf -- simulate --peering --seed 11 --nodes 4 --trace');
  });
});
