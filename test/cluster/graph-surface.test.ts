import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { temporaryDirectory } from './support/cluster.ts';
import { post, type RunningDevnet, startDevnet } from './support/devnet.ts';
import { counterfoil, endPrograms } from './support/program.ts';

const SAYS = 'http://schema.org/description';

const directory = temporaryDirectory();
let net: RunningDevnet;
let ticket: string;
let other: string;

beforeAll(async () => {
  const home = join(directory.path, 'net');
  net = await startDevnet(directory.path, ['--tickets', '12', '--home', home]);
  ticket = defined(net.sample_tickets[0], 'a devnet has tickets');
  other = defined(net.sample_tickets[1], 'a devnet has tickets');
});
afterAll(async () => {
  net.program.child.kill('SIGTERM');
  await net.program.ended;
  await endPrograms();
  directory.remove();
});

const iri = (id: string): string => `http://localhost/id/ticket/${id}`;

/** Of the node that a command line is told of: the one that was written to has the graph of it soonest. */
function node(): string {
  return defined(net.nodes[0], 'a devnet has nodes').http;
}

function hold(statements: string): Promise<Response> {
  return post(`${node()}/api/v1/tickets/hold`, { ticket_id: ticket, statements });
}

it('what is stated with a write ends in a graph of its own', async () => {
  const turtle = join(directory.path, 'said.ttl');
  writeFileSync(turtle, `@prefix s: <http://schema.org/> .\n<${iri(ticket)}> s:description "paid late"@en .\n`);
  const held = await counterfoil(['ticket', 'hold', ticket, '--statements', turtle, '--node', node(), '--json']);
  expect(held).toMatchObject({ code: 0 });
  const { transaction_id } = JSON.parse(held.stdout);
  const graph = `http://localhost/id/tx/${transaction_id}#stated`;
  const found = await fetch(`${node()}/api/v1/graph?graph=${encodeURIComponent(graph)}`);
  expect(await found.text()).toBe(`<${iri(ticket)}> <${SAYS}> "paid late"@en <${graph}> .\n`);
  const described = await counterfoil(['rdf', 'describe', `ticket:${ticket}`, '--node', node()]);
  expect(described.stdout).toContain('schema:description "paid late"@en');
  const same = await counterfoil(['rdf', 'describe', iri(ticket), '--node', node()]);
  expect(same.stdout).toBe(described.stdout);
});

it('nobody describes the ticket of another transaction, nor with blank nodes', async () => {
  const foreign = await hold(`<${iri(other)}> <${SAYS}> "mine" .`);
  expect([foreign.status, await foreign.json()]).toMatchObject([403, { code: 'SUBJECT_OUT_OF_SCOPE' }]);
  const blank = await hold(`<${iri(ticket)}> <${SAYS}> "x" ;\n  <http://a.example/p> [] .`);
  expect([blank.status, await blank.json()]).toMatchObject([
    ...[422, { code: 'BLANK_NODE_NOT_ALLOWED', line: 2, column: 24 }],
  ]);
});

it('a key signs statements in canonical form, of events as well', async () => {
  const key = join(defined(net.nodes[0], 'a devnet has nodes').home, 'keys', 'operator.key');
  const event = 'http://localhost/id/event/friendly';
  const lines = join(directory.path, 'said.nt');
  writeFileSync(lines, `<${event}> <${SAYS}> "b" .\n<${event}> <${SAYS}> "a" .\n`);
  const what = ['--title', 'Friendly', '--starts-at', '2026-06-12T18:00:00Z', '--capacity', '10'];
  const signing = ['--key', key, '--node', node(), '--json'];
  const created = await counterfoil(['event', 'create', 'friendly', ...what, '--statements', lines, ...signing]);
  expect(created).toMatchObject({ code: 0 });
  const described = await counterfoil(['rdf', 'describe', 'event:friendly', '--node', node()]);
  expect(described.stdout).toContain('schema:description "a", "b"');
});

it('a question that has a name is answered on the command line, and the whole graph is written', async () => {
  const asked = await counterfoil(['rdf', 'ask', 'history', '--ticket', ticket, '--node', node(), '--format', 'csv']);
  expect(asked).toMatchObject({ code: 0 });
  expect(asked.stdout.split(/\r?\n/)[0]).toBe('version,state,standing,action,at,agent,height,transaction');
  expect(asked.stdout).toContain('https://w3id.org/counterfoil#Held');
  const out = join(directory.path, 'graph.nq');
  const dumped = await counterfoil(['rdf', 'dump', '--out', out, '--node', node(), '--json']);
  expect(dumped).toMatchObject({ code: 0 });
  const lines = readFileSync(out, 'utf8').split('\n').slice(0, -1);
  expect(lines.length).toBe(JSON.parse(dumped.stdout).quads);
  expect(new Set(lines).size).toBe(lines.length);
  const status = await (await fetch(`${node()}/metrics`)).text();
  const quads = Number(/^counterfoil_provenance_quads (\d+)$/m.exec(status)?.[1]);
  expect(lines.length).toBeGreaterThan(500);
  expect(quads).toBeGreaterThanOrEqual(lines.length);
  expect(status).toContain('counterfoil_queries_total{outcome="answered"} 1\n');
});
