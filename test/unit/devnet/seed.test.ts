import { describe, expect, it } from 'vitest';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { type SampleOutcome, type SampleTarget, seedSample } from '../../../src/devnet/seed.ts';
import { Hash, Timestamp } from '../../../src/model/ids.ts';
import { signedBytesOf, type Transaction } from '../../../src/model/transaction.ts';
import { createSigner } from '../../../src/node/keys/key-pair.ts';
import { sampleTickets } from '../../../src/sample/tickets.ts';

/** A ledger that takes everything and remembers it. */
function target(more: Partial<SampleTarget> = {}) {
  const taken: Transaction[] = [];
  const tickets = new Set<string>();
  const submit = async (transaction: Transaction): Promise<SampleOutcome> => {
    taken.push(transaction);
    const { operation } = transaction.body;
    if (operation.kind === 'issue') for (const { ticket } of operation.tickets) tickets.add(ticket);
    return { outcome: 'final', height: taken.length, code: null };
  };
  const made: SampleTarget = {
    chainId: Hash('c'.repeat(64)),
    genesisTime: Timestamp(1_780_000_000_000),
    now: () => 1_780_000_001_000,
    lifeMs: 60_000,
    nonce: () => taken.length,
    signer: (name) => createSigner(devnetKeyPair(name).secretKey),
    has: async (ticket) => tickets.has(ticket),
    submit,
    ...more,
  };
  return { target: made, taken, tickets };
}

describe('seeding', () => {
  it('brings event, tiers, roles and tickets, in that order, each signed by its organisation', async () => {
    const { target: ledger, taken, tickets } = target();
    const seeded = await seedSample(ledger, 60);
    expect(seeded).toMatchObject({ ok: true, value: { tickets: 60, added: 60 } });
    expect(tickets.size).toBe(60);
    expect(taken[0]?.body.operation.kind).toBe('event.create');
    expect(taken.at(-1)?.body.operation.kind).toBe('issue');
    for (const transaction of taken) {
      const signer = createSigner(devnetKeyPair(`${transaction.body.organisation}/operator`).secretKey);
      expect(signer.publicKey).toBe(transaction.body.signer);
      expect(signer.sign(signedBytesOf(transaction))).toBe(transaction.signature);
    }
  });

  it('asks for nothing when everything is there', async () => {
    const { target: ledger, taken } = target();
    await seedSample(ledger, 40);
    const before = taken.length;
    expect(await seedSample(ledger, 40)).toMatchObject({ ok: true, value: { added: 0 } });
    expect(taken.length).toBe(before);
  });

  it('adds what is missing only', async () => {
    const { target: ledger } = target();
    await seedSample(ledger, 40);
    expect(await seedSample(ledger, 55)).toMatchObject({ ok: true, value: { tickets: 55, added: 15 } });
  });

  it('takes what somebody else did before as done', async () => {
    const { target: ledger } = target({
      submit: async ({ body }) => ({
        outcome: 'final',
        height: 7,
        code: body.operation.kind === 'event.create' ? 'DUPLICATE_ID' : null,
      }),
    });
    expect((await seedSample(ledger, 1)).ok).toBe(true);
  });

  it('stops at a refusal, and says which', async () => {
    const { target: ledger } = target({
      submit: async ({ body }) => ({
        outcome: 'final',
        height: 7,
        code: body.operation.kind === 'issue' ? 'CAPACITY_EXCEEDED' : null,
      }),
    });
    expect(await seedSample(ledger, 1)).toMatchObject({ ok: false, error: { code: 'CAPACITY_EXCEEDED' } });
  });

  it('stops when nothing is decided', async () => {
    const undecided: SampleOutcome = { outcome: 'undecided', code: 'NO_QUORUM', detail: 'too few' };
    const { target: ledger } = target({ submit: async () => undecided });
    expect(await seedSample(ledger, sampleTickets(1).length)).toMatchObject({
      ok: false,
      error: { code: 'NO_QUORUM' },
    });
  });
});
