import { expect } from 'vitest';
import { DEVNET_ORGANISATIONS, type DevnetPlan, peerAddress } from '../../../src/devnet/plan.ts';
import { assert } from '../../../src/lib/assert.ts';
import type { RawValue } from '../../../src/node/config/values.ts';
import { expectConsistentVotes, expectKept, expectNoEvidence } from './agreement-audit.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { type Acknowledged, Load, type LoadOptions, unexpectedRefusals } from './load.ts';
import { Links } from './proxy.ts';
import { IS_LONG } from './until.ts';

const NODES = DEVNET_ORGANISATIONS.length;
const PATIENCE_MS = IS_LONG ? 90_000 : 30_000;
const LANES = 8;
const WARM_WRITES = 10;

/**
 * Four authorities each of which finds each other one through a link that the tests hold in their hands. One network
 * lives through the cases of a file one after another, each with a load of its own.
 */
export class LinkedCluster {
  readonly cluster: Cluster;
  readonly links: Links;
  readonly #acknowledged: Acknowledged[] = [];
  #load: Load | undefined;

  private constructor(cluster: Cluster, links: Links) {
    this.cluster = cluster;
    this.links = links;
  }

  /** All connected, with the sample tickets on their chain. No journal is cut, so that it shows every vote. */
  static async start(options: Omit<ClusterOptions, 'nodes' | 'configOf'> = {}): Promise<LinkedCluster> {
    const links = await Links.open(NODES);
    const configOf = (place: number, plan: DevnetPlan): ReadonlyMap<string, RawValue> =>
      new Map([['network.bootstrap_peers', peersOf(links, place, plan)]]);
    const parameters = { checkpointInterval: 10_000, ...options.parameters };
    let cluster: Cluster | undefined;
    try {
      cluster = await Cluster.create({ ...options, parameters, nodes: NODES, configOf });
      links.leadTo(cluster.nodes.map(({ peerPort }) => peerPort));
      await cluster.startAll();
      await cluster.seed();
      return new LinkedCluster(cluster, links);
    } catch (error) {
      await cluster?.close();
      await links.close();
      throw error;
    }
  }

  get load(): Load {
    assert(this.#load !== undefined, 'a case begins with its load');
    return this.#load;
  }

  /** Resolves once it is well under way. */
  async startLoad(options: Partial<Omit<LoadOptions, 'chainId'>> = {}): Promise<void> {
    const { cluster } = this;
    this.#load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: LANES, ...options });
    await this.untilAcknowledged(WARM_WRITES);
  }

  async untilAcknowledged(more: number): Promise<void> {
    const { acknowledged } = this.load;
    const count = acknowledged.length + more;
    await this.cluster.until(`${count} acknowledged writes`, PATIENCE_MS, () => acknowledged.length >= count);
  }

  /** Milliseconds from `since` (of Date.now) until a write that was sent after it was known to be final. */
  async finalAgainMs(since: number): Promise<number> {
    const next = await this.cluster.until('a write sent since to be final', PATIENCE_MS, () =>
      this.load.acknowledgedSince(since),
    );
    return next.knownAt - since;
  }

  /** Milliseconds from `since` until all see each other. */
  async untilConnectedMs(since: number): Promise<number> {
    await this.cluster.until('all to be connected', PATIENCE_MS, async () =>
      (await this.cluster.statuses()).every(({ connected }) => connected === NODES),
    );
    return Date.now() - since;
  }

  /** Views in the order of the seats. */
  async views(): Promise<readonly number[]> {
    return (await this.cluster.statuses()).map(({ view }) => view);
  }

  /** Ends a case: what was refused was refused with a word for "not now", and all hold one head. */
  async endLoad(): Promise<void> {
    await this.load.stop();
    expect(unexpectedRefusals(this.load)).toEqual([]);
    await this.cluster.settled(undefined, PATIENCE_MS);
  }

  /** Leaves nothing of a case behind, however it ended. */
  async rest(): Promise<void> {
    this.links.heal();
    await this.#load?.stop();
    this.#acknowledged.push(...(this.#load?.acknowledged ?? []));
    this.#load = undefined;
  }

  /** After all cases: every acknowledged write is there, on one chain, and nobody voted twice. Stops the nodes. */
  async expectAgreement(): Promise<void> {
    await expectKept(this.cluster, this.#acknowledged);
    await expectNoEvidence(this.cluster);
    await expectConsistentVotes(this.cluster);
  }

  async close(): Promise<void> {
    await this.cluster.close();
    await this.links.close();
  }
}

function peersOf(links: Links, place: number, { nodes }: DevnetPlan): readonly string[] {
  return nodes.flatMap(({ name }, to) => (to === place ? [] : [`${name}@${peerAddress(links.entrance(place, to))}`]));
}
