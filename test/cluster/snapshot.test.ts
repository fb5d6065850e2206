import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeHome } from '../../src/commands/homes.ts';
import { defined } from '../../src/lib/assert.ts';
import { HISTORY_BLOCKS_MAX, HISTORY_PAUSE_MS } from '../../src/model/limits.ts';
import type { RawValue } from '../../src/node/config/values.ts';
import { generateKeyPair } from '../../src/node/keys/key-pair.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { heightKey, TABLES } from '../../src/store/schema.ts';
import { written } from '../../src/store/written.ts';
import { type StoredChain, storedChain } from '../support/stored-chain.ts';
import { ALL_TABLES } from '../support/stores.ts';
import { value } from './support/chain-audit.ts';
import { Cluster, statusOf } from './support/cluster.ts';
import { NodeProcess } from './support/node-process.ts';
import { counterfoil } from './support/program.ts';
import { IS_LONG, pause } from './support/until.ts';

/** More than a node would rather execute, and than the longest life of a transaction takes. */
const BLOCKS = IS_LONG ? 10_000 : 1_400;
/** More than come with the snapshot (those of ten minutes), fewer than there are. */
const RETAINED = 1_300;
const BOOTSTRAP_MS_MAX = IS_LONG ? 600_000 : 120_000;

let chain: StoredChain;
let cluster: Cluster;
const joiners: NodeProcess[] = [];

beforeAll(async () => {
  chain = await storedChain({ seed: 77, transactions: 4, blocks: BLOCKS, blocksPerCertificateMax: 1 });
  cluster = await Cluster.create({ document: readFileSync(chain.genesisFile) });
  for (const { home } of cluster.nodes) {
    mkdirSync(join(home, 'data'));
    cpSync(join(chain.dataDir, 'data.mdb'), join(home, 'data', 'data.mdb'));
  }
  // Their journals know nothing of this chain, so they show it and vote no more.
  await Promise.all(cluster.nodes.map((node) => node.start()));
}, BOOTSTRAP_MS_MAX);

afterAll(async () => {
  for (const joiner of joiners) await joiner.kill();
  await cluster?.close();
});

/** A home with nothing but the genesis document and the addresses of the authorities. */
async function joiner(name: string, sync: 'full' | 'snapshot', more: readonly (readonly [string, RawValue])[] = []) {
  const last = cluster.node(3);
  const ports = { httpPort: last.httpPort + 1 + joiners.length, peerPort: last.peerPort + 1 + joiners.length };
  const home = join(cluster.root, name);
  await writeHome({
    directory: home,
    genesis: readFileSync(chain.genesisFile),
    config: new Map<string, RawValue>([
      ['node.devnet', true],
      ['consensus.is_authority', false],
      ['network.listen_port', ports.peerPort],
      ['network.bootstrap_peers', cluster.nodes.map((node) => `${node.name}@127.0.0.1:${node.peerPort}`)],
      ['api.port', ports.httpPort],
      ['storage.sync', sync],
      ...more,
    ]),
    authority: undefined,
    node: generateKeyPair(randomBytes),
    operator: generateKeyPair(randomBytes),
    protection: { kind: 'no-passphrase' },
  });
  const node = new NodeProcess({ name, seat: -1, home, ...ports });
  joiners.push(node);
  return node;
}

async function caughtUp(node: NodeProcess): Promise<number> {
  return await cluster.until(`${node.name} to catch up`, BOOTSTRAP_MS_MAX, async () => {
    const status = await statusOf(node).catch(() => undefined);
    const { height } = (await statusOf(cluster.node(0))).head;
    return status !== undefined && !status.syncing && status.head.height >= height && status.head.height;
  });
}

async function expectSameChain(node: NodeProcess, height: number): Promise<void> {
  const [own, other] = [
    value(await node.client.block(`${height}`)),
    value(await cluster.node(0).client.block(`${height}`)),
  ];
  expect(own.hash).toBe(other.hash);
  expect(own.header.state_root).toBe(other.header.state_root);
}

describe('a node that begins with a snapshot', () => {
  it(
    'is at the newest state, has no history below it, and starts again on that',
    async () => {
      const node = await joiner('late', 'snapshot');
      const startedMs = performance.now();
      await node.start();
      const height = await caughtUp(node);
      expect(height).toBeGreaterThanOrEqual(BLOCKS);
      process.stdout.write(`snapshot: ${height} blocks in ${Math.round(performance.now() - startedMs)} ms\n`);
      expect(node.log()).toContain('the state is here');
      await expectSameChain(node, height);
      const early = await node.client.block('5');
      expect(early.ok ? '' : early.error.code).toBe('PRUNED');
      expect((await node.client.block('0')).ok).toBe(true);
      // Once it has looked whether there is a newer one.
      const left = join(node.home, 'data', 'replacement');
      await cluster.until('nothing to be left over', 20_000, () => Promise.resolve(!existsSync(left)));
      expect(node.log().match(/\brunning\b/g)?.length, 'it says again that it runs').toBe(2);
      await node.stop();
      await node.start();
      await caughtUp(node);
    },
    BOOTSTRAP_MS_MAX,
  );

  it(
    'fetches one again when its data are damaged, and says so',
    async () => {
      const node = defined(
        joiners.find(({ name }) => name === 'late'),
        'it is there',
      );
      await node.stop();
      const store = openLmdb(join(node.home, 'data'), ALL_TABLES);
      const key = heightKey(BLOCKS);
      const bytes = defined(store.get(TABLES.blocks, key), 'the newest block');
      await written(store, [{ table: TABLES.blocks, key, value: bytes.with(40, (bytes[40] ?? 0) ^ 1) }]);
      await new Promise((resolve) => store.close(resolve));
      const from = node.log().length;
      await node.start();
      const height = await caughtUp(node);
      expect(node.log().slice(from)).toMatch(
        /the damaged directory began with this block.*a snapshot is fetched again/,
      );
      expect(node.log().slice(from)).toContain('the state is here');
      await expectSameChain(node, height);
      expect(existsSync(join(node.home, 'data', 'damaged.mdb'))).toBe(true);
    },
    BOOTSTRAP_MS_MAX,
  );

  it(
    'goes on where it was when it is killed at any time',
    async () => {
      const node = await joiner('killed', 'snapshot');
      for (const afterMs of IS_LONG ? [1_500, 2_500, 3_300, 3_600, 3_900, 4_200] : [3_700]) {
        await node.start();
        const killAtMs = performance.now() + afterMs;
        await cluster.until('the moment of its end', 10_000, () => Promise.resolve(performance.now() >= killAtMs));
        await node.kill();
      }
      await node.start();
      const height = await caughtUp(node);
      await expectSameChain(node, height);
      rmSync(join(node.home, 'data'), { recursive: true, force: true });
    },
    BOOTSTRAP_MS_MAX,
  );
});

