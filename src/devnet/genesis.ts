import type { GenesisDocument, GenesisOrganisation } from '../ledger/genesis.ts';
import type { Parameters } from '../model/authorities.ts';
import { OrganisationId, type Timestamp } from '../model/ids.ts';
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, WINDOW_MAX } from '../model/limits.ts';
import type { Role } from '../model/operation.ts';
import { devnetKeyPair } from './keys.ts';
import { DEVNET_NETWORK_ID, DEVNET_ORGANISATIONS, type DevnetPlan } from './plan.ts';

/** Names of a node's three keys, from which everybody can derive them. */
export function devnetKeys(node: string): Readonly<Record<'authority' | 'node' | 'operator', string>> {
  return { authority: `${node}/authority`, node: `${node}/node`, operator: `${node}/operator` };
}

/** Small enough that a laptop shows heartbeats, checkpoints and rotation within minutes. */
const PARAMETERS: Parameters = {
  blockTransactionsMax: BLOCK_TRANSACTIONS_MAX,
  blockBytesMax: BLOCK_BYTES_MAX,
  checkpointInterval: 100,
  rotationInterval: 0,
  blockIntervalMs: 10_000,
  transactionLifeMsMax: 600_000,
  windowMax: WINDOW_MAX,
};

/** What the nodes of a devnet agree on. The keys in it are public: see `devnetKeyPair`. */
export function devnetGenesis(plan: DevnetPlan, created: Timestamp): GenesisDocument {
  const others = plan.nodes.map(({ name }) => name).filter((name) => !isFounder(name));
  return {
    networkId: DEVNET_NETWORK_ID,
    created,
    iriBase: 'http://localhost/id/',
    parameters: PARAMETERS,
    authorities: plan.nodes.map(({ name }) => ({
      id: name,
      publicKey: devnetKeyPair(devnetKeys(name).authority).publicKey,
      organisation: name,
    })),
    organisations: [...DEVNET_ORGANISATIONS, ...others].map(devnetOrganisation),
  };
}

function isFounder(name: string): boolean {
  return DEVNET_ORGANISATIONS.some((founder) => founder === name);
}

const EVERYWHERE: readonly Role[] = ['issuer', 'venue', 'gate'];
const BESIDES: Readonly<Record<string, readonly Role[]>> = {
  federation: ['organiser'],
  boxoffice: ['marketplace'],
  city: ['arbiter'],
};

/** What an organisation may do at the sample event: any node can issue, activate, admit and contest. */
export function devnetRoles(organisation: string): readonly Role[] {
  return [...(BESIDES[organisation] ?? []), ...EVERYWHERE];
}

function devnetOrganisation(name: string): GenesisOrganisation {
  return {
    id: OrganisationId(name),
    title: `${name.slice(0, 1).toUpperCase()}${name.slice(1)} (devnet)`,
    roles: devnetRoles(name),
    keys: [devnetKeyPair(devnetKeys(name).operator).publicKey],
    namespace: `http://localhost/${name}/`,
  };
}

/** Whether every authority's key is one that anybody can derive: only then may a node sign for whoever asks. */
export function isDevnetGenesis(genesis: Pick<GenesisDocument, 'authorities'>): boolean {
  return genesis.authorities.every(
    ({ id, publicKey }) => devnetKeyPair(devnetKeys(id).authority).publicKey === publicKey,
  );
}
