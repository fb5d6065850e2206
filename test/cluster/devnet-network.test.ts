import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { post, type RunningDevnet, startDevnet } from './support/devnet.ts';
import { counterfoil, endPrograms, startCounterfoil, untilGone } from './support/program.ts';
import { until } from './support/until.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function ticketOf({ sample_tickets }: RunningDevnet, index: number): string {
  return sample_tickets[index] ?? '';
}

describe('a devnet of four authorities and a follower', () => {
  it('takes tickets through their life, loses a node, gets it back, and leaves nothing', async () => {
    const net = await startDevnet(directory);
    await showsWhatThereIs(net);
    await admitsOnce(net);
    await answersEverywhere(net);
    await survivesTheFirstNode(net);
    const homes = dirname(net.nodes[0]?.home ?? '');
    net.program.child.kill('SIGTERM');
    expect(await net.program.ended).toBe(0);
    expect(net.program.stdout()).not.toContain('was killed');
    await untilGone(net.nodes.map(({ pid }) => pid));
    expect(existsSync(homes)).toBe(false);
  });
});

async function showsWhatThereIs({ url, nodes, program, chain_id, basePort }: RunningDevnet): Promise<void> {
  expect(nodes.map(({ id }) => id)).toEqual(['federation', 'venue', 'boxoffice', 'city', 'follower-1']);
  expect(program.stdout()).toContain('4 authorities and 1 follower, 5 processes');
  const places = nodes.map(({ http, p2p }) =>
    [http, p2p].map((address) => Number(address.split(':').at(-1)) - basePort),
  );
  expect(places).toEqual([1, 2, 3, 4, 5].map((place) => [place, 100 + place]));
  for (const { http, p2p, pid } of nodes) {
    const row = program
      .stdout()
      .split('\n')
      .find((line) => line.includes(http));
    expect(row).toContain(p2p);
    expect(row).toContain(`${pid}`);
  }
  expect(program.stdout()).toContain('DEVNET KEYS ARE PUBLIC');
  expect(program.stdout()).toMatch(/tickets issued +final in +[\d.]+ m?s +signed [34]\/4/);
  const page = await (await fetch(url)).text();
  for (const { http } of nodes) expect(page).toContain(http);
  const listed = async (): Promise<string> => await (await fetch(`${url}/api/v1/nodes`)).text();
  // The follower looks for the others after it has started.
  await until(async () => !/alive|down/.test(await listed()), { what: 'all to be ready' });
  expect(JSON.parse(await listed())).toMatchObject({
    nodes: nodes.map(({ id, http, p2p, pid }) => ({ id, http, p2p, pid, state: 'ready' })),
  });
  const status = await fetch(`${url}/api/v1/status`);
  expect(status.headers.get('counterfoil-node')).toBe('federation');
  expect(await status.json()).toMatchObject({ chain_id, authorities: 4, devnet: true });
}

async function admitsOnce(net: RunningDevnet): Promise<void> {
  const body = { ticket_id: ticketOf(net, 0) };
  expect((await post(`${net.url}/api/v1/tickets/validate`, body)).status).toBe(200);
  expect((await post(`${net.url}/api/v1/tickets/consume`, body)).status).toBe(200);
  const again = await post(`${net.url}/api/v1/tickets/consume`, body);
  expect(again.status).toBe(409);
  expect(await again.json()).toMatchObject({ code: 'ALREADY_CONSUMED', detail: expect.stringMatching(/height \d+/) });
}

/** Every organisation may sell, activate, admit and contest at the sample event. */
async function answersEverywhere(net: RunningDevnet): Promise<void> {
  for (const [index, { http, id }] of net.nodes.entries()) {
    const ticket_id = `extra-${id}`;
    const issue = { ticket_id, event_id: 'harbour-cup-final', tier_id: 'cat1' };
    expect((await post(`${http}/api/v1/tickets/issue`, issue)).status).toBe(200);
    expect((await post(`${http}/api/v1/tickets/validate`, { ticket_id })).status).toBe(200);
    expect((await post(`${http}/api/v1/tickets/dispute`, { ticket_id, reason: 'FRAUD' })).status).toBe(200);
    const admitted = await post(`${http}/api/v1/tickets/admit`, { ticket_id: ticketOf(net, 1 + index) });
    expect(await admitted.json()).toMatchObject({ decision: 'ADMIT' });
  }
  const socket = new WebSocket(`${net.url.replace('http', 'ws')}/ws`);
  const heard: string[] = [];
  socket.on('message', (message) => heard.push(message.toString()));
  socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', topics: ['block'], from: 1 })));
  await until(() => heard.find((text) => text.includes('block_finalised')), { what: 'a block through the gateway' });
  socket.terminate();
}

