import { randomInt } from 'node:crypto';
import type { Seed } from '../api/ports.ts';
import { stateKey } from '../ledger/records.ts';
import { TICKET } from '../ledger/ticket-record.ts';
import { Height } from '../model/ids.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import type { Node } from '../node/node.ts';
import { SAMPLE_EVENT } from '../sample/tickets.ts';
import { devnetKeyPair } from './keys.ts';
import { SAMPLE_TICKETS } from './sample.ts';
import { type SampleOutcome, seedSample } from './seed.ts';

/** How long one transaction of the sample may take. */
const WAIT_MS = 30_000;

/** Brings the sample onto the chain through the node that is asked. */
export function createSeed(node: Node): Seed {
  const { genesis, chain, clock } = node.parts;
  return async () => {
    const seeded = await seedSample(
      {
        chainId: genesis.chainId,
        genesisTime: genesis.created,
        now: () => clock.now(),
        lifeMs: Math.min(WAIT_MS, genesis.parameters.transactionLifeMsMax),
        nonce: () => randomInt(2 ** 47),
        signer: (name) => createSigner(devnetKeyPair(name).secretKey),
        has: (ticket) => Promise.resolve(chain.get(stateKey(TICKET, ticket)) !== undefined),
        submit: async (transaction): Promise<SampleOutcome> => {
          const submitted = await node.submit(transaction, WAIT_MS);
          if (submitted.outcome === 'final') {
            return { outcome: 'final', height: submitted.height, code: submitted.receipt.code };
          }
          return submitted.outcome === 'pending'
            ? { outcome: 'undecided', code: 'NOT_FINAL_YET', detail: 'the sample is not final yet; ask again' }
            : { outcome: 'undecided', code: submitted.code, detail: submitted.detail };
        },
      },
      SAMPLE_TICKETS,
    );
    if (!seeded.ok) return { outcome: 'not-admitted', ...seeded.error };
    const { tickets, added, height } = seeded.value;
    return {
      outcome: 'final',
      event: SAMPLE_EVENT,
      tickets,
      added,
      height: height === 0 ? chain.head.height : Height(height),
    };
  };
}
