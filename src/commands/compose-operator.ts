import { randomInt } from 'node:crypto';
import type { Operator } from '../api/ports.ts';
import { Timestamp } from '../model/ids.ts';
import { CLOCK_TOLERANCE_MS, OPERATOR_LIFE_MS } from '../model/limits.ts';
import { type Intent, sealTransaction, transactionSigningBytes } from '../model/transaction.ts';
import { systemClock } from '../node/clock.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import type { Node } from '../node/node.ts';
import { type AskPassphrase, openKey } from './opening.ts';

/** The organisation's key that signs what the node's own HTTP writes ask for. */
export async function openOperator(config: NodeConfig, ask: AskPassphrase, node: Node): Promise<Operator | undefined> {
  const key = await openKey(config.node.operatorKeyFile, 'client', ask);
  if (key === undefined) return undefined;
  const signer = createSigner(key.secretKey);
  const organisation = node.organisationOf(signer.publicKey);
  if (organisation === undefined) return undefined;
  const { genesis } = node.parts;
  // At the limit of the chain, a primary whose clock is a little behind could not take it at once.
  const lifeMs = Math.min(OPERATOR_LIFE_MS, genesis.parameters.transactionLifeMsMax - CLOCK_TOLERANCE_MS);
  return {
    organisation,
    sign: (intent: Intent, key: string | null) => {
      const body = {
        chainId: genesis.chainId,
        organisation,
        signer: signer.publicKey,
        expiresAt: Timestamp(systemClock.now() + lifeMs),
        nonce: randomInt(2 ** 47),
        idempotencyKey: key,
        ...intent,
      };
      return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
    },
    earlier: (intent, key) => node.earlier(organisation, intent, key),
  };
}
