import type { BlockAnswer } from '../../../src/client/answers.ts';
import type { Client } from '../../../src/client/http.ts';
import { type FinalTransaction, untilFinal } from '../../../src/client/wait.ts';
import { defined } from '../../../src/lib/assert.ts';
import { type Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import type { Transaction } from '../../../src/model/transaction.ts';
import type { Iris } from '../../../src/provenance/iris.ts';
import { type Act, actOf } from '../../../src/sample/act.ts';
import { type Intent, operationOf } from '../../../src/sample/intent.ts';
import { value } from './chain-audit.ts';
import type { NodeProcess } from './node-process.ts';
import { signed } from './transactions.ts';

const WAIT_MS = 20_000;
const LANES_PER_NODE = 8;

/** A step that was sent to a node, and what it came to itself. */
export interface Played {
  readonly intent: Intent;
  readonly transaction: Transaction;
  readonly outcome: FinalTransaction;
}

/** Round after round, each step sent to another node than the one before; answers when all of them are final. */
export async function playRounds(
  chainId: Hash,
  nodes: readonly NodeProcess[],
  rounds: readonly (readonly Intent[])[],
): Promise<readonly Played[]> {
  const played: Played[] = [];
  const idOf = new Map<string, Hash>();
  let sent = 0;
  for (const round of rounds) {
    const left = round.values();
    const ofRound: Played[] = [];
    const lane = async (): Promise<void> => {
      for (const intent of left) {
        const { client } = defined(nodes[sent % nodes.length], 'there is a node to ask');
        sent += 1;
        const { organisation, idempotencyKey } = intent;
        const transaction = signed(chainId, organisation, operationOf(intent, idOf), { idempotencyKey });
        ofRound.push({ intent, transaction, outcome: await submitted(client, transaction) });
      }
    };
    await Promise.all(Array.from({ length: LANES_PER_NODE * nodes.length }, lane));
    for (const { intent, transaction } of ofRound) {
      if (!idOf.has(intent.idempotencyKey)) idOf.set(intent.idempotencyKey, transaction.id);
    }
    played.push(...ofRound);
  }
  return played;
}

async function submitted(client: Client, transaction: Transaction): Promise<FinalTransaction> {
  const answered = await client.submit(transaction, { waitMs: WAIT_MS });
  // A refusal is final as well, and answered as an error; a repetition is answered with what it repeats.
  if (!answered.ok && answered.error.transactionId === undefined) return value(answered);
  return value(await untilFinal(client, transaction.id, { timeoutMs: WAIT_MS }));
}

/** What was done, as it was planned, in the order of the chain: of the chain only the places and times are taken. */
export function actsOf(played: readonly Played[], blocks: readonly BlockAnswer[], iris: Iris): readonly Act[] {
  const stepOf = new Map<string, Played>(played.map((step) => [step.transaction.id, step]));
  return blocks.flatMap(({ header, transactions }) =>
    transactions.map(({ id }, index) => {
      const { intent, transaction } = defined(stepOf.get(id), `${id} was sent`);
      const timestamp = Timestamp(Date.parse(header.timestamp));
      return actOf({ intent, transaction, height: Height(header.height), index, timestamp }, iris);
    }),
  );
}
