import { EventId, TierId } from '../model/ids.ts';
import type { PrefixedName } from '../provenance/vocabulary.ts';
import { drawHash } from './draw.ts';
import type { PlannedVersion } from './intent.ts';

/** One act of the exercise. */
export interface Scene {
  readonly name: string;
  /** By its number; 0, 2, 4, 5, 8 and 9 are like the tickets of the sample with these numbers, and worse. */
  readonly ticket: number;
  readonly kind: PrefixedName;
  /** An organisation, or `device/NAME`. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly versions: readonly Omit<PlannedVersion, 'ticket'>[];
  readonly gate?: string;
  readonly key?: string;
  readonly price?: number;
  readonly reason?: string;
  readonly outcome?: string;
  /** When the ledger hears of a claim. */
  readonly submitted?: number;
  /** Names of other acts. */
  readonly informedBy?: readonly string[];
}

const at = (hours: number, minutes: number, seconds = 0): number => Date.UTC(2026, 5, 18, hours, minutes, seconds);

export const EXERCISE_TIER = {
  event: EventId('harbour-cup-exercise'),
  tier: TierId('cat2'),
  price: 9_500,
  capacity: 10,
  capPercent: 110,
};

export const SCRIPTED: readonly number[] = [0, 2, 4, 5, 8, 9, 10];

/** Scanners, and for how long they may admit without asking. */
export const DEVICES = [
  { name: 'c1', gate: 'gate-c', from: at(16, 0), until: at(20, 30) },
  { name: 'c2', gate: 'gate-c', from: at(16, 0), until: at(20, 30) },
  { name: 'a1', gate: 'gate-a', from: at(16, 0), until: at(18, 0) },
] as const;

export const EXERCISE_AUTHORITIES: readonly string[] = ['federation', 'venue', 'boxoffice', 'city'];

const hash = (height: number): string => drawHash('exercise block', height);

/** The second does not follow the first, and the third was made final by two. */
export const EXERCISE_BLOCKS = [
  { height: 7_001, hash: hash(1), previous: null, proposer: 'venue', signers: ['federation', 'venue', 'city'] },
  {
    height: 7_002,
    hash: hash(2),
    previous: hash(99),
    proposer: 'venue',
    signers: ['federation', 'venue', 'boxoffice'],
  },
  { height: 7_003, hash: hash(3), previous: hash(2), proposer: 'city', signers: ['venue', 'city'] },
] as const satisfies readonly {
  readonly height: number;
  readonly hash: string;
  readonly previous: string | null;
  readonly proposer: string;
  readonly signers: readonly string[];
}[];

const ISSUED = { version: 1, state: 'ISSUED', standing: 'GOOD' } as const;
const VALIDATED = { version: 2, state: 'VALIDATED', standing: 'GOOD' } as const;

const sold = SCRIPTED.map((ticket): Scene => {
  const name = `${ticket}/sale`;
  return { name, ticket, kind: 'cf:Issuance', by: 'boxoffice', at: at(9, 0, ticket), versions: [ISSUED] };
});

const activated = SCRIPTED.filter((ticket) => ticket !== 10).map((ticket): Scene => {
  const name = `${ticket}/activation`;
  return { name, ticket, kind: 'cf:Validation', by: 'boxoffice', at: at(10, 0, ticket), versions: [VALIDATED] };
});

function claim(name: string, ticket: number, device: string, times: readonly [happened: number, heard: number]): Scene {
  const [happened, submitted] = times;
  const key = `${device}/${name}`;
  const by = `device/${device}`;
  return { name, ticket, kind: 'cf:OfflineClaim', by, at: happened, submitted, gate: 'gate-c', key, versions: [] };
}

function settled(ticket: number, standing: 'GOOD' | 'REVOKED', version: number, informedBy: readonly string[]): Scene {
  const versions = [{ version, state: 'CONSUMED', standing }] as const;
  const name = `${ticket}/settlement`;
  return { name, ticket, kind: 'cf:Consumption', by: 'venue', at: at(19, 15, ticket), informedBy, versions };
}

/** In the order of their time, which is also that of each ticket's versions. */
export const EXERCISE_ACTS: readonly Scene[] = [
  ...sold,
  ...activated,
  {
    name: '4/revocation',
    ticket: 4,
    kind: 'cf:Revocation',
    by: 'boxoffice',
    at: at(12, 0),
    reason: 'CHARGEBACK',
    versions: [{ version: 3, state: 'VALIDATED', standing: 'REVOKED' }],
  },
  {
    name: '5/transfer',
    ticket: 5,
    kind: 'cf:Transfer',
    by: 'resale',
    at: at(13, 0),
    price: 15_200,
    versions: [{ version: 3, state: 'VALIDATED', standing: 'GOOD' }],
  },
  {
    name: '2/dispute',
    ticket: 2,
    kind: 'cf:DisputeOpening',
    by: 'city',
    at: at(16, 0),
    reason: 'STOLEN',
    versions: [{ version: 3, state: 'DISPUTED', standing: 'GOOD' }],
  },
  claim('4/in', 4, 'c1', [at(18, 20), at(18, 30, 20)]),
  claim('8/in', 8, 'c2', [at(18, 22), at(18, 30, 25)]),
  claim('0/in', 0, 'c1', [at(18, 25, 37), at(18, 30, 18)]),
  claim('0/in-again', 0, 'c2', [at(18, 27, 39), at(18, 30, 28)]),
  {
    name: '9/in',
    ticket: 9,
    kind: 'cf:Consumption',
    by: 'device/a1',
    at: at(18, 40),
    gate: 'gate-a',
    versions: [{ version: 3, state: 'CONSUMED', standing: 'GOOD' }],
  },
  {
    name: '10/in',
    ticket: 10,
    kind: 'cf:Consumption',
    by: 'venue',
    at: at(18, 45),
    gate: 'gate-b',
    versions: [{ version: 2, state: 'CONSUMED', standing: 'GOOD' }],
  },
  {
    name: '0/settlement',
    ticket: 0,
    kind: 'cf:DisputeOpening',
    by: 'venue',
    at: at(19, 15),
    reason: 'DOUBLE_ADMISSION',
    informedBy: ['0/in', '0/in-again'],
    versions: [{ version: 3, state: 'DISPUTED', standing: 'GOOD' }],
  },
  settled(4, 'REVOKED', 4, ['4/in']),
  settled(8, 'GOOD', 3, ['8/in']),
  {
    name: '2/decision',
    ticket: 2,
    kind: 'cf:DisputeResolution',
    by: 'city',
    at: at(22, 0),
    outcome: 'Upheld',
    versions: [{ version: 4, state: 'DISPUTED', standing: 'GOOD' }],
  },
];
