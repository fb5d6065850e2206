import type { GenesisDocument, GenesisOrganisation } from '../ledger/genesis.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Parameters } from '../model/authorities.ts';
import { OrganisationId, type Timestamp } from '../model/ids.ts';
import { AUTHORITIES_MAX, BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, WINDOW_MAX } from '../model/limits.ts';
import type { Role } from '../model/transaction.ts';
import type { RawValue } from '../node/config-values.ts';
import { devnetKeyPair } from './keys.ts';

/** The organisations of every devnet, and the nodes of the first four of them. */
export const DEVNET_ORGANISATIONS = ['federation', 'venue', 'boxoffice', 'city'] as const;
/** Ports of one devnet, from its base port: the gateway, HTTP of 31 nodes, and 100 above them the same for peers. */
const PEER_PORT_OFFSET = 100;
const LOOPBACK = '127.0.0.1';

export interface PlannedNode {
  /** As in genesis; also the name of its organisation and of its home. */
  readonly name: string;
  readonly httpPort: number;
  readonly peerPort: number;
}

/** What a devnet consists of. */
export interface DevnetPlan {
  /** Where the devnet itself listens. */
  readonly basePort: number;
  readonly nodes: readonly PlannedNode[];
}

/** Lays out `nodes` authorities from `basePort` on; or says in a sentence why that cannot be. */
export function planDevnet(nodes: number, basePort: number): Result<DevnetPlan, string> {
  if (nodes < 1 || nodes > AUTHORITIES_MAX) return err(`--nodes is 1 to ${AUTHORITIES_MAX}, not ${nodes}.`);
  const highest = basePort + PEER_PORT_OFFSET + nodes;
  if (basePort < 1 || highest > 65_535) {
    return err(`--base-port ${basePort} leaves no room: ports up to ${highest} are needed, and 1 to 65535 exist.`);
  }
  return ok({
    basePort,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: nodeName(index),
      httpPort: basePort + 1 + index,
      peerPort: basePort + PEER_PORT_OFFSET + 1 + index,
    })),
  });
}

function nodeName(index: number): string {
  return DEVNET_ORGANISATIONS[index] ?? `node-${index + 1}`;
}

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
    networkId: 'counterfoil-devnet',
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
const BESIDES: Readonly<Record<string, readonly Role[]>> = { federation: ['organiser'], city: ['arbiter'] };

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
  };
}

/** Whether every authority's key is one that anybody can derive: only then may a node sign for whoever asks. */
export function isDevnetGenesis(genesis: Pick<GenesisDocument, 'authorities'>): boolean {
  return genesis.authorities.every(
    ({ id, publicKey }) => devnetKeyPair(devnetKeys(id).authority).publicKey === publicKey,
  );
}

/** What config.toml of one node says besides the defaults. */
export function devnetConfig(plan: DevnetPlan, node: PlannedNode): ReadonlyMap<string, RawValue> {
  const peers = plan.nodes.filter((peer) => peer !== node);
  return new Map<string, RawValue>([
    ['node.devnet', true],
    ['network.network_id', 'counterfoil-devnet'],
    ['network.listen_port', node.peerPort],
    ['network.bootstrap_peers', peers.map(({ name, peerPort }) => `${name}@${LOOPBACK}:${peerPort}`)],
    ['api.port', node.httpPort],
  ]);
}

export function httpUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

export function peerAddress(port: number): string {
  return `${LOOPBACK}:${port}`;
}
