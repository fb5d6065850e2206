import type { BlockAnswer, TransactionAnswer } from '../../../src/client/answers.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { EventId, GateId, Hash, TicketId, TierId } from '../../../src/model/ids.ts';
import { CASE_OUTCOMES } from '../../../src/model/operation.ts';
import { STANDINGS, TICKET_STATES } from '../../../src/model/ticket.ts';
import { irisUnder } from '../../../src/provenance/iris.ts';
import { ACTIVITIES, expand, OUTCOME_NAMES } from '../../../src/provenance/vocabulary.ts';
import { type Act, REJECTED, REPETITION } from '../../../src/sample/act.ts';
import { answersOf, type ExpectedAnswer, type Setting } from '../../../src/sample/answers.ts';
import type { PlannedVersion } from '../../../src/sample/intent.ts';
import { ticketsOf, value } from './chain-audit.ts';
import { IRI_BASE } from './graph-client.ts';
import { MATCH, STAND, STAND_TIER } from './night-match.ts';
import type { NodeProcess } from './node-process.ts';

const IRIS = irisUnder(IRI_BASE);
const HOUR_MS = 3_600_000;

/** What the blocks and histories of a node say was done, without its graph. */
async function actsOf(node: NodeProcess, blocks: readonly BlockAnswer[]): Promise<readonly Act[]> {
  const versions = await versionsOf(node);
  return blocks.flatMap(({ header, transactions }) =>
    transactions.map((transaction, index): Act => {
      const { receipt, operation } = transaction;
      const isScan = transaction.type === 'consume' || transaction.type === 'admit';
      const repeats = receipt.replay_of !== undefined;
      const at = Date.parse(header.timestamp);
      const outcome = CASE_OUTCOMES.find((one) => one === operation['outcome']);
      return {
        id: IRIS.transaction(Hash(transaction.id)),
        kind: repeats ? REPETITION : receipt.accepted ? ACTIVITIES[transaction.type] : REJECTED,
        agent: IRIS.agent(transaction.organisation),
        at,
        heard: at,
        height: header.height,
        index,
        tickets: ticketsIn(transaction),
        gate: isScan && !repeats ? IRIS.gate(GateId(String(operation['gate']))) : null,
        key: transaction.idempotency_key,
        code: receipt.code ?? null,
        price: typeof operation['price'] === 'number' && transaction.type === 'transfer' ? operation['price'] : null,
        reason: typeof operation['reason'] === 'string' ? operation['reason'] : null,
        outcome: outcome === undefined ? null : expand(OUTCOME_NAMES[outcome]),
        versions: versions.get(transaction.id) ?? [],
      };
    }),
  );
}

function ticketsIn({ operation }: TransactionAnswer): readonly TicketId[] {
  const { tickets, ticket_id: ticket, replacement } = operation;
  const all = [...(Array.isArray(tickets) ? tickets : []), ...(ticket === undefined ? [] : [ticket]), replacement];
  return all.flatMap((one: unknown) => {
    if (typeof one === 'string') return [TicketId(one)];
    const hasId = typeof one === 'object' && one !== null && 'ticket_id' in one;
    return hasId ? [TicketId(String(one.ticket_id))] : [];
  });
}

/** Of every ticket, by the transaction that made them. */
async function versionsOf(node: NodeProcess): Promise<ReadonlyMap<string, readonly PlannedVersion[]>> {
  const found = new Map<string, PlannedVersion[]>();
  for (const id of (await ticketsOf(node)).keys()) {
    const { versions } = value(await node.client.history(id, { limit: 500 }));
    for (const { version, state, standing, transaction_id: transaction } of versions) {
      const one = {
        ticket: TicketId(id),
        version,
        state: named(TICKET_STATES, state),
        standing: named(STANDINGS, standing),
      };
      found.set(transaction, [...(found.get(transaction) ?? []), one]);
    }
  }
  return found;
}

function named<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((one) => one === text);
  if (found === undefined) throw new Error(`${text} is none of ${names.join(', ')}`);
  return found;
}

/** What the questions are to be answered about the night match, by what a node says of its blocks and tickets. */
export async function expectedOf(
  node: NodeProcess,
  genesis: Genesis,
  blocks: readonly BlockAnswer[],
): Promise<readonly ExpectedAnswer[]> {
  const acts = await actsOf(node, blocks);
  const tickets = [...(await ticketsOf(node)).keys()].map((id) => TicketId(id));
  const tier = IRIS.tier(EventId(MATCH), TierId(STAND));
  const middle = acts[Math.floor(acts.length / 2)]?.at ?? 0;
  const setting: Setting = {
    iris: IRIS,
    tiers: new Map([[tier, STAND_TIER]]),
    tierOf: new Map(tickets.map((ticket) => [ticket, tier])),
    tickets: [...tickets, TicketId('forged')],
    instant: middle,
    from: genesis.created,
    until: Date.now() + HOUR_MS,
  };
  const none = ['illegal-transitions', 'chain-breaks', 'out-of-lease'];
  return [
    ...answersOf(acts, setting),
    ...none.map((question) => ({ question, parameters: {}, rows: [] })),
    { question: 'authorities', parameters: {}, rows: await authoritiesOf(node, genesis, blocks) },
  ];
}

async function authoritiesOf(node: NodeProcess, { authorities }: Genesis, blocks: readonly BlockAnswer[]) {
  const certificates = await Promise.all(blocks.map(({ header }) => node.client.certificate(header.height)));
  const seats = certificates.flatMap((answered) => value(answered).certificate.signatures.map(({ seat }) => seat));
  return authorities.map(({ id, organisation }, seat) => [
    IRIS.authority(id),
    IRIS.agent(organisation),
    `${seats.filter((one) => one === seat).length}`,
    `${blocks.filter(({ header }) => header.proposer === seat).length}`,
    '0',
  ]);
}
