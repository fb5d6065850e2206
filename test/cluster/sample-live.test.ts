import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockAnswer, TicketAnswer } from '../../src/client/answers.ts';
import { Timestamp } from '../../src/model/ids.ts';
import { TICKET_STATES } from '../../src/model/ticket.ts';
import { irisUnder } from '../../src/provenance/iris.ts';
import { answersOf, type ExpectedAnswer } from '../../src/sample/answers.ts';
import { CAST_SIZE } from '../../src/sample/fate.ts';
import type { Intent, PlannedVersion } from '../../src/sample/intent.ts';
import { planSample, roundsOf, SAMPLE_SIZES } from '../../src/sample/plan.ts';
import { sampleTierTerms, tiersOfNew } from '../../src/sample/setting.ts';
import { sampleTicketId } from '../../src/sample/tickets.ts';
import { KICK_OFF } from '../../src/sample/timeline.ts';
import { auditChain, value } from './support/chain-audit.ts';
import { Cluster } from './support/cluster.ts';
import { IRI_BASE, indexed, rowsOver } from './support/graph-client.ts';
import { actsOf, type Played, playRounds } from './support/live-sample.ts';
import type { NodeProcess } from './support/node-process.ts';
import { IS_LONG, tell } from './support/until.ts';

const TICKETS = IS_LONG ? SAMPLE_SIZES.S : 80;
const SETUP_MS_MAX = 300_000;
const PAGE = 50;
/** Each of them has an engine for queries to start. */
const ASKED_NODES = 2;
/** No empty block comes between the steps. */
const QUIET = { blockIntervalMs: 3_600_000 };
/** On every devnet the box office sells on as well. */
const MARKET = 'boxoffice';
const SILENT = ['illegal-transitions', 'chain-breaks', 'out-of-lease'];

let cluster: Cluster;
let plan: readonly Intent[];
let played: readonly Played[];
let blocks: readonly BlockAnswer[];
let expected: readonly ExpectedAnswer[];

beforeAll(async () => {
  cluster = await Cluster.create({ parameters: QUIET });
  await cluster.startAll();
  const { chainId, organisations } = cluster.genesis;
  const grants = organisations.map(({ id, roles }) => ({ organisation: id, roles }));
  plan = planSample({ tickets: TICKETS, grants, market: MARKET, startsAt: Timestamp(Date.now() + KICK_OFF) });
  const rounds = roundsOf(plan);
  const startedAt = performance.now();
  played = await playRounds(chainId, cluster.nodes, rounds);
  const tookMs = Math.round(performance.now() - startedAt);
  blocks = await auditChain(cluster.nodes, cluster.genesis, await cluster.settled());
  expected = answersAbout(blocks);
  await Promise.all(cluster.nodes.map(indexed));
  tell(`${TICKETS} tickets: ${plan.length} steps in ${rounds.length} rounds and ${blocks.length} blocks, ${tookMs} ms`);
}, SETUP_MS_MAX);

afterAll(async () => {
  await cluster?.close();
});

/** What the questions are to be answered of the plan, at the times that it had on this chain. */
function answersAbout(chain: readonly BlockAnswer[]): readonly ExpectedAnswer[] {
  const iris = irisUnder(IRI_BASE);
  const accepted = plan.filter(({ code, repeats }) => code === null && !repeats);
  const timeOf = (block: BlockAnswer | undefined): number => Date.parse(block?.header.timestamp ?? '');
  const setting = {
    iris,
    tiers: sampleTierTerms(iris),
    tierOf: new Map(accepted.flatMap(({ operation }) => tiersOfNew(operation, iris))),
    tickets: Array.from({ length: CAST_SIZE }, (_, index) => sampleTicketId(index)),
    instant: timeOf(chain[Math.floor(chain.length / 2)]),
    from: cluster.genesis.created,
    until: timeOf(chain.at(-1)) + 1,
  };
  const none = SILENT.map((question) => ({ question, parameters: {}, rows: [] }));
  return [...answersOf(actsOf(played, chain, iris), setting), ...none];
}

