import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeHome } from '../../src/commands/homes.ts';
import { parseGenesis } from '../../src/ledger/genesis-document.ts';
import { defined } from '../../src/lib/assert.ts';
import { createIdentity } from '../../src/network/identity.ts';
import type { RawValue } from '../../src/node/config/values.ts';
import { generateKeyPair } from '../../src/node/keys/key-pair.ts';
import { beginChain } from '../../src/node/recovery.ts';
import { FLOOD_KINDS } from '../../src/simulator/peering/floods.ts';
import { LIES } from '../../src/simulator/peering/lies.ts';
import type { Chain } from '../../src/store/chain.ts';
import type { KeyValue } from '../../src/store/key-value.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { storedChain } from '../support/stored-chain.ts';
import { ALL_TABLES } from '../support/stores.ts';
import { dialRaw, type RawPeer } from '../unit/network/raw-peer.ts';
import { value } from './support/chain-audit.ts';
import { freePlan, statusOf, temporaryDirectory } from './support/cluster.ts';
import { NodeProcess } from './support/node-process.ts';
import { Links } from './support/proxy.ts';
import { type Behaviour, OWN_BEHAVIOURS, TwoFaced, type TwoFacedOptions } from './support/two-faced.ts';
import { IS_LONG, pause, tell, until } from './support/until.ts';

const MIB = 1_048_576;
/** Several answers long, so that everybody who says that he has it is asked for some. */
const BLOCKS = 240;
/** Hostile peers beside the honest one: alone each is seen best, together they are quicker. */
const TOGETHER = IS_LONG ? 1 : 18;
/** What the follower may take more than without hostile peers: its bounds, with room for the collector. */
const GROWTH_BYTES_MAX = 300 * MIB;
const REACHED_MS_MAX = 90_000;

/** What one hostile peer does. */
type Villainy = Pick<TwoFacedOptions, 'lies' | 'floodKind'> & { readonly name: string };

const VILLAINIES: readonly Villainy[] = [
  ...[...LIES, ...OWN_BEHAVIOURS].map((lie): Villainy => ({ name: lie, lies: [lie] })),
  ...FLOOD_KINDS.map(
    (floodKind): Villainy => ({
      name: `floods with ${floodKind}`,
      lies: ['floods with one kind of message'],
      floodKind,
    }),
  ),
];
/** Narrow enough that it is not served the whole chain before it is narrower still. */
const NARROW_BYTES_PER_SECOND = 20_000;
const DRIPPING_MS = IS_LONG ? 20_000 : 4_000;
/** Each tells of 64 whenever it is asked. */
const TELLERS = 32;
const TOLD_MIN = 2_000;
const FRAGMENTS = 5_000;

const directory = temporaryDirectory();
let honest: NodeProcess;
let victim: NodeProcess;
let truth: KeyValue;
let chain: Chain;
let genesis: TwoFacedOptions['genesis'];
let honestId: string;
let rssCalm = 0;
let number = 0;

beforeAll(async () => {
  const stored = await storedChain({ seed: 78, transactions: 2, blocks: BLOCKS });
  const document = readFileSync(stored.genesisFile);
  const parsed = parseGenesis(document);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  genesis = parsed.value;
  const plan = await freePlan(1, 1);
  const ports = [...plan.nodes, ...plan.followers];
  const [first, second] = [defined(ports[0], 'a node'), defined(ports[1], 'a follower')];
  honest = await home('honest', first, document, []);
  victim = await home('victim', second, document, [`127.0.0.1:${first.peerPort}`]);
  for (const path of [join(honest.home, 'data'), join(directory.path, 'truth')]) {
    mkdirSync(path, { recursive: true });
    cpSync(join(stored.dataDir, 'data.mdb'), join(path, 'data.mdb'));
  }
  truth = openLmdb(join(directory.path, 'truth'), ALL_TABLES);
  chain = await new Promise((resolve, reject) => {
    beginChain(truth, genesis, (begun) => (begun.ok ? resolve(begun.value) : reject(begun.error)));
  });
  await honest.start();
  await reached();
  honestId = defined(value(await victim.client.peers()).peers[0], 'the honest peer').id;
  rssCalm = victim.rssBytes();
}, 180_000);

afterAll(async () => {
  await victim?.kill();
  await honest?.kill();
  if (truth !== undefined) await new Promise((resolve) => truth.close(resolve));
  directory.remove();
});

async function home(
  name: string,
  ports: { readonly httpPort: number; readonly peerPort: number },
  document: Uint8Array,
  peers: readonly string[],
): Promise<NodeProcess> {
  const path = join(directory.path, name);
  await writeHome({
    directory: path,
    genesis: document,
    config: new Map<string, RawValue>([
      ['node.devnet', true],
      ['consensus.is_authority', false],
      // The chain was made long ago.
      ['consensus.trust_period', '8760h'],
      ['network.listen_port', ports.peerPort],
      ['network.bootstrap_peers', peers],
      ['api.port', ports.httpPort],
    ]),
    authority: undefined,
    node: generateKeyPair(randomBytes),
    operator: generateKeyPair(randomBytes),
    protection: { kind: 'no-passphrase' },
  });
  return new NodeProcess({ name, seat: -1, home: path, ...ports });
}

async function hostile(
  options: Pick<TwoFacedOptions, 'lies' | 'floodKind'> & { readonly address?: string },
): Promise<TwoFaced> {
  number += 1;
  const address = `127.0.0.1:${victim.peerPort}`;
  const liar = await TwoFaced.start({ genesis, chain, number, address, ...options });
  known.push(liar.id);
  return liar;
}

