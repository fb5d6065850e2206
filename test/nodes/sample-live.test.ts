import '../setup/native-hash.ts';
import { expect, it } from 'vitest';
import { devnetRoles } from '../../src/devnet/genesis.ts';
import { DEVNET_ORGANISATIONS } from '../../src/devnet/plan.ts';
import { stateKey } from '../../src/ledger/records.ts';
import { TICKET } from '../../src/ledger/ticket-record.ts';
import { defined } from '../../src/lib/assert.ts';
import { decode } from '../../src/model/codec.ts';
import { type Hash, Timestamp } from '../../src/model/ids.ts';
import type { Transaction } from '../../src/model/transaction.ts';
import type { Intent, PlannedVersion } from '../../src/sample/intent.ts';
import { planSample, roundsOf } from '../../src/sample/plan.ts';
import { SmallWorld } from '../support/small-world.ts';

const grants = DEVNET_ORGANISATIONS.map((organisation) => ({ organisation, roles: devnetRoles(organisation) }));

/** Sends what may be sent at once, to one node after the other, and waits until all of it is final everywhere. */
function sendRound(world: SmallWorld, round: readonly Intent[], ids: Map<string, Hash>): readonly Transaction[] {
  const sent = round.map(({ organisation, operation, idempotencyKey, evidence }) => {
    const spoken = evidence === null ? undefined : ids.get(evidence);
    const real =
      operation.kind === 'case.open' && spoken !== undefined ? { ...operation, evidence: spoken } : operation;
    return world.transaction(organisation, real, { key: idempotencyKey });
  });
  for (const [index, transaction] of sent.entries()) {
    ids.set(defined(round[index], 'each has its intent').idempotencyKey, transaction.id);
    void world.submit(index % world.machines.length, transaction, 20_000);
  }
  world.until(() => world.machines.every(({ chain }) => sent.every(({ id }) => chain.place(id) !== undefined)));
  return sent;
}

it('a network of whole nodes makes of the sample what it is to make, in the order of its own', () => {
  const world = SmallWorld.started();
  const startsAt = Timestamp(world.genesis.created + 86_400_000);
  const rounds = roundsOf(planSample({ tickets: 80, grants, market: 'boxoffice', startsAt }));
  const ids = new Map<string, Hash>();
  const last = new Map<string, PlannedVersion>();
  for (const round of rounds) {
    const sent = sendRound(world, round, ids);
    const { chain } = world.machine(0);
    for (const [index, { id }] of sent.entries()) {
      const { height, index: place } = defined(chain.place(id), 'it is final');
      const receipt = defined(chain.block(height)?.receipts[place], 'it has a receipt');
      const intent = defined(round[index], 'each has its intent');
      expect([receipt.code, receipt.replayOf !== null], intent.idempotencyKey).toEqual([intent.code, intent.repeats]);
      for (const version of intent.versions) last.set(version.ticket, version);
    }
  }
  world.checkAgreement();
  expect(last.size).toBeGreaterThanOrEqual(80);
  for (const { chain } of world.machines) {
    for (const { ticket, version, state, standing } of last.values()) {
      const bytes = defined(chain.get(stateKey(TICKET, ticket)), `${ticket} is there`);
      const record = decode(TICKET.layout, bytes);
      expect(record.ok && record.value).toMatchObject({ version, state, standing });
    }
  }
});
