import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/http.ts';
import { parseGenesis } from '../../src/ledger/genesis-document.ts';
import { auditChain, value } from './support/chain-audit.ts';
import { freePlan, statusOf, temporaryDirectory } from './support/cluster.ts';
import { NodeProcess } from './support/node-process.ts';
import { counterfoil } from './support/program.ts';
import { until } from './support/until.ts';

const PASSPHRASE = 'eleven men and a ball';
const { path: root, remove } = temporaryDirectory();
const passphraseFile = join(root, 'passphrase');
const started: NodeProcess[] = [];

writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });

afterAll(async () => {
  await Promise.all(started.map((node) => node.kill()));
  remove();
});

interface Network {
  readonly name: string;
  readonly homes: readonly string[];
}

/** Makes a network as its documentation says, and moves it to ports that are free here. */
async function initNetwork(name: string, authorities: number, ...secrets: readonly string[]): Promise<Network> {
  const directory = join(root, name);
  const made = await counterfoil([
    'init',
    '--network',
    directory,
    '--authorities',
    String(authorities),
    '--json',
    ...secrets,
  ]);
  expect(made, made.stderr).toMatchObject({ code: 0 });
  const answer: unknown = JSON.parse(made.stdout);
  expect(answer).toMatchObject({ network_id: name, chain_id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const homes = readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(directory, entry.name)] : [],
  );
  expect(homes).toHaveLength(authorities);
  const { nodes } = await freePlan(authorities);
  for (const home of homes) {
    const file = join(home, 'config.toml');
    const moved = readFileSync(file, 'utf8').replaceAll(/\b7([12])8([1-4])\b/g, (_, kind: string, place: string) => {
      const node = nodes[Number(place) - 1];
      return String(kind === '1' ? node?.httpPort : node?.peerPort);
    });
    writeFileSync(file, moved);
  }
  return { name, homes };
}

/** The four nodes by the ports that their own configuration names. */
async function startNetwork(network: Network, args: readonly string[] = []): Promise<readonly NodeProcess[]> {
  const nodes = network.homes.map((home, seat) => {
    const config = readFileSync(join(home, 'config.toml'), 'utf8');
    const portIn = (section: string, key: string): number =>
      Number(new RegExp(`\\[${section}\\][^[]*?^${key} = (\\d+)$`, 'm').exec(config)?.[1]);
    return new NodeProcess({
      ...{ name: home.slice(home.lastIndexOf('/') + 1), seat, home, args },
      httpPort: portIn('api', 'port'),
      peerPort: portIn('network', 'listen_port'),
      operatorToken: readFileSync(join(home, 'keys', 'operator.token'), 'utf8').trim(),
    });
  });
  started.push(...nodes);
  await Promise.all(nodes.map((node) => node.start()));
  await until(
    async () => (await Promise.all(nodes.map(statusOf))).every(({ connected }) => connected === nodes.length),
    {
      what: 'all to be connected',
      deadlineMs: 20_000,
      describe: () => nodes.map((node) => node.logTail()).join('\n'),
    },
  );
  return nodes;
}

async function command(...args: readonly string[]): Promise<void> {
  const ran = await counterfoil(args);
  expect(ran, `${args.join(' ')}: ${ran.stderr}`).toMatchObject({ code: 0 });
}

