import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import type { SparqlService } from '../../src/api/sparql/ask.ts';
import { GRAPH_FORMATS } from '../../src/api/sparql/negotiate.ts';
import type { SparqlOptions } from '../../src/api/sparql/service.ts';
import { MemoryGraph } from '../support/memory-graph.ts';
import { provenanceGraph } from '../support/provenance-graph.ts';
import { openSparql, outcomeOf, requestFor, rowsOf, season } from './support/sparql.ts';
import { until } from './support/until.ts';

const SMALL = season(3_000);
const COUNT = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }';
const MEMORY = 400 * 1_048_576;

let open: SparqlService[] = [];

function start(source: MemoryGraph, options: Partial<SparqlOptions> = {}): SparqlService {
  const service = openSparql(source, options);
  open.push(service);
  return service;
}

afterEach(() => {
  for (const service of open) service.close();
  open = [];
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the engine', () => {
  test('starts at the first question, and ends when nobody has asked for a while', async () => {
    const service = start(SMALL, { idleMs: 200 });
    expect(service.pid).toBeUndefined();
    expect(await outcomeOf(service, COUNT)).toHaveLength(1);
    const { pid = 0 } = service;
    expect(isAlive(pid)).toBe(true);
    await until(() => !isAlive(pid), { what: 'the engine to end' });
    expect(service.pid).toBeUndefined();
    expect(await outcomeOf(service, 'SELECT * { ?s ?p ?o } LIMIT 1')).toHaveLength(1);
  });

  test('is there before anybody asks when it is on', async () => {
    const service = start(SMALL, { mode: 'on', idleMs: 1 });
    await until(() => service.pid !== undefined, { what: 'the engine to start' });
    expect(await outcomeOf(service, 'SELECT * { ?s ?p ?o } LIMIT 1')).toHaveLength(1);
  });

  test('ends with the node, and with its service', async () => {
    const service = start(SMALL);
    await outcomeOf(service, COUNT);
    const { pid = 0 } = service;
    service.close();
    await until(() => !isAlive(pid), { what: 'the engine to end' });
    expect(await outcomeOf(service, COUNT)).toBe('STOPPING');

    const node = fork(join(ROOT, 'test', 'cluster', 'support', 'sparql-owner.mjs'), { stdio: 'ignore' });
    const engine = await new Promise<number>((resolve) => node.once('message', (message) => resolve(Number(message))));
    expect(isAlive(engine)).toBe(true);
    node.kill('SIGKILL');
    await until(() => !isAlive(engine), { what: 'an engine that works on a query to miss its node' });
  });

  test('answers as of one height, and follows', async () => {
    const blocks = [...provenanceGraph(7, 20_000)];
    const graph = new MemoryGraph(blocks.slice(0, 60));
    const service = start(graph);
    const whole = async (): Promise<void> => {
      const answered = await service.ask(
        requestFor('SELECT (COUNT(?b) AS ?n) (MAX(?h) AS ?top) (SUM(?c) AS ?all) { ?b cf:height ?h ; cf:txCount ?c }'),
      );
      if (!answered.ok) throw new Error(answered.error.detail);
      const { height } = answered.value;
      const [row] = rowsOf(answered.value);
      expect(row).toEqual({ n: String(height + 1), top: String(height), all: String((height + 1) * 10) });
    };
    // Blocks come while it is filled, and between questions.
    let next = 60;
    const grow = (): void => {
      const block = blocks[next];
      if (block !== undefined) graph.add(block);
      next += 1;
    };
    graph.onPiece = grow;
    for (let round = 0; round < 5; round += 1) {
      await whole();
      grow();
      grow();
    }
    expect(await outcomeOf(service, `SELECT ?h { ?b cf:height ?h } ORDER BY DESC(?h) LIMIT 1`)).toEqual([
      { h: String(graph.indexedTo()) },
    ]);
  });

  test('answers nothing before anything is indexed', async () => {
    const graph = new MemoryGraph();
    const service = start(graph);
    const query = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }';
    expect(await outcomeOf(service, query)).toBe('NOT_READY');
    for (const block of provenanceGraph(1, 100)) graph.add(block);
    expect(await outcomeOf(service, query)).not.toBe('NOT_READY');
  });

  test('says how large a graph it takes, and answers nothing about a part of one', async () => {
    const service = start(season(20_000), { memoryBytes: 10_000 * 1_024 });
    const answered = await service.ask(requestFor(COUNT));
    expect(answered).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/GRAPH_ABOVE_CEILING|NOT_READY/) },
    });
    const roomy = start(season(20_000), { memoryBytes: MEMORY });
    expect(roomy.limits.quadsMax).toBe(400 * 1_024);
    expect(await outcomeOf(roomy, COUNT)).toHaveLength(1);
  });

  test('is not asked about an index that cannot be read', async () => {
    const broken = season(20_000);
    broken.onPiece = () => {
      throw new Error('the index is gone');
    };
    for (const graph of [broken, new MemoryGraph([{ height: 0, nquads: 'no quads\n' }])]) {
      const service = start(graph);
      expect(await outcomeOf(service, COUNT)).toBe('NOT_READY');
      expect(service.pid).toBeUndefined();
    }
  });
});

