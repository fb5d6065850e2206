import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeHome } from '../../src/commands/homes.ts';
import { peerAddress } from '../../src/devnet/plan.ts';
import { SNAPSHOT_GAP_BLOCKS, SNAPSHOT_IDLE_MS } from '../../src/model/limits.ts';
import type { RawValue } from '../../src/node/config/values.ts';
import { generateKeyPair } from '../../src/node/keys/key-pair.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import { NodeProcess } from './support/node-process.ts';
import { counterfoil } from './support/program.ts';
import { IS_LONG, pause, tell } from './support/until.ts';

const CHECKPOINT_INTERVAL = 100;
/** More than there are: it bounds nothing, and is one that the filling looks at. */
const RETAINED = 100_000;
/** The first blocks are older when somebody joins, so that a snapshot comes without them. */
const LIFE_MS = 70_000;
const OLDER_MS = 30_000;
const GROWN_MS_MAX = 900_000;
const ARRIVED_MS_MAX = 120_000;

let cluster: Cluster;
let load: Load;
let joiner: NodeProcess | undefined;

// Minutes of blocks that a quorum signs, so not for every run of the tests.
describe.runIf(IS_LONG)('a chain that goes on while a snapshot of it is taken over', () => {
  beforeAll(async () => {
    cluster = await Cluster.started({
      parameters: { checkpointInterval: CHECKPOINT_INTERVAL, blockTransactionsMax: 2, transactionLifeMsMax: LIFE_MS },
    });
    load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.nodes, lanes: 4 });
    const begunMs = Date.now();
    await reached(SNAPSHOT_GAP_BLOCKS + CHECKPOINT_INTERVAL);
    // By then the states that were held earlier have been idle for long enough to make room for a newer one.
    const { height } = (await statusOf(cluster.node(0))).head;
    await pause(Math.max(SNAPSHOT_IDLE_MS, begunMs + LIFE_MS + OLDER_MS - Date.now()));
    await reached(height + 2 * CHECKPOINT_INTERVAL);
  }, 3 * GROWN_MS_MAX);

  afterAll(async () => {
    await load?.stop();
    await joiner?.kill();
    await cluster?.close();
  });

  it(
    'is taken over by a node that then votes for nothing, follows it, and fetches the history that it keeps',
    async () => {
      const node = await home();
      joiner = node;
      const { height: before } = (await statusOf(cluster.node(0))).head;
      const startedMs = performance.now();
      await node.start();
      const arrivedAt = await cluster.until('it to follow', ARRIVED_MS_MAX, async () => {
        const { syncing, head } = await statusOf(node);
        return !syncing && head.height > before && head.height;
      });
      tell(
        `at height ${arrivedAt} after ${Math.round(performance.now() - startedMs)} ms, the chain having grown by ${arrivedAt - before} meanwhile`,
      );
      expect(node.log()).toContain('the state is here');
      expect(arrivedAt).toBeGreaterThan(before);
      await cluster.until('it to go on with the others', ARRIVED_MS_MAX, async () => {
        return (await statusOf(node)).head.height > arrivedAt + CHECKPOINT_INTERVAL;
      });
      expect((await node.client.block('1')).ok, 'it came without the first blocks').toBe(false);
      await cluster.until('the history, fetched while blocks come in above', ARRIVED_MS_MAX, async () => {
        return (await node.client.block('1')).ok;
      });
      await load.stop();
      expect(unexpectedRefusals(load)).toEqual([]);
      const height = await cluster.settled([...cluster.nodes, node], ARRIVED_MS_MAX);
      const [own, other] = [value(await node.client.block(height)), value(await cluster.node(0).client.block(height))];
      expect(own.hash).toBe(other.hash);
      expect(own.header.state_root).toBe(other.header.state_root);
      await node.stop();
      const { code, output } = await counterfoil(['chain', 'verify', '--home', node.home]);
      expect(code, output).toBe(0);
    },
    4 * ARRIVED_MS_MAX,
  );
});

async function reached(height: number): Promise<void> {
  await cluster.until(`height ${height}`, GROWN_MS_MAX, async () => {
    return (await statusOf(cluster.node(0))).head.height >= height;
  });
}

async function home(): Promise<NodeProcess> {
  const last = cluster.node(3);
  const ports = { httpPort: last.httpPort + 1, peerPort: last.peerPort + 1 };
  const directory = join(cluster.root, 'joiner');
  await writeHome({
    directory,
    genesis: readFileSync(join(last.home, 'genesis.json')),
    config: new Map<string, RawValue>([
      ['node.devnet', true],
      ['consensus.is_authority', false],
      ['network.listen_port', ports.peerPort],
      ['network.bootstrap_peers', [peerAddress(cluster.node(0).peerPort)]],
      ['api.port', ports.httpPort],
      ['storage.sync', 'snapshot'],
      ['storage.fill_history', true],
      ['storage.retain_blocks', RETAINED],
    ]),
    authority: undefined,
    node: generateKeyPair(randomBytes),
    operator: generateKeyPair(randomBytes),
    protection: { kind: 'no-passphrase' },
  });
  return new NodeProcess({ name: 'joiner', seat: -1, home: directory, ...ports });
}
