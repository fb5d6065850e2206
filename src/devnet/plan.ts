import { err, ok, type Result } from '../lib/result.ts';
import { AUTHORITIES_MAX } from '../model/limits.ts';
import type { RawValue } from '../node/config/values.ts';

export const DEVNET_NETWORK_ID = 'counterfoil-devnet';
/** The organisations of every devnet, and the nodes of the first four of them. */
export const DEVNET_ORGANISATIONS = ['federation', 'venue', 'boxoffice', 'city'] as const;
/** Ports of one devnet, from its base port: the gateway, HTTP of 99 nodes, and 100 above them the same for peers. */
const PEER_PORT_OFFSET = 100;
const LOOPBACK = '127.0.0.1';

export interface PlannedNode {
  /** Of an authority as in genesis; also the name of its home. */
  readonly name: string;
  readonly role: 'authority' | 'follower';
  /** Who runs it, and whose key it signs with for whoever asks. */
  readonly organisation: string;
  readonly httpPort: number;
  readonly peerPort: number;
}

/** What a devnet consists of. */
export interface DevnetPlan {
  /** Where the devnet itself listens. */
  readonly basePort: number;
  /** The authorities, in the order of genesis. */
  readonly nodes: readonly PlannedNode[];
  readonly followers: readonly PlannedNode[];
}

/** Lays out `nodes` authorities from `basePort` on, and followers behind them; or says in a sentence why that cannot be. */
export function planDevnet(nodes: number, basePort: number, followers = 0): Result<DevnetPlan, string> {
  if (nodes < 1 || nodes > AUTHORITIES_MAX) return err(`--nodes is 1 to ${AUTHORITIES_MAX}, not ${nodes}.`);
  if (nodes + followers >= PEER_PORT_OFFSET) {
    return err(`--followers is 0 to ${PEER_PORT_OFFSET - 1 - nodes} beside --nodes ${nodes}, not ${followers}.`);
  }
  const highest = basePort + PEER_PORT_OFFSET + nodes + followers;
  if (basePort < 1 || highest > 65_535) {
    return err(`--base-port ${basePort} leaves no room: ports up to ${highest} are needed, and 1 to 65535 exist.`);
  }
  return ok({
    basePort,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: nodeName(index),
      role: 'authority',
      organisation: nodeName(index),
      ...portsOf(basePort, index),
    })),
    followers: Array.from({ length: followers }, (_, index) => ({
      name: `follower-${index + 1}`,
      role: 'follower',
      organisation: nodeName(index % nodes),
      ...portsOf(basePort, nodes + index),
    })),
  });
}

/** Every node, the authorities first. */
export function allNodes({ nodes, followers }: DevnetPlan): readonly PlannedNode[] {
  return [...nodes, ...followers];
}

function portsOf(basePort: number, place: number): Pick<PlannedNode, 'httpPort' | 'peerPort'> {
  return { httpPort: basePort + 1 + place, peerPort: basePort + PEER_PORT_OFFSET + 1 + place };
}

function nodeName(index: number): string {
  return DEVNET_ORGANISATIONS[index] ?? `node-${index + 1}`;
}

/** What config.toml of one node says besides the defaults. */
export function devnetConfig(plan: DevnetPlan, node: PlannedNode): ReadonlyMap<string, RawValue> {
  return new Map<string, RawValue>([
    ['node.devnet', true],
    ...(node.role === 'authority' ? [] : [['consensus.is_authority', false] as const]),
    ['network.network_id', DEVNET_NETWORK_ID],
    ['network.listen_port', node.peerPort],
    ['network.bootstrap_peers', bootstrapPeers(plan, node)],
    ['api.port', node.httpPort],
  ]);
}

/** Authorities know each other by name; a follower is given one address, and finds the others through it. */
function bootstrapPeers({ nodes }: DevnetPlan, node: PlannedNode): readonly string[] {
  if (node.role === 'follower') return nodes.slice(0, 1).map(({ peerPort }) => peerAddress(peerPort));
  return nodes.filter((peer) => peer !== node).map(({ name, peerPort }) => `${name}@${peerAddress(peerPort)}`);
}

export function httpUrl(port: number): string {
  return `http://${LOOPBACK}:${port}`;
}

export function peerAddress(port: number): string {
  return `${LOOPBACK}:${port}`;
}
