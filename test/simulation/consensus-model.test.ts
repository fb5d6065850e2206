import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/lib/prng.ts';
import {
  type Bounds,
  conflict,
  initialState,
  keyOf,
  REAL_RULES,
  type Rules,
  type State,
  successors,
} from './consensus-model.ts';

/** Visits every state, or the first `statesMax` of them in order of distance. */
function explore(
  rules: Rules,
  bounds: Bounds,
  statesMax: number,
): { states: number; exhausted: boolean; found: string | null } {
  const seen = new Set<string>();
  let frontier: State[] = [initialState()];
  while (frontier.length > 0) {
    const next: State[] = [];
    for (const state of frontier) {
      for (const successor of successors(state, rules, bounds)) {
        const key = keyOf(successor);
        if (seen.has(key)) continue;
        const found = conflict(successor, rules);
        if (found !== null) return { states: seen.size, exhausted: false, found };
        if (seen.size >= statesMax) return { states: seen.size, exhausted: false, found: null };
        seen.add(key);
        next.push(successor);
      }
    }
    frontier = next;
  }
  return { states: seen.size, exhausted: true, found: null };
}

/** Random walks from the start; the number of walks until a conflict, or null. */
function wander(rules: Rules, bounds: Bounds, walks: number): number | null {
  const prng = createPrng(2_026);
  for (let walk = 1; walk <= walks; walk += 1) {
    let state = initialState();
    for (let step = 0; step < 60; step += 1) {
      const choices = [...successors(state, rules, bounds)];
      if (choices.length === 0) break;
      state = prng.pick(choices);
      if (conflict(state, rules) !== null) return walk;
    }
  }
  return null;
}

const SMALL: Bounds = { heightMax: 2, viewMax: 2 };

const LONG = process.env['COUNTERFOIL_LONG'] === '1';

describe('the rules of docs/protocol.md, section 13,', () => {
  test('keep agreement in every state of two views and one height', () => {
    expect(explore(REAL_RULES, { heightMax: 1, viewMax: 1 }, 100_000)).toMatchObject({ exhausted: true, found: null });
  });

  test.runIf(LONG).each([
    { heightMax: 1, viewMax: 2 },
    { heightMax: 2, viewMax: 1 },
  ])(
    'keep agreement in the first two million states of %o',
    (bounds) => {
      expect(explore(REAL_RULES, bounds, 2_000_000).found).toBeNull();
    },
    300_000,
  );

  test('keep agreement on random walks through three views and two heights', () => {
    expect(wander(REAL_RULES, SMALL, LONG ? 200_000 : 3_000)).toBeNull();
  }, 600_000);
});

describe('agreement breaks within so many random walks when', () => {
  const mistakes: readonly [name: string, change: Partial<Rules>, walksMax: number][] = [
    ['M1: a vote may be below the anchor', { respectsAnchor: false }, 2_000],
    ['M2: a COMMIT is decided after a VIEW-CHANGE', { stopsAfterViewChange: false }, 200],
    ['M3: height counts before view', { viewBeforeHeight: false }, 40_000],
    ['M4: a PREPARE certificate is final', { needsCommits: false }, 200],
  ];
  test.each(mistakes)('%s', (_name, change, walksMax) => {
    expect(wander({ ...REAL_RULES, ...change }, SMALL, walksMax)).not.toBeNull();
  });
});
