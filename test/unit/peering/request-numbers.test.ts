import { expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { FIRST_REQUESTS } from '../../../src/peering/request-numbers.ts';
import { beginTransfer, snapshotBeginning, stepSnapshot } from '../../../src/peering/snapshot.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';
import { honest, SyncWorld } from './sync-world.ts';

it('questions about blocks and those about a snapshot never have one number', async () => {
  const generator = await ChainGenerator.open(memoryStore(), { seed: 3, transactions: 2, blocksPerCertificateMax: 1 });
  await generator.grow(40);
  const { chain, genesis, set } = generator;
  const jurisdiction = { chainId: genesis.chainId, authorities: set, check: createSignatureCheck() };
  const world = new SyncWorld({ jurisdiction, genesisHash: defined(chain.block(0), 'genesis').hash });
  world.sync.nextRequest = FIRST_REQUESTS.snapshot - 1;
  world.join('honest', honest(generator));
  expect(world.until(() => world.height === chain.head.height)).toBe(true);
  expect(world.sync.nextRequest).toBeLessThan(100);

  const { header, hash, certificate } = chain.visibleHead;
  const target = { header, hash, certificate: defined(certificate ?? undefined, 'it is final') };
  const parts = { target, jurisdiction, transactionLifeMsMax: 1, trusted: undefined };
  const transfer = beginTransfer(parts, snapshotBeginning(target));
  const snapshot = { height: header.height, hash };
  const asked = stepSnapshot(transfer, { type: 'offer', peer: 'honest', snapshot }, 0).flatMap((effect) =>
    effect.type === 'ask' ? [effect.message.request] : [],
  );
  expect(asked.length).toBe(2);
  for (const request of asked) {
    expect(request).toBeGreaterThan(FIRST_REQUESTS.snapshot);
    expect(request).toBeLessThan(FIRST_REQUESTS.history);
  }
});
