import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answered } from '../../src/client/call.ts';
import { defined } from '../../src/lib/assert.ts';
import { sampleTickets } from '../../src/sample/tickets.ts';
import { auditChain, ticketsOf, value } from './support/chain-audit.ts';
import { type DevnetOfClients, startDevnetOfClients } from './support/devnet.ts';
import { consumeOf, signed, validateOf } from './support/transactions.ts';
import { tell, until } from './support/until.ts';

const TICKETS = 500;
const CONTESTED = 100;
const SAMPLE = sampleTickets(TICKETS).map(({ ticket }) => ticket);
const [CONTESTED_TICKETS, OTHER_TICKETS] = [SAMPLE.slice(0, CONTESTED), SAMPLE.slice(CONTESTED)];

let devnet: DevnetOfClients;

beforeAll(async () => {
  devnet = await startDevnetOfClients(4, TICKETS);
});

afterAll(async () => {
  await devnet?.close();
});

function node(index: number) {
  return defined(devnet.nodes[index % devnet.nodes.length], 'the devnet has nodes');
}

function codeOf(answered: Answered<unknown>): string {
  return answered.ok ? 'OK' : answered.error.code;
}

/** Waits until every node has finalised the same block; answers its height. */
async function sharedHeight(): Promise<number> {
  return await until(
    async () => {
      const heads = await Promise.all(devnet.nodes.map(async ({ client }) => value(await client.status()).head));
      return new Set(heads.map(({ hash }) => hash)).size === 1 && heads[0]?.height;
    },
    { what: 'the nodes to hold one head', deadlineMs: 20_000 },
  );
}

