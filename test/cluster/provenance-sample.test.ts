import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { QUESTIONS } from '../../src/provenance/questions.ts';
import type { ExpectedAnswer } from '../../src/sample/answers.ts';
import { SAMPLE_SIZES, type SampleSize } from '../../src/sample/plan.ts';
import { sampleTicketId } from '../../src/sample/tickets.ts';
import { openLmdbForReading } from '../../src/store/lmdb.ts';
import { GRAPH_TABLES } from '../../src/store/quad-keys.ts';
import { value } from './support/chain-audit.ts';
import { freePlan, statusOf } from './support/cluster.ts';
import { ask, askSparql, rowsOver } from './support/graph-client.ts';
import { NodeProcess } from './support/node-process.ts';
import { counterfoil, endPrograms } from './support/program.ts';
import { IS_LONG, tell, until } from './support/until.ts';

interface Manifest {
  readonly head: { readonly height: number; readonly hash: string };
  readonly counts: { readonly quads: number; readonly blocks: number; readonly transactions: number };
  readonly answers: readonly ExpectedAnswer[];
}

const SETUP_MS_MAX = 1_800_000;
const INDEX_MS_MAX = 900_000;
const KILLS = 3;
const ASKED_TICKETS = 1_000;
const SEED = 11;

async function done(...args: readonly string[]): Promise<void> {
  const { code, output } = await counterfoil(args);
  expect(code, output).toBe(0);
}

/** A node that follows nobody: the chain is what was imported. */
async function nodeOver(home: string): Promise<NodeProcess> {
  const [plan] = (await freePlan(1)).nodes;
  const { httpPort, peerPort } = defined(plan, 'a plan has a node');
  const args = ['--listen-port', `${peerPort}`, '--api-port', `${httpPort}`];
  return new NodeProcess({ name: 'reader', seat: -1, home, httpPort, peerPort, args });
}

async function metricOf(node: NodeProcess, name: string): Promise<number> {
  const line = value(await node.client.metrics())
    .split('\n')
    .find((one) => one.startsWith(`counterfoil_${name} `));
  return Number(defined(line, `there is a metric ${name}`).split(' ')[1]);
}

async function untilIndexed(node: NodeProcess): Promise<void> {
  await until(async () => (await statusOf(node)).provenance_lag_blocks === 0, {
    what: 'the index of the sample',
    deadlineMs: INDEX_MS_MAX,
    describe: () => node.logTail(),
  });
}

/** What the index of a node that has stopped consists of. */
async function rowsOf(home: string): Promise<readonly string[]> {
  const { meta: _, ...tables } = GRAPH_TABLES;
  const store = openLmdbForReading(join(home, 'data', 'graph'), Object.values(GRAPH_TABLES));
  const moment = store.snapshot();
  const rows = Object.values(tables).flatMap((table) =>
    [...moment.range(table, {})].map((row) => `${table} ${toHex(row.key)} ${toHex(row.value)}`),
  );
  moment.close();
  await new Promise((resolve) => store.close(resolve));
  return rows;
}

function quantile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(1);
}

