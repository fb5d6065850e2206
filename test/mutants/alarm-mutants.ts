import { CALM, type Case } from './case.ts';

/** One of four goes wrong without noticing it: the others are sound. */
const DIVERGED = { ...CALM, corrupt: [2], checkpointInterval: 2, transactions: 40, faultsMs: 3_000 };

/** Mistakes in when a replica loses patience, and when it believes that it went wrong itself. */
export const ALARM_CASES: readonly Case[] = [
  {
    shows: ({ view }) => view > 0,
    mutant: {
      name: 'has no more patience with a slow machine than with a fast one',
      changes: [{ file: 'consensus/timing.ts', find: 'PACE_MARGIN * windowMs', replace: '0 * windowMs' }],
    },
    options: { n: 4, window: 1, scenario: { ...CALM, executionMs: 300, transactions: 40 } },
  },
  {
    shows: ({ view }) => view > 0,
    mutant: {
      name: 'counts the patience of a machine from before it knew how slow it is',
      changes: [
        {
          file: 'consensus/suspicion.ts',
          find: '    replica.progressWaitedMs = wholeMs;',
          replace: '    replica.progressWaitedMs = Number.POSITIVE_INFINITY;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: { ...CALM, executionMs: 300, transactions: 40 } },
  },
  {
    shows: ({ halts }) => halts.length === 0,
    mutant: {
      name: 'goes on although all others contradict what it executes',
      changes: [
        {
          file: 'consensus/checkpoint.ts',
          find: 'const enough = replica.peers.length - replica.quorum + 1;',
          replace: 'const enough = replica.peers.length;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: DIVERGED },
  },
  {
    breaks: /^no honest node halts$/,
    mutant: {
      name: 'believes a single contradiction of what it executes',
      changes: [
        {
          file: 'consensus/checkpoint.ts',
          find: 'const enough = replica.peers.length - replica.quorum + 1;',
          replace: 'const enough = 1;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: DIVERGED },
  },
  {
    breaks: /^no honest node halts$/,
    mutant: {
      name: 'compares statements about different heights',
      changes: [{ file: 'consensus/checkpoint.ts', find: ' && other.height === own.height &&', replace: ' &&' }],
    },
    options: { n: 4, window: 1, scenario: { ...CALM, checkpointInterval: 2, transactions: 40 } },
  },
];
