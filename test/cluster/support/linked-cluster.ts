import { DEVNET_ORGANISATIONS, type DevnetPlan, peerAddress } from '../../../src/devnet/plan.ts';
import type { RawValue } from '../../../src/node/config/values.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { Links } from './proxy.ts';

/** Authorities each of which finds each other one through a link that the tests hold in their hands. */
export interface LinkedCluster {
  readonly cluster: Cluster;
  readonly links: Links;
  readonly close: () => Promise<void>;
}

/** Four of them, connected, with the sample tickets on their chain. */
export async function startLinked(options: Omit<ClusterOptions, 'nodes' | 'configOf'> = {}): Promise<LinkedCluster> {
  const nodes = DEVNET_ORGANISATIONS.length;
  const links = await Links.open(nodes);
  const configOf = (place: number, plan: DevnetPlan): ReadonlyMap<string, RawValue> =>
    new Map([['network.bootstrap_peers', peersOf(links, place, plan)]]);
  let cluster: Cluster | undefined;
  const close = async (): Promise<void> => {
    await cluster?.close();
    await links.close();
  };
  try {
    cluster = await Cluster.create({ ...options, nodes, configOf });
    links.leadTo(cluster.nodes.map(({ peerPort }) => peerPort));
    await cluster.startAll();
    await cluster.seed();
    return { cluster, links, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function peersOf(links: Links, place: number, { nodes }: DevnetPlan): readonly string[] {
  return nodes.flatMap(({ name }, to) => (to === place ? [] : [`${name}@${peerAddress(links.entrance(place, to))}`]));
}