/** The follower begins anew, with nothing. */
async function begin(): Promise<void> {
  await victim.kill();
  rmSync(join(victim.home, 'data'), { recursive: true, force: true });
  await victim.start();
}

/** It begins anew, and comes to the head. */
async function reached(): Promise<void> {
  await begin();
  await atHead();
}

async function atHead(): Promise<void> {
  await until(async () => (await statusOf(victim)).head.hash === chain.headHash, {
    what: 'the follower to reach the head',
    deadlineMs: REACHED_MS_MAX,
    describe: async () => `${await victim.describe()}\n${victim.logTail(60)}`,
  });
}

/** It still has the honest peer, blames nobody else than who lied, and has not grown without bound. */
async function expectSound(): Promise<void> {
  await until(async () => value(await victim.client.peers()).peers.some(({ id }) => id === honestId), {
    what: 'the honest peer to be connected',
    describe: () => victim.logTail(60),
  });
  const blamed = victim
    .log()
    .split('\n')
    .filter((line) => line.includes('a peer breaks the rules'));
  expect(blamed.filter((line) => !known.some((id) => line.includes(id)))).toEqual([]);
  const growth = victim.rssBytes() - rssCalm;
  tell(`the follower takes ${Math.round(growth / MIB)} MiB more than without hostile peers`);
  expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
}

/** Everybody who has lied so far. */
const known: string[] = [];

describe('a follower that begins with nothing reaches the head beside', () => {
  const groups: Villainy[][] = [];
  for (const [index, villainy] of VILLAINIES.entries()) {
    const place = Math.floor(index / TOGETHER);
    groups[place] = [...(groups[place] ?? []), villainy];
  }

  it.each(groups.map((group) => [group.map(({ name }) => `one that ${name}`).join(', '), group] as const))(
    '%s',
    async (_, group) => {
      const liars: TwoFaced[] = [];
      try {
        for (const villainy of group) liars.push(await hostile(villainy));
        await reached();
        await until(() => liars.every(({ isConnected, farewells }) => isConnected || farewells.length > 0), {
          what: 'everybody to have been there',
        });
        await expectSound();
      } finally {
        await Promise.all(liars.map((liar) => liar.close()));
      }
    },
  );

  it('one that answers one byte a second', async () => {
    const links = await Links.open(2);
    links.leadTo([0, victim.peerPort]);
    const dripping = await hostile({ lies: [], address: `127.0.0.1:${links.entrance(0, 1)}` });
    try {
      links.slow({ bytesPerSecond: NARROW_BYTES_PER_SECOND });
      await honest.stop();
      await begin();
      await until(() => dripping.asked > 0, { what: 'it to be asked', describe: () => victim.logTail(60) });
      links.slow({ bytesPerSecond: 1 });
      await pause(DRIPPING_MS);
      expect((await statusOf(victim)).head.height).toBeLessThan(BLOCKS);
      await honest.start();
      await atHead();
      await expectSound();
    } finally {
      await dripping.close();
      await links.close();
    }
  });

  it('those who tell of thousands of addresses at which nobody lives', async () => {
    const lies: readonly Behaviour[] = ['tells of addresses at which nobody lives'];
    const tellers = await Promise.all(Array.from({ length: TELLERS }, () => hostile({ lies })));
    try {
      await reached();
      const told = (): number => tellers.reduce((sum, one) => sum + one.told, 0);
      await until(() => told() >= TOLD_MIN, { what: 'all of them to be told', describe: () => `${told()} are` });
      await expectSound();
    } finally {
      await Promise.all(tellers.map((one) => one.close()));
    }
  });

  it('those who say one message in thousands of tiny fragments', async () => {
    await begin();
    const peers: RawPeer[] = [];
    for (let count = 0; count < 8; count += 1) {
      const peer = await dialRaw(`127.0.0.1:${victim.peerPort}`, createIdentity(randomBytes(32)));
      known.push(peer.identity.id);
      peer.ws.send(peer.hello(undefined, { networkId: genesis.networkId, genesisHash: genesis.chainId }));
      for (let sent = 0; sent < FRAGMENTS; sent += 1) peer.ws.send(Uint8Array.of(4), { fin: false });
      peers.push(peer);
    }
    await until(() => peers.every(({ closeCode }) => closeCode !== undefined), { what: 'them to be cut off' });
    await atHead();
    await expectSound();
  });

  it('strangers who say one byte a second', async () => {
    const { tls } = createIdentity(randomBytes(32));
    const sockets: TLSSocket[] = [];
    const dripping = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('G');
    }, 1_000);
    try {
      await victim.kill();
      const started = reached();
      for (let count = 0; count < 20; count += 1) {
        const socket = connectTls({ ...tls, host: '127.0.0.1', port: victim.peerPort, rejectUnauthorized: false });
        socket.on('error', () => undefined);
        sockets.push(socket);
      }
      await started;
      await expectSound();
    } finally {
      clearInterval(dripping);
      for (const socket of sockets) socket.destroy();
    }
  });

  it('and finds out some of those who lied for all to see', () => {
    const log = victim.log().split('\n');
    const found = known.filter((id) =>
      log.some((line) => line.includes('a peer breaks the rules') && line.includes(id)),
    );
    tell(`${found.length} of ${known.length} hostile peers were found out`);
    expect(found.length).toBeGreaterThan(known.length / 10);
  });
});
