import { describe, expect, it } from 'vitest';
import { sampleCatalogue, sampleIssues } from '../../../src/devnet/sample.ts';
import { encode } from '../../../src/model/codec.ts';
import { TICKETS_PER_TRANSACTION_MAX, TRANSACTION_BYTES_MAX } from '../../../src/model/limits.ts';
import { operationLayout } from '../../../src/model/operation.ts';
import type { SampleStep } from '../../../src/sample/catalogue.ts';
import { SAMPLE_CAPACITY, sampleTicketId, sampleTickets } from '../../../src/sample/tickets.ts';

function ticketsIn(steps: readonly SampleStep[]): readonly string[] {
  return steps.flatMap(({ operation }) =>
    operation.kind === 'issue' ? operation.tickets.map(({ ticket }) => ticket) : [],
  );
}

describe('the sample', () => {
  it('has the same ids on every machine', () => {
    expect([0, 1, 499].map(sampleTicketId)).toEqual([
      '1xtekp6hr6rv6240hv16',
      'kd40mfwpqq87ps1t27ea',
      sampleTicketId(499),
    ]);
    for (const { ticket } of sampleTickets(50)) expect(ticket).toMatch(/^[0-9a-hjkmnp-tv-z]{20}$/);
  });

  it('begins alike at every size', () => {
    expect(sampleTickets(2_000).slice(0, 500)).toEqual(sampleTickets(500));
  });

  it('names every ticket and every seat once', () => {
    const tickets = sampleTickets(10_000);
    expect(new Set(tickets.map(({ ticket }) => ticket)).size).toBe(10_000);
    expect(new Set(tickets.map(({ seat }) => seat)).size).toBe(10_000);
  });

  it('has 15, 35 and 50 of a hundred in its tiers', () => {
    const counts = new Map<string, number>();
    for (const { tier } of sampleTickets(500)) counts.set(tier, (counts.get(tier) ?? 0) + 1);
    expect([...counts.values()].sort((a, b) => a - b)).toEqual([75, 175, 250]);
  });

  it('fits the capacities of its tiers at every size', () => {
    const capacities = new Map<string, number>();
    for (const { operation } of sampleCatalogue()) {
      if (operation.kind === 'tier.create') capacities.set(operation.tier, operation.capacity);
    }
    expect([...capacities.values()].reduce((sum, capacity) => sum + capacity, 0)).toBe(SAMPLE_CAPACITY);
  });

  it('issues each ticket once, in transactions that the chain takes', () => {
    const tickets = sampleTickets(2_345);
    const issues = sampleIssues(tickets);
    expect([...ticketsIn(issues)].sort()).toEqual(tickets.map(({ ticket }) => ticket).sort());
    for (const { operation } of issues) {
      if (operation.kind !== 'issue') continue;
      expect(operation.tickets.length).toBeLessThanOrEqual(TICKETS_PER_TRANSACTION_MAX);
      expect(encode(operationLayout, operation).length).toBeLessThan(TRANSACTION_BYTES_MAX);
    }
  });

  it('gives every transaction an idempotency key of its own', () => {
    const keys = [...sampleCatalogue(), ...sampleIssues(sampleTickets(1_000))].map((step) => step.idempotencyKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