describe.each<SampleSize>(IS_LONG ? ['S', 'M'] : ['S'])('a node over the sample of size %s', (size) => {
  let directory: string;
  let home: string;
  let copy: string;
  let node: NodeProcess;
  let manifest: Manifest;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'counterfoil-sample-'));
    const sample = join(directory, 'sample');
    home = join(directory, 'home');
    copy = join(directory, 'copy');
    await done('sample', '--size', size, '--out', sample);
    await done('init', '--home', home, '--genesis', join(sample, 'genesis.json'), '--follower', '--no-passphrase');
    const startedAt = performance.now();
    await done('chain', 'import', join(sample, 'chain.cf'), '--home', home);
    tell(`size ${size}: imported in ${Math.round(performance.now() - startedAt)} ms`);
    manifest = JSON.parse(readFileSync(join(sample, 'manifest.json'), 'utf8'));
    cpSync(home, copy, { recursive: true });
    node = await nodeOver(home);
  }, SETUP_MS_MAX);

  afterAll(async () => {
    await node?.kill();
    endPrograms();
    rmSync(directory, { recursive: true, force: true });
  });

  it('indexes all of it', { timeout: INDEX_MS_MAX }, async () => {
    await node.start();
    const startedAt = performance.now();
    await untilIndexed(node);
    const tookMs = Math.round(performance.now() - startedAt);
    expect((await statusOf(node)).head).toMatchObject(manifest.head);
    const [quads, bytes] = [await metricOf(node, 'provenance_quads'), await metricOf(node, 'provenance_bytes')];
    expect(quads).toBe(manifest.counts.quads);
    const { blocks, transactions } = manifest.counts;
    tell(`size ${size}: ${blocks} blocks, ${transactions} transactions, ${quads} quads indexed in ${tookMs} ms`);
    tell(
      `the index has ${bytes} bytes, ${(bytes / quads).toFixed(1)} per quad; load average ${loadavg()[0]?.toFixed(1)}`,
    );
  });

  it('answers every question as the manifest has it', { timeout: INDEX_MS_MAX }, async () => {
    const startedAt = performance.now();
    // A query waits for its turn, and not for as long as a large graph takes to be read.
    const isRead = async () => (await askSparql(node, 'ASK { ?s ?p ?o }', 'application/sparql-results+json')).ok;
    await until(isRead, { what: 'the engine to have the graph', deadlineMs: INDEX_MS_MAX });
    tell(`size ${size}: read into the engine in ${Math.round(performance.now() - startedAt)} ms`);
    for (const { name } of QUESTIONS) {
      const times: number[] = [];
      const cases = manifest.answers.filter(({ question }) => question === name);
      expect(cases.length).toBeGreaterThan(0);
      for (const { parameters, rows } of cases) {
        const startedAt = performance.now();
        const answered = await rowsOver(node, name, parameters);
        times.push(performance.now() - startedAt);
        expect(answered, `${name} ${JSON.stringify(parameters)}`).toEqual(rows);
      }
      const [first = 0] = times;
      times.sort((a, b) => a - b);
      tell(
        `size ${size}: ${name}: ${times.length} asked, first ${first.toFixed(1)} ms, p50 ${quantile(times, 0.5)} ms`,
      );
    }
  });

  it.each(['history', 'provenance'])('tells the %s of any ticket', { timeout: INDEX_MS_MAX }, async (what) => {
    const random = createPrng(SEED);
    const times: number[] = [];
    for (let asked = 0; asked < ASKED_TICKETS; asked += 1) {
      const ticket = sampleTicketId(random.below(SAMPLE_SIZES[size]));
      const startedAt = performance.now();
      const response = await ask(node, `/api/v1/tickets/${ticket}/${what}`);
      const text = await response.text();
      times.push(performance.now() - startedAt);
      expect(response.status, text).toBe(200);
      expect(text).toContain(what === 'history' ? '"version":1' : ticket);
    }
    times.sort((a, b) => a - b);
    const numbers = `p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms`;
    tell(`size ${size}: ${what} of ${ASKED_TICKETS} tickets: ${numbers}; load average ${loadavg()[0]?.toFixed(1)}`);
  });

  it('has the same index as one that was killed while it indexed', { timeout: INDEX_MS_MAX }, async () => {
    await node.stop();
    const other = await nodeOver(copy);
    let lastTo = 0;
    let inTheMiddle = 0;
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await other.start();
        const lag = await until(
          async () => {
            const { provenance_lag_blocks: left, head } = await statusOf(other);
            return left !== null && head.height - left > lastTo + head.height / 10
              ? { left, to: head.height - left }
              : undefined;
          },
          { what: 'it to index some blocks', deadlineMs: INDEX_MS_MAX, describe: () => other.logTail() },
        );
        await other.kill();
        if (lag.left === 0) break;
        lastTo = lag.to;
        inTheMiddle += 1;
      }
      tell(`size ${size}: killed ${inTheMiddle} times in the middle, the last time behind block ${lastTo}`);
      if (!other.isRunning) await other.start();
      await untilIndexed(other);
    } finally {
      await other.stop();
    }
    expect(inTheMiddle).toBeGreaterThan(0);
    const [undisturbed, disturbed] = [await rowsOf(home), await rowsOf(copy)];
    expect(disturbed.length).toBe(undisturbed.length);
    expect(disturbed.findIndex((row, index) => row !== undisturbed[index])).toBe(-1);
  });
});
