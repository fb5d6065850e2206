import type { PeeringReport } from '../../src/simulator/peering/report.ts';
import { type PeeringScenario, withoutAuthorities } from '../../src/simulator/peering/scenario.ts';
import type { Mutant } from './mutate.ts';

/** A mistake in what peers do, the run that must show it, and how it shows. */
export interface PeeringCase {
  readonly mutant: Mutant;
  readonly scenario: Partial<PeeringScenario>;
  /** The invariant that breaks, or what else a sound network would not show. */
  readonly breaks: RegExp | ((report: PeeringReport) => boolean);
}

const CALM = {
  ...{ hostile: [], tellsOfHostile: true, hostileStay: true, hasBootstrapNode: false, authorityGuestsMax: 64 },
  ...{ outages: [], divides: [], lossRate: 0, duplicateRate: 0, reorderRate: 0, spikeRate: 0, delayMs: 5 },
  ...{ silenceMsMax: 100, authorities: 4, followers: 1, pastBlocks: 40, informed: 0, snapshots: 0 },
  ...{ transactions: 0, faultsMs: 3_000, healMsMax: 20_000, blockIntervalMs: 0, checkpointInterval: 25 },
} as const satisfies Partial<PeeringScenario>;

/** The follower has nobody to ask but hostile peers, and then everybody. */
function surroundedBy(
  ...lies: readonly PeeringScenario['hostile'][number]['lies'][number][]
): Partial<PeeringScenario> {
  const divides = [withoutAuthorities(CALM.authorities, 2_500)];
  return { ...CALM, divides, hostile: lies.map((lie) => ({ lies: [lie] })) };
}

const FLOOD: PeeringScenario['hostile'][number] = { lies: ['floods with one kind of message'] };

export const PEERING_CASES: readonly PeeringCase[] = [
  {
    mutant: {
      name: 'takes headers under a certificate of too few',
      changes: [
        {
          file: 'peering/sync.ts',
          find: '  if (verified.ok) return undefined;',
          replace: "  if (verified.ok || verified.error.code !== 'BAD_FORM') return undefined;",
        },
      ],
    },
    scenario: surroundedBy('shows a certificate of too few'),
    breaks: /^everybody reaches the head$/,
  },
  {
    mutant: {
      name: 'does not look at hash links',
      changes: [{ file: 'model/verified.ts', find: 'next.previous !== blockHash(last) || ', replace: '' }],
    },
    scenario: surroundedBy('makes another history that ends in the true one'),
    breaks: /halt|head/,
  },
  {
    mutant: {
      name: 'takes headers of other heights than it asked for',
      changes: [{ file: 'peering/sync.ts', find: 'first.height !== segment.from || ', replace: '' }],
    },
    scenario: surroundedBy('sends headers from another height on'),
    breaks: /halt|head/,
  },
  {
    mutant: {
      name: 'takes any body for any header',
      changes: [
        { file: 'peering/sync.ts', find: ' || !isBodyOf(header, body)', replace: ' || isBodyOf === undefined' },
      ],
    },
    scenario: surroundedBy('sends bodies of other blocks'),
    breaks: /halt|head/,
  },
  {
    mutant: {
      name: 'lets a peer that lies be',
      changes: [
        {
          file: 'peering/reputation.ts',
          find: 'if (after < BAN_POINTS || ',
          replace: 'if (after < Number.POSITIVE_INFINITY || ',
        },
      ],
    },
    scenario: surroundedBy('sends bodies of other blocks'),
    breaks: ({ bans }) => bans === 0,
  },
  {
    mutant: {
      name: 'bans whoever is slow',
      changes: [
        {
          file: 'peering/reputation.ts',
          find: 'STALLED: { points: BAN_POINTS / 20, ...CIRCUMSTANTIAL }',
          replace: 'STALLED: { points: BAN_POINTS + Number(CIRCUMSTANTIAL === undefined), ...PROVEN }',
        },
      ],
    },
    scenario: { ...CALM, followers: 3, lossRate: 0.3, faultsMs: 15_000 },
    breaks: /^an honest peer is never banned$/,
  },
  {
    mutant: {
      name: 'has no bound on what a peer may say',
      changes: [
        {
          file: 'peering/traffic.ts',
          find: 'return bucket.take(weight, now);',
          replace: 'return bucket.take(0 * weight, now);',
        },
      ],
    },
    scenario: { ...CALM, hostile: [FLOOD, FLOOD], pastBlocks: 0, faultsMs: 1_500, hostileStay: false },
    breaks: ({ bans }) => bans === 0,
  },
  {
    mutant: {
      name: 'remembers peers that are gone',
      changes: [{ file: 'peering/sync.ts', find: '  sync.peers.delete(peer);\n', replace: '' }],
    },
    scenario: { ...surroundedBy('sends bytes that are no messages'), divides: [] },
    breaks: /^what is held is bounded$/,
  },
  {
    mutant: {
      name: 'gives a configured address up',
      changes: [
        {
          file: 'peering/discovery-plan.ts',
          find: '  first.failures += 1;',
          replace: '  first.failures += 1_000;\n  bootstrap.delete(address);',
        },
      ],
    },
    scenario: { ...CALM, divides: [withoutAuthorities(CALM.authorities, 2_500)] },
    breaks: /^everybody reaches the head$/,
  },
  {
    mutant: {
      name: 'has no room for those who come to ask',
      changes: [
        {
          file: 'peering/discovery.ts',
          find: 'const full = makeRoom(discovery, moment);',
          replace: 'const full = [makeRoom(discovery, moment)][1];',
        },
      ],
    },
    scenario: { ...CALM, authorities: 1, followers: 7, pastBlocks: 0, authorityGuestsMax: 4, healMsMax: 90_000 },
    breaks: /^everybody reaches the head$/,
  },
  {
    mutant: {
      name: 'lets a crowd at one place keep all places',
      changes: [
        { file: 'peering/guests.ts', find: 'if (most <= own + 1) ', replace: 'if (most <= own + 1 || most > 0) ' },
        { file: 'peering/discovery.ts', find: 'listed === 0 && now - since', replace: 'listed < 0 && now - since' },
      ],
    },
    scenario: {
      ...{ ...CALM, authorities: 1, followers: 3, pastBlocks: 0, authorityGuestsMax: 4 },
      ...{ isHostileOneGroup: true, tellsOfHostile: false, transactions: 2 },
      hostile: Array.from({ length: 8 }, () => ({ lies: ['says nothing at all'] })),
    },
    breaks: /^everybody reaches the head$/,
  },
];