async function ticketsIn(node: NodeProcess, state: string): Promise<readonly TicketAnswer[]> {
  const tickets: TicketAnswer[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = value(await node.client.tickets({ state, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) }));
    tickets.push(...page.tickets);
    cursor = page.next;
  }
  return tickets;
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const lineOf = ({ id, version, state, standing }: Pick<TicketAnswer, 'id' | 'version' | 'state' | 'standing'>) =>
  `${id} ${version} ${state} ${standing}`;

describe('the sample, played on a running network', () => {
  it('brings every step the receipt that was planned', () => {
    const firstOf = new Map<string, string>();
    for (const { intent, transaction } of played) {
      if (intent.code !== 'IDEMPOTENCY_KEY_REUSED' && !intent.repeats)
        firstOf.set(intent.idempotencyKey, transaction.id);
    }
    const wanted = played.map(({ intent: { idempotencyKey, code, repeats } }) => ({
      idempotencyKey,
      code: code ?? undefined,
      replay_of: repeats ? firstOf.get(idempotencyKey) : undefined,
    }));
    const brought = played.map(({ intent: { idempotencyKey }, outcome: { receipt } }) => ({
      idempotencyKey,
      code: receipt.code,
      replay_of: receipt.replay_of,
    }));
    expect(played).toHaveLength(plan.length);
    expect(brought).toEqual(wanted);
    const refusals = counted(plan.flatMap(({ code }) => (code === null ? [] : [code])));
    tell(`refused as planned: ${JSON.stringify(refusals)}`);
    for (const code of ['ALREADY_CONSUMED', 'PRICE_ABOVE_CAP', 'SELF_ARBITRATION', 'SEAT_TAKEN', 'UNKNOWN_TICKET']) {
      expect(refusals[code], code).toBeGreaterThan(0);
    }
    expect(plan.filter(({ repeats }) => repeats).length).toBeGreaterThan(0);
  });

  it('leaves every ticket as planned, by the word of every node', async () => {
    const current = new Map<string, PlannedVersion>();
    for (const { versions } of plan) for (const version of versions) current.set(version.ticket, version);
    expect(current.size).toBeGreaterThanOrEqual(TICKETS);
    const wanted = [...current.values()].map(({ ticket, ...rest }) => ({ id: ticket, ...rest }));
    tell(`states: ${JSON.stringify(counted(wanted.map(({ state, standing }) => `${state} ${standing}`)))}`);
    for (const node of cluster.nodes) {
      for (const state of TICKET_STATES) {
        const planned = wanted.filter((one) => one.state === state).map(lineOf);
        expect((await ticketsIn(node, state)).map(lineOf).sort(), `${state} at ${node.name}`).toEqual(planned.sort());
      }
    }
  });

  it('is what the questions tell, with the times that it had here', async () => {
    for (const [place, { question, parameters, rows }] of expected.entries()) {
      const node = cluster.node(place % ASKED_NODES);
      const what = `${question} ${JSON.stringify(parameters)} at ${node.name}`;
      expect(await rowsOver(node, question, parameters), what).toEqual(rows);
    }
  });

  it('has something to tell, but where an honest ledger has nothing', () => {
    const silent = new Set(expected.map(({ question }) => question));
    for (const { question, rows } of expected) if (rows.length > 0) silent.delete(question);
    expect(silent).toEqual(new Set(SILENT));
  });

  it('gives the same rows under the names of the questions', async () => {
    for (const name of ['reconcile', 'disputes', 'custody-resale', ...SILENT]) {
      const rows = expected.find(({ question }) => question === name)?.rows ?? [];
      const heights = cluster.nodes.slice(0, ASKED_NODES).map(async ({ client }) => {
        const { text, height } = value(await client.question(name, {}, 'text/csv'));
        expect(text.trimEnd().split(/\r?\n/).length - 1, name).toBe(rows.length);
        return height;
      });
      expect(new Set(await Promise.all(heights))).toEqual(new Set([blocks.length]));
    }
    const sheet = expected.find(({ question }) => question === 'reconcile')?.rows ?? [];
    const tickets = plan
      .filter(({ code }) => code === null)
      .flatMap(({ operation }) => tiersOfNew(operation, irisUnder(IRI_BASE)));
    expect(sheet.reduce((sum, row) => sum + Number(row.at(-1)), 0)).toBe(tickets.length);
  });
});