describe('four processes with 500 sample tickets', () => {
  it('hold every sample ticket as final, the same on each', async () => {
    expect(devnet.tickets).toBe(TICKETS);
    await sharedHeight();
    for (const asked of devnet.nodes) {
      const tickets = await ticketsOf(asked);
      expect([...tickets.keys()].sort()).toEqual([...SAMPLE].sort());
      expect(new Set([...tickets.values()].map(({ state }) => state))).toEqual(new Set(['ISSUED']));
    }
  });

  it('take the steps of a ticket through different nodes', async () => {
    const steps = OTHER_TICKETS.slice(0, 40).map(async (ticket, index) => {
      const validated = value(await node(index).client.validate({ ticket_id: ticket }));
      const consumed = value(await node(index + 1).client.consume({ ticket_id: ticket }));
      expect(consumed.height).toBeGreaterThan(validated.height);
      expect(codeOf(await node(index + 2).client.validate({ ticket_id: ticket }))).not.toBe('OK');
      return await until(async () => value(await node(index + 3).client.ticket(ticket)).state === 'CONSUMED', {
        what: `${ticket} to be consumed on ${node(index + 3).name}`,
        deadlineMs: 5_000,
      });
    });
    await Promise.all(steps);
  });

  it('admit a ticket once when all four are asked at once, a hundred times over', async () => {
    value(await node(0).client.validate({ tickets: CONTESTED_TICKETS }));
    const outcomes = await Promise.all(
      CONTESTED_TICKETS.map(async (ticket) => {
        const answers = await Promise.all(devnet.nodes.map(({ client }) => client.consume({ ticket_id: ticket })));
        return { ticket, answers };
      }),
    );
    for (const { ticket, answers } of outcomes) {
      expect(answers.map(codeOf).sort(), ticket).toEqual([...Array(3).fill('ALREADY_CONSUMED'), 'OK']);
      const winner = value(
        defined(
          answers.find(({ ok }) => ok),
          'one scan went through',
        ),
      );
      expect(winner.ticket).toMatchObject({ state: 'CONSUMED', first_scan: { transaction_id: winner.transaction_id } });
      for (const answer of answers) {
        if (answer.ok) continue;
        expect(answer.error).toMatchObject({ status: 409, firstScan: { transaction_id: winner.transaction_id } });
        expect(answer.error.height).toBeGreaterThanOrEqual(winner.height);
      }
    }
  });

  it('tell of each admission in one version of its ticket', async () => {
    await sharedHeight();
    for (const [index, ticket] of CONTESTED_TICKETS.slice(0, 20).entries()) {
      const { versions } = value(await node(index).client.history(ticket));
      expect(versions.map(({ state }) => state)).toEqual(['ISSUED', 'VALIDATED', 'CONSUMED']);
    }
  });

  it('answer one organisation alike under one idempotency key, whichever node it asks', async () => {
    const { chainId } = devnet.genesis;
    const [first = '', second = ''] = OTHER_TICKETS.slice(100);
    const submit = (through: number, idempotencyKey: string, ticket: string) =>
      node(through).client.submit(signed(chainId, 'boxoffice', validateOf(ticket), { idempotencyKey }), {
        waitMs: 10_000,
      });
    const answers = await Promise.all([0, 1, 2, 3].map((through) => submit(through, 'gate-7/0001', first)));
    const [original, ...repeated] = answers.map(value);
    expect(original).toMatchObject({ state: 'final', receipt: { accepted: true } });
    expect(repeated).toEqual([original, original, original]);
    expect(value(await node(1).client.history(first)).versions).toHaveLength(2);

    const reused = await submit(2, 'gate-7/0001', second);
    expect(reused.ok ? 'OK' : reused.error).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', status: 422 });
    expect(value(await node(3).client.ticket(second)).state).toBe('ISSUED');
  });

  it('do one transaction once, however many nodes it is sent to', async () => {
    const transaction = signed(devnet.genesis.chainId, 'boxoffice', validateOf(OTHER_TICKETS[120] ?? ''));
    const sent = devnet.nodes.flatMap(({ client }) => [client, client, client]);
    const answers = await Promise.all(sent.map((client) => client.submit(transaction, { waitMs: 10_000 })));
    const heights = answers.map((answer) => {
      const final = value(answer);
      return final.state === 'final' ? final.height : final.state;
    });
    expect(new Set(heights).size).toBe(1);
    expect(heights[0]).toBeTypeOf('number');
  });

  it('refuse what the ledger refuses, with its code, and record nothing of it as done', async () => {
    const { chainId } = devnet.genesis;
    const untouched = OTHER_TICKETS[130] ?? '';
    const refused = await Promise.all([
      node(0).client.consume({ ticket_id: untouched }),
      node(1).client.validate({ ticket_id: 'no-such-ticket' }),
      node(2).client.validate({ tickets: [untouched, untouched] }),
      node(3).client.submit(signed(chainId, 'boxoffice', consumeOf('no-such-ticket')), { waitMs: 10_000 }),
    ]);
    expect(refused.map(codeOf)).toEqual(['NOT_VALIDATED', 'UNKNOWN_TICKET', expect.any(String), 'UNKNOWN_TICKET']);
    expect(codeOf(defined(refused[2], 'the third call'))).not.toBe('OK');
    expect(value(await node(0).client.ticket(untouched)).state).toBe('ISSUED');
  });

  it('agree on every block, state root, receipt and certificate, which hold under genesis alone', async () => {
    const height = await sharedHeight();
    const blocks = await auditChain(devnet.nodes, devnet.genesis, height);
    const receipts = blocks.flatMap(({ transactions }) => transactions.map(({ receipt }) => receipt));
    tell(`${height} blocks with ${receipts.length} transactions, the same on ${devnet.nodes.length} nodes`);
    expect(receipts.length).toBeGreaterThan(4 * CONTESTED);
    const consumed = blocks.flatMap(({ transactions }) =>
      transactions
        .filter(({ type, receipt }) => type === 'consume' && receipt.accepted)
        .map(({ operation }) => operation['ticket_id']),
    );
    expect(new Set(consumed).size).toBe(consumed.length);
    expect(consumed).toHaveLength(CONTESTED + 40);
    const evidence = await Promise.all(devnet.nodes.map(async ({ client }) => value(await client.evidence()).evidence));
    expect(evidence).toEqual(devnet.nodes.map(() => []));
  });
});