/** As many texts as there are rows, all kept until the last one is there: nothing that a gate sees is long. */
const HOARD = `SELECT (GROUP_CONCAT(?long; separator="") AS ?all) {
  { SELECT ?s (CONCAT(${Array(30).fill('STR(?s), STR(?p)').join(', ')}) AS ?long) { ?s ?p ?o } }
}`;

/** Whoever reads the query sees one scan, and not how long each row of it takes. */
const SLOW = `SELECT ${['s', 'p', 'o', 'g']
  .map((name) => `(MAX(${'SHA512('.repeat(24)}STR(?${name})${')'.repeat(24)}) AS ?max_${name})`)
  .join(' ')} { GRAPH ?g { ?s ?p ?o } }`;

describe('a hostile query', () => {
  afterAll(() => shared?.close());

  const graph = season(50_000);
  let shared: SparqlService | undefined;
  const common = (): SparqlService => {
    shared ??= openSparql(graph, { deadlineMs: 2_000, memoryBytes: MEMORY });
    return shared;
  };
  const tickets = 'SELECT (COUNT(*) AS ?n) { ?t a cf:Ticket }';

  function memoryOf(pid: number | undefined): number {
    const file = `/proc/${pid}/statm`;
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[1]) * 4_096 : 0;
  }

  test.each<[string, string, string]>([
    ['runs into the deadline', SLOW, 'QUERY_DEADLINE'],
    ['multiplies', 'SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }', 'QUERY_TOO_EXPENSIVE'],
    ['joins at a hub', 'SELECT (COUNT(*) AS ?n) { ?a a ?c . ?b a ?c . ?d a ?c }', 'QUERY_TOO_EXPENSIVE'],
    ['goes everywhere', 'SELECT (COUNT(*) AS ?n) { ?a (cf:contains|prov:used)* ?b }', 'QUERY_TOO_EXPENSIVE'],
    ['sorts everything', 'SELECT * { ?a ?b ?c } ORDER BY DESC(?c) ?a', 'rows or QUERY_DEADLINE'],
    ['wants all', 'SELECT * { ?s ?p ?o . ?s ?q ?x }', 'QUERY_TOO_EXPENSIVE or QUERY_DEADLINE'],
    ['wants all as a graph', 'CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }', 'rows or QUERY_DEADLINE'],
    ['is a pile of brackets', `SELECT * ${'{'.repeat(8_000)}${'}'.repeat(8_000)}`, 'QUERY_TOO_EXPENSIVE'],
    ['is a long sum', `SELECT * { FILTER(1${'+1'.repeat(7_500)}) }`, 'QUERY_TOO_EXPENSIVE'],
    ['is many alternatives', `SELECT * { ${'{} UNION '.repeat(1_500)} {} }`, 'QUERY_TOO_EXPENSIVE'],
    ['is a literal', `SELECT ("${'x'.repeat(16_000)}" AS ?x) {}`, 'rows'],
    [
      'counts in a regular expression',
      'SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), "((a{99}){99}){99}")) }',
      'QUERY_TOO_EXPENSIVE',
    ],
    ['backtracks, as others do', 'SELECT * { ?s ?p ?o FILTER(REGEX(STR(?o), "^(h+)+$")) }', 'rows'],
  ])('that %s ends at a limit', async (caller, query, outcome) => {
    const service = common();
    expect(await outcomeOf(service, tickets)).toHaveLength(1);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(service.pid));
    }, 10);
    const hostile = service.ask(requestFor(query, { caller, graphFormat: GRAPH_FORMATS[0] }));
    // Whoever asks meanwhile waits for it and no longer.
    const honest = outcomeOf(service, tickets);
    const ended = await hostile;
    expect(outcome.split(' or ')).toContain(ended.ok ? 'rows' : ended.error.code);
    expect(await honest).toHaveLength(1);
    clearInterval(watch);
    // Between two looks of its own it may have grown a little.
    expect(most).toBeLessThan(MEMORY * 1.5);
  });

  test('that hoards text ends when it has all the memory it may', async () => {
    const service = start(graph, { deadlineMs: 60_000, memoryBytes: MEMORY });
    await outcomeOf(service, tickets);
    const { pid } = service;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(pid));
    }, 10);
    const ended = await service.ask(requestFor(HOARD, { caller: 'hostile' }));
    clearInterval(watch);
    expect(ended).toMatchObject({
      ok: false,
      error: { code: 'QUERY_TOO_EXPENSIVE', detail: expect.stringContaining('memory') },
    });
    expect(most).toBeLessThan(MEMORY * 1.5);
    expect(await outcomeOf(service, tickets)).toHaveLength(1);
  });

  test('costs its address the next ones, and nobody else', async () => {
    const service = common();
    await outcomeOf(service, tickets);
    expect(await outcomeOf(service, SLOW, { caller: 'guilty' })).toBe('QUERY_DEADLINE');
    const again = await service.ask(requestFor(tickets, { caller: 'guilty' }));
    expect(again).toMatchObject({ ok: false, error: { code: 'QUERY_PENALTY', headers: { 'retry-after': '60' } } });
    expect(await outcomeOf(service, tickets)).toHaveLength(1);
  });

  test.runIf(existsSync('/proc/self/stat'))('of a machine without time for it costs its address nothing', async () => {
    const service = start(graph, { deadlineMs: 200 });
    await outcomeOf(service, tickets);
    const { pid = 0 } = service;
    const asked = service.ask(requestFor(SLOW));
    process.kill(pid, 'SIGSTOP');
    const ended = await asked;
    expect(ended.ok ? 'rows' : ended.error.code).toBe('QUERY_DEADLINE');
    await until(() => !isAlive(pid), { what: 'the engine to end' });
    // A deadline of such a length is none for a machine that is busy.
    const other = await service.ask(requestFor(tickets));
    expect(other.ok ? 'rows' : other.error.code).not.toBe('QUERY_PENALTY');
  });

  test('does not keep its turn by being many', async () => {
    const service = common();
    await outcomeOf(service, tickets);
    const order: string[] = [];
    const ask = async (caller: string, query: string): Promise<void> => {
      const outcome = await outcomeOf(service, query, { caller });
      order.push(typeof outcome === 'string' ? outcome : caller);
    };
    const many = Array.from({ length: 12 }, () => ask('many', COUNT));
    await Promise.all([...many, ask('one', tickets)]);
    // Eight of an address may wait.
    expect(order.filter((name) => name === 'OVERLOADED')).toHaveLength(4);
    expect(order.filter((name) => name !== 'OVERLOADED').indexOf('one')).toBeLessThanOrEqual(2);
  });

  test('of somebody who has left is not run', async () => {
    const service = common();
    await outcomeOf(service, tickets);
    const under = outcomeOf(service, COUNT);
    const gone = await service.ask(requestFor(SLOW, { caller: 'gone', isGone: () => true }));
    expect(gone.ok).toBe(false);
    expect(await under).toHaveLength(1);
  });
});
