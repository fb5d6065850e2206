import { chainIdOf, type Genesis, type GenesisDocument } from '../../ledger/genesis.ts';
import { writeGenesis } from '../../ledger/genesis-document.ts';
import { OrganisationId, Timestamp } from '../../model/ids.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX } from '../../model/limits.ts';
import type { Role } from '../../model/operation.ts';
import type { FullKeys } from './keys.ts';
import type { FullScenario } from './scenario.ts';

/** The time at which every simulation begins. */
export const BEGINNING = Timestamp(Date.UTC(2026, 5, 12));
/** What a client's transaction may live: longer than any run, so that what was promised is owed. */
export const LIFE_MS = 600_000;

/** Who takes part, and what each may be trusted with. */
const ORGANISATIONS: Readonly<Record<'federation' | 'boxoffice' | 'stadium' | 'city', readonly Role[]>> = {
  federation: ['organiser'],
  boxoffice: ['issuer'],
  stadium: ['venue', 'gate'],
  city: ['gate'],
};

/** What of a scenario genesis says. */
export type NetworkShape = Pick<
  FullScenario,
  'n' | 'window' | 'checkpointInterval' | 'rotationInterval' | 'blockIntervalMs'
>;

export function authorityName(seat: number): string {
  return `node-${seat}`;
}

/** What the nodes of a run agree on. */
export function foundNetwork(scenario: NetworkShape, keys: FullKeys): Genesis {
  const document = describeNetwork(scenario, keys);
  return { ...document, chainId: chainIdOf(writeGenesis(document)) };
}

/** The same, before anything is hashed. */
export function describeNetwork(scenario: NetworkShape, keys: FullKeys): GenesisDocument {
  const { n, window, checkpointInterval, rotationInterval, blockIntervalMs } = scenario;
  return {
    networkId: 'counterfoil-simulated',
    created: BEGINNING,
    iriBase: 'http://localhost/id/',
    parameters: {
      // Few to a block, so that a handful of transactions is a chain.
      blockTransactionsMax: Math.min(4, BLOCK_TRANSACTIONS_MAX),
      blockBytesMax: BLOCK_BYTES_MAX,
      checkpointInterval,
      rotationInterval,
      blockIntervalMs,
      transactionLifeMsMax: LIFE_MS,
      windowMax: window,
    },
    authorities: Array.from({ length: n }, (_, seat) => ({
      id: authorityName(seat),
      publicKey: keys.signerOf(authorityName(seat)).publicKey,
      organisation: 'federation',
    })),
    organisations: Object.entries(ORGANISATIONS).map(([name, roles]) => ({
      id: OrganisationId(name),
      title: name,
      roles,
      keys: [keys.signerOf(name).publicKey],
      namespace: null,
    })),
  };
}
