import { expect } from 'vitest';
import { auditChain, ticketsOf, value } from './chain-audit.ts';
import type { Cluster } from './cluster.ts';
import { SignedVotes } from './journal-audit.ts';
import type { Acknowledged } from './load.ts';

/** Everything that was said to be final is so on every node, where and as it was said. */
export async function expectKept(cluster: Cluster, acknowledged: readonly Acknowledged[]): Promise<void> {
  const height = await cluster.settled();
  const blocks = await auditChain(cluster.nodes, cluster.genesis, height);
  const places = new Map(blocks.flatMap(({ hash, transactions }) => transactions.map(({ id }) => [id, hash] as const)));
  expect(acknowledged.filter(({ id, blockHash }) => places.get(id) !== blockHash)).toEqual([]);
  const issued = blocks.flatMap(({ transactions }) =>
    transactions.flatMap(({ type, receipt, operation }) => {
      const list = operation['tickets'];
      return type === 'issue' && receipt.accepted && receipt.replay_of === undefined && Array.isArray(list) ? list : [];
    }),
  );
  for (const node of cluster.nodes) {
    const tickets = await ticketsOf(node);
    expect(acknowledged.filter(({ ticket }) => tickets.get(ticket)?.state !== 'ISSUED')).toEqual([]);
    expect(tickets.size, `tickets on ${node.name}, and tickets issued in its blocks`).toBe(issued.length);
  }
}

export async function expectNoEvidence(cluster: Cluster): Promise<void> {
  for (const { client, name } of cluster.nodes) expect(value(await client.evidence()).evidence, name).toEqual([]);
}

/** Stops every node and reads in its journal that it never contradicted itself. */
export async function expectConsistentVotes(cluster: Cluster): Promise<void> {
  const votes = new SignedVotes();
  for (const node of cluster.nodes) {
    await node.stop();
    await votes.addJournal(node, cluster.genesis);
  }
  expect(votes.contradictions).toEqual([]);
  expect(votes.size).toBeGreaterThan(0);
}