describe('a network that init has made', () => {
  it('starts from its homes, and writes for those who hold the operator token', async () => {
    const network = await initNetwork('quayside', 4, '--no-passphrase');
    const nodes = await startNetwork(network);
    const [first, second, third, fourth] = nodes;
    const [home = ''] = network.homes;
    if (first === undefined || second === undefined || third === undefined || fourth === undefined)
      throw new Error('four');
    expect((await statusOf(first)).devnet).toBe(false);

    const key = ['--key', join(home, 'keys', 'operator.key'), '--node', first.url];
    const starts = '2027-06-12T18:00:00Z';
    await command('event', 'create', 'cup', '--title', 'Cup', '--starts-at', starts, '--capacity', '100', ...key);
    await command('event', 'tier', 'cup', 'stand', '--title', 'Stand', '--price', '2500', '--capacity', '100', ...key);
    for (const { name } of nodes) {
      for (const role of ['issuer', 'venue', 'gate']) await command('event', 'grant', 'cup', name, role, ...key);
    }
    const issue = { event_id: 'cup', tier_id: 'stand', ticket_id: 'A-1' };

    const nobody = createClient({ url: first.url, tries: 1 });
    const wrong = createClient({ url: first.url, tries: 1, operatorToken: 'wrong' });
    const others = createClient({
      ...{ url: first.url, tries: 1 },
      operatorToken: readFileSync(join(second.home, 'keys', 'operator.token'), 'utf8').trim(),
    });
    for (const client of [nobody, wrong, others]) {
      const refused = await client.issue(issue);
      expect(refused.ok ? 'taken' : refused.error).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
      const seeded = await client.seed();
      expect(seeded.ok ? 'taken' : seeded.error).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    }
    expect((await first.client.ticket('A-1')).ok).toBe(false);

    value(await first.client.issue(issue));
    value(await second.client.validate({ ticket_id: 'A-1' }));
    expect(value(await third.client.admit({ ticket_id: 'A-1', gate: 'north' }))).toMatchObject({ decision: 'ADMIT' });
    const again = await fourth.client.consume({ ticket_id: 'A-1', gate: 'south' });
    expect(again.ok ? 'admitted twice' : again.error).toMatchObject({
      code: 'ALREADY_CONSUMED',
      firstScan: { gate: 'north' },
    });

    const genesis = parseGenesis(readFileSync(join(home, 'genesis.json')));
    if (!genesis.ok) throw new Error(JSON.stringify(genesis.error));
    const height = await until(
      async () => {
        const heads = (await Promise.all(nodes.map(statusOf))).map(({ head }) => head);
        return new Set(heads.map(({ hash }) => hash)).size === 1 && heads[0]?.height;
      },
      { what: 'one head', deadlineMs: 10_000 },
    );
    await auditChain(nodes, genesis.value, height);
    for (const node of nodes) expect(await node.stop()).toEqual({ code: 0, signal: null });
  });

  it('keeps its keys under a passphrase, and does not start without it', async () => {
    const network = await initNetwork('lockside', 1, '--passphrase-file', passphraseFile);
    for (const home of network.homes) {
      for (const name of readdirSync(join(home, 'keys'))) {
        const file = join(home, 'keys', name);
        expect(statSync(file).mode & 0o777, file).toBe(0o600);
        if (name.endsWith('.key')) expect(readFileSync(file, 'utf8')).not.toMatch(/"secret_key"/);
      }
    }
    const [home = ''] = network.homes;
    const unasked = await counterfoil(['start', '--home', home]);
    expect(unasked.code).not.toBe(0);
    expect(unasked.stderr).toContain('passphrase');
    const wrongFile = join(root, 'wrong');
    writeFileSync(wrongFile, 'not it\n', { mode: 0o600 });
    const wrong = await counterfoil(['start', '--home', home, '--passphrase-file', wrongFile]);
    expect(wrong.code).toBe(3);

    const nodes = await startNetwork(network, ['--passphrase-file', passphraseFile]);
    expect((await Promise.all(nodes.map(statusOf))).map(({ role }) => role)).toEqual(['authority']);
    for (const node of nodes) {
      expect(node.log()).not.toContain(PASSPHRASE);
      expect(JSON.stringify(value(await node.client.config()))).not.toContain(PASSPHRASE);
      const tokenFile = readFileSync(join(node.home, 'keys', 'operator.token'), 'utf8').trim();
      expect(JSON.stringify(value(await node.client.config()))).not.toContain(tokenFile);
    }
    for (const node of nodes) expect(await node.stop()).toEqual({ code: 0, signal: null });
  });

  it('is not made over one that exists, and does not start twice from one home', async () => {
    const network = await initNetwork('twice', 1, '--no-passphrase');
    const again = await counterfoil([
      'init',
      '--network',
      join(root, 'twice'),
      '--authorities',
      '4',
      '--no-passphrase',
    ]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('nothing is overwritten');
    const [node] = await startNetwork(network);
    if (node === undefined) throw new Error('a node');
    const second = await counterfoil(['start', '--home', node.home, '--api-port', '0', '--listen-port', '0']);
    expect(second.code).toBe(7);
    expect(second.stderr).toContain(String(node.pid));
  });
});
