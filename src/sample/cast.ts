import type { GenesisDocument } from '../ledger/genesis.ts';
import { OrganisationId, Timestamp } from '../model/ids.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, WINDOW_MAX } from '../model/limits.ts';
import type { SampleGrant } from './catalogue.ts';
import type { SignerOf } from './record.ts';

/** When the recorded chain begins. */
export const RECORDED_GENESIS = Timestamp(Date.UTC(2026, 5, 12));
export const RECORDED_MARKET = 'resale';

/** Whoever takes part in the recorded chain, the organiser first, and what they may do. */
export const RECORDED_CAST: readonly SampleGrant[] = [
  { organisation: 'federation', roles: ['organiser'] },
  { organisation: 'venue', roles: ['venue', 'gate'] },
  { organisation: 'boxoffice', roles: ['issuer'] },
  { organisation: 'city', roles: ['venue', 'arbiter'] },
  { organisation: RECORDED_MARKET, roles: ['marketplace'] },
];

const TITLES: Readonly<Record<string, string>> = {
  federation: 'Harbour Cup Federation',
  venue: 'Harbour Arena',
  boxoffice: 'Harbour Box Office',
  city: 'City of Harbour',
  resale: 'Second Row Resale',
};

/** What the recorded chain begins with. Four of the cast are authorities; a marketplace is none. */
export function recordedGenesis(signerOf: SignerOf): GenesisDocument {
  return {
    networkId: 'counterfoil-sample',
    created: RECORDED_GENESIS,
    iriBase: 'http://localhost/id/',
    parameters: {
      blockTransactionsMax: BLOCK_TRANSACTIONS_MAX,
      blockBytesMax: BLOCK_BYTES_MAX,
      checkpointInterval: 100,
      rotationInterval: 0,
      blockIntervalMs: 10_000,
      transactionLifeMsMax: 600_000,
      windowMax: WINDOW_MAX,
    },
    authorities: RECORDED_CAST.slice(0, 4).map(({ organisation }) => ({
      id: organisation,
      publicKey: signerOf(`${organisation}/authority`).publicKey,
      organisation,
    })),
    organisations: RECORDED_CAST.map(({ organisation, roles }) => ({
      id: OrganisationId(organisation),
      title: TITLES[organisation] ?? organisation,
      roles,
      keys: [signerOf(`${organisation}/operator`).publicKey],
      namespace: `http://localhost/${organisation}/`,
    })),
  };
}