describe.skipIf(!IS_LONG)('a node that wants the history below its snapshot', () => {
  it(
    'fetches it in the background, and is an archive then',
    async () => {
      const node = await joiner('filling', 'snapshot', [['storage.fill_history', true]]);
      await node.start();
      await caughtUp(node);
      await cluster.until(
        'the first block to be there',
        BOOTSTRAP_MS_MAX,
        async () => (await node.client.block('1')).ok,
      );
      await node.stop();
      const { code, output } = await counterfoil(['chain', 'verify', '--home', node.home]);
      expect(code, output).toBe(0);
      expect(output).toContain(`${BLOCKS + 1} blocks`);
    },
    BOOTSTRAP_MS_MAX,
  );
});

describe('a node that wants some of the history below its snapshot', () => {
  it(
    'fetches as much as it keeps, and no more',
    async () => {
      const node = await joiner('keeping', 'snapshot', [
        ['storage.fill_history', true],
        ['storage.retain_blocks', RETAINED],
      ]);
      await node.start();
      const lowest = (await caughtUp(node)) + 1 - RETAINED;
      await cluster.until('the blocks that it keeps to be there', BOOTSTRAP_MS_MAX, async () => {
        return (await node.client.block(`${lowest}`)).ok;
      });
      // Long enough for an answer more, were one wanted.
      await pause(4 * HISTORY_PAUSE_MS);
      const below = await node.client.block(`${lowest - HISTORY_BLOCKS_MAX}`);
      expect(below.ok ? '' : below.error.code).toBe('PRUNED');
      await node.stop();
      const { code, output } = await counterfoil(['chain', 'verify', '--home', node.home]);
      expect(code, output).toBe(0);
    },
    BOOTSTRAP_MS_MAX,
  );
});

describe('a node that executes every block', () => {
  it(
    'comes to the same state, with all of the history',
    async () => {
      const node = await joiner('thorough', 'full');
      const startedMs = performance.now();
      await node.start();
      const height = await caughtUp(node);
      process.stdout.write(`full: ${height} blocks in ${Math.round(performance.now() - startedMs)} ms\n`);
      await expectSameChain(node, height);
      // No state on the way was held for others to fetch: its pages would not have been used again.
      const bytes = (directory: string): number => statSync(join(directory, 'data.mdb')).size;
      expect(bytes(join(node.home, 'data'))).toBeLessThan(2 * bytes(chain.dataDir));
      expect((await node.client.block('5')).ok).toBe(true);
    },
    BOOTSTRAP_MS_MAX,
  );
});

describe('a node whose operator vouches for a block', () => {
  it(
    'leaves a chain without that block, and takes no other at its height',
    async () => {
      const node = await joiner('trusting', 'full');
      await node.start();
      const height = await caughtUp(node);
      await node.stop();
      setTrusted(node, `${height - 5}:${'ab'.repeat(32)}`);
      await node.start();
      expect(node.log()).toContain('the stored chain is not the trusted one');
      await cluster.until('the peers to show theirs', BOOTSTRAP_MS_MAX, () =>
        Promise.resolve(node.log().includes('the chain of the peers is not the trusted one')),
      );
      expect((await statusOf(node)).head.height).toBeLessThan(height - 5);
      await node.stop();
      const right = value(await cluster.node(0).client.block(`${height - 5}`));
      setTrusted(node, `${height - 5}:${right.hash}`);
      await node.start();
      expect(await caughtUp(node)).toBe(height);
    },
    BOOTSTRAP_MS_MAX,
  );

  it(
    'needs it, or two peers that agree, after it was away for longer than the trust period',
    async () => {
      // The newest block of this chain is months old.
      const node = joiners.find(({ name }) => name === 'thorough');
      if (node === undefined) throw new Error('the node is there');
      await node.stop();
      await node.start();
      await cluster.until('its peers to agree', 30_000, () =>
        Promise.resolve(node.log().includes('peers of the configuration hold the same block')),
      );
      expect(node.log()).toContain('away for longer than trust_period');
      await caughtUp(node);
    },
    BOOTSTRAP_MS_MAX,
  );
});

function setTrusted(node: NodeProcess, checkpoint: string): void {
  const file = join(node.home, 'config.toml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^trusted_checkpoint = .*$/m, `trusted_checkpoint = "${checkpoint}"`));
}