async function survivesTheFirstNode(net: RunningDevnet): Promise<void> {
  const [first] = net.nodes;
  if (first === undefined) throw new Error('no node');
  process.kill(first.pid, 'SIGKILL');
  const [line] = await net.program.says(/^federation died .*$/m);
  expect(line).toContain('the others go on');
  const restart = /restart with: npm run -s cf -- (.*)$/.exec(line)?.[1] ?? '';
  expect(restart).toBe(`start --home ${first.home}`);
  const write = await post(`${net.url}/api/v1/tickets/admit`, { ticket_id: ticketOf(net, 9) });
  expect(await write.json()).toMatchObject({ decision: 'ADMIT' });
  expect(write.headers.get('counterfoil-node')).not.toBe('federation');
  const again = startCounterfoil(restart.split(' '));
  await net.program.says(/^federation is back\.$/m);
  await until(
    async () => {
      const ticket = await fetch(`${first.http}/api/v1/tickets/${ticketOf(net, 9)}`);
      const record: unknown = await ticket.json();
      return JSON.stringify(record).includes('CONSUMED') ? true : undefined;
    },
    { what: 'the restarted node to catch up' },
  );
  // It belongs to the devnet, and ends with it: see the end of the test.
  expect(again.child.exitCode).toBeNull();
}

describe('what cannot be started', () => {
  it('names the option when a port is busy, and leaves nothing', async () => {
    const net = await startDevnet(directory, ['--nodes', '1', '--tickets', '1']);
    const second = await counterfoil(['devnet', '--base-port', `${net.basePort}`]);
    expect(second.code).toBe(1);
    expect(second.output).toContain('--base-port');
    net.program.child.kill('SIGINT');
    expect(await net.program.ended).toBe(0);
  });

  it.each([
    [['--followers', '96'], '--followers'],
    [['--nodes', '0'], '--nodes'],
    [['--nodes', 'four'], '--nodes'],
    [['--base-port', '65500'], '--base-port'],
  ])('%j is a mistake of usage', async (args, named) => {
    const { code, output } = await counterfoil(['devnet', ...args]);
    expect(code).toBe(2);
    expect(output).toContain(named);
  });
});

describe('a network that is kept', () => {
  it('goes on where it was, on other ports, with its sample once', async () => {
    const home = join(directory, 'kept');
    const first = await startDevnet(directory, ['--nodes', '1', '--tickets', '40', '--home', home]);
    expect(first.program.stdout()).toContain('1 authority, 1 process,');
    const ticket_id = ticketOf(first, 0);
    expect(await (await post(`${first.url}/api/v1/tickets/admit`, { ticket_id })).json()).toMatchObject({
      decision: 'ADMIT',
    });
    first.program.child.kill('SIGTERM');
    expect(await first.program.ended).toBe(0);
    const second = await startDevnet(directory, ['--nodes', '1', '--tickets', '60', '--home', home]);
    expect(second.chain_id).toBe(first.chain_id);
    const issued = [...second.program.stdout().matchAll(/(\d+) tickets? issued/g)].map(([, count]) => Number(count));
    expect(issued.reduce((sum, count) => sum + count, 0)).toBe(20);
    expect(second.program.stdout()).not.toContain('roles granted');
    const ticket = await fetch(`${second.url}/api/v1/tickets/${ticket_id}`);
    expect(await ticket.json()).toMatchObject({ state: 'CONSUMED' });
    second.program.child.kill('SIGTERM');
    expect(await second.program.ended).toBe(0);
    expect(existsSync(join(home, 'federation', 'data'))).toBe(true);
    const other = await counterfoil(['devnet', '--nodes', '4', '--home', home, '--base-port', `${second.basePort}`]);
    expect(other.code).toBe(1);
    expect(other.output).toContain('--nodes');
  });
});
