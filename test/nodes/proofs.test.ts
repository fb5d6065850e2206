import { describe, expect, it } from 'vitest';
import { createProver } from '../../src/api/node-proofs.ts';
import { writeGenesis } from '../../src/ledger/genesis-document.ts';
import { PROOFS_WAITING_MAX } from '../../src/model/graph-limits.ts';
import { TicketId } from '../../src/model/ids.ts';
import { heightKey, TABLES } from '../../src/store/schema.ts';
import type { Verdict } from '../../src/verifier/verdict.ts';
import { verifyBundle } from '../../src/verifier/verify.ts';
import { chainOf, FATES, FOUNDING } from '../support/proof-chain.ts';
import { admit, openWorld } from '../support/small-office.ts';
import { SmallWorld } from '../support/small-world.ts';
import { copyOf } from '../support/stores.ts';

const T1 = TicketId('t1');
const ALL = { history: true, graphs: true };
const STATE = { history: false, graphs: false };

function verified(proof: Uint8Array, genesis: Uint8Array): Verdict {
  const result = verifyBundle(proof, genesis);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe('the proofs of a running node', () => {
  async function proven(world: SmallWorld, seat: number, ticket = T1, wanted = ALL): Promise<Verdict> {
    const proof = await world.reader(seat).proof(ticket, wanted);
    if (!proof.ok) throw new Error(proof.error);
    return verified(proof.value, writeGenesis(world.genesis));
  }

  it('hold whichever node they are of, with all that became of the ticket', async () => {
    const world = openWorld({}, 't1');
    world.finalise(0, world.transaction('venue', admit('t1')));
    world.run(50);
    for (const seat of [0, 1, 2, 3]) {
      const { record, history, signers } = await proven(world, seat);
      expect(record).toMatchObject({ state: 'CONSUMED', version: 3 });
      expect(history?.map(({ type }) => type)).toEqual(['issue', 'validate', 'admit']);
      expect(history?.every(({ graph }) => graph?.endsWith(' .\n'))).toBe(true);
      expect(signers).toHaveLength(3);
    }
    expect(await proven(world, 0, TicketId('t2'))).toMatchObject({ record: null, history: null });
  });

  it('are of one block, while the store is still writing the next one', async () => {
    const world = openWorld({}, 't1');
    void world.submit(1, world.transaction('venue', admit('t1')));
    const seen = new Set<string>();
    for (let step = 0; step < 100; step += 1) {
      world.run(0.3);
      const { record, height } = await proven(world, 1, T1, STATE);
      expect(height).toBe(world.machine(1).chain.visibleHead.header.height);
      seen.add(`${record?.state}`);
    }
    expect(seen).toEqual(new Set(['VALIDATED', 'CONSUMED']));
  });

  it('need a block that was signed', async () => {
    const world = SmallWorld.started();
    if (world.machine(0).chain.head.height > 0) throw new Error('nothing was asked of this world');
    expect(await world.reader(0).proof(T1, STATE)).toEqual({ ok: false, error: 'NOTHING_FINAL' });
  });
});

describe('many who ask at once', () => {
  it('get their proofs one after another, and those who are too many are told', async () => {
    const chain = await chainOf(FATES);
    const prove = createProver(await copyOf(chain.store), chain.genesis.iriBase);
    const asked = Array.from({ length: PROOFS_WAITING_MAX + 3 }, () => prove(TicketId('A-1'), ALL));
    // A state alone is a matter of a moment: nobody waits for it.
    expect(await prove(TicketId('A-1'), STATE)).toMatchObject({ ok: true });
    const answers = await Promise.all(asked);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(PROOFS_WAITING_MAX);
    expect(answers.slice(-3)).toEqual(Array.from({ length: 3 }, () => ({ ok: false, error: 'BUSY' })));
    const [first] = answers;
    expect(first?.ok && verified(first.value, chain.genesisBytes).history).toHaveLength(3);
    expect(await prove(TicketId('A-1'), ALL)).toEqual(first);
  });
});

describe('a store that does not hold everything', () => {
  it('proves what it still can', async () => {
    const chain = await chainOf(FATES);
    const { iriBase } = chain.genesis;
    // Block 2 is the first of three that share a certificate.
    const pruned = await copyOf(chain.store, [{ table: TABLES.blocks, key: heightKey(2), value: undefined }]);
    const proof = (ticket: string, wanted: typeof ALL) => createProver(pruned, iriBase)(TicketId(ticket), wanted);
    expect(await proof('A-1', ALL)).toEqual({ ok: false, error: 'NOT_KEPT' });
    const state = await proof('A-1', STATE);
    expect(state.ok && verified(state.value, chain.genesisBytes).record?.state).toBe('CONSUMED');
    expect(await proof('B-1', ALL)).toMatchObject({ ok: true });
    expect(await proof('nobody', ALL)).toMatchObject({ ok: true });
  });

  it('and not with a history that it came too late for', async () => {
    const chain = await chainOf(FATES);
    const [first] = [...chain.store.range(TABLES.history, { limit: 1 })];
    const late = await copyOf(
      chain.store,
      first === undefined ? [] : [{ table: TABLES.history, key: first.key, value: undefined }],
    );
    const proof = await createProver(late, chain.genesis.iriBase)(TicketId('A-1'), ALL);
    expect(proof).toEqual({ ok: false, error: 'NOT_KEPT' });
  });

  it('nor without the headers that lead to the signatures', async () => {
    const chain = await chainOf([[FOUNDING], [[], []]]);
    const cut = await copyOf(chain.store, [{ table: TABLES.blocks, key: heightKey(3), value: undefined }]);
    const proof = await createProver(cut, chain.genesis.iriBase)(TicketId('A-1'), STATE);
    expect(proof).toEqual({ ok: false, error: 'NOT_KEPT' });
  });
});
