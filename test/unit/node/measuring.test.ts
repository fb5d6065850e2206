import { expect, it } from 'vitest';
import type { TicketChange } from '../../../src/model/ticket.ts';
import { createMeasuring } from '../../../src/node/measuring.ts';
import { createMetrics } from '../../../src/node/metrics.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

/** What a new version of a ticket counts as, by what it was before; a case decided and an issue show elsewhere. */
function counterOf(before: TicketChange | undefined, now: TicketChange): string {
  if (before === undefined) return 'issued';
  if (now.state !== before.state) return `tickets_${now.state.toLowerCase()}_total`;
  if (now.standing === 'REVOKED' && before.standing !== 'REVOKED') return 'tickets_revoked_total';
  if (now.standing !== before.standing) return `tickets_${now.standing === 'HELD' ? 'held' : 'released'}_total`;
  return now.epoch > before.epoch ? 'tickets_transferred_total' : 'cases';
}

it('what befell tickets is counted once for each, whatever brought it about', async () => {
  const generator = await ChainGenerator.open(memoryStore(), { seed: 5, transactions: 60 });
  const metrics = createMetrics();
  const measuring = createMeasuring(metrics, generator.chain);
  const expected = new Map<string, number>();
  const known = new Map<string, TicketChange>();
  for (const entry of await generator.grow(20, 'keep')) {
    measuring.final(entry, null);
    for (const change of entry.stored.receipts.flatMap(({ changes }) => changes)) {
      const counter = counterOf(known.get(change.ticket), change);
      expected.set(counter, (expected.get(counter) ?? 0) + 1);
      known.set(change.ticket, change);
    }
  }
  const { text } = await metrics.expose();
  const counted = (name: string): number => Number(new RegExp(`^counterfoil_${name} (\\d+)$`, 'm').exec(text)?.[1]);
  for (const [counter, count] of expected) {
    if (counter === 'issued') continue;
    if (counter === 'cases') expect(counted('cases_opened_total') + counted('cases_resolved_total')).toBe(count);
    else expect([counter, counted(counter)]).toEqual([counter, count]);
  }
  expect([...expected.keys()].sort()).toEqual([
    'cases',
    'issued',
    'tickets_consumed_total',
    'tickets_disputed_total',
    'tickets_held_total',
    'tickets_released_total',
    'tickets_revoked_total',
    'tickets_transferred_total',
    'tickets_validated_total',
  ]);
});
