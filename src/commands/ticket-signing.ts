import type { WriteAnswer } from '../client/answers.ts';
import type { Client } from '../client/http.ts';
import { clientKeyOf, signTransaction } from '../client/sign.ts';
import { submitUntilFinal } from '../client/wait.ts';
import { parseGenesis } from '../ledger/genesis-document.ts';
import { isName, OrganisationId, type PublicKey } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { loadKey } from './key-action.ts';
import { failureError, waitMsOf } from './node-client.ts';
import type { WriteCommandOptions } from './node-options.ts';
import { Passphrases } from './passphrases.ts';
import { canonicalStatements } from './statements-file.ts';

/** What the chain made of a transaction that was signed here. */
export type Decided = Pick<WriteAnswer, 'transaction_id' | 'height' | 'block_hash'>;

/**
 * Signs an operation with a client key and waits until it is final.
 *
 * @throws CommandError when it is refused, or not known to be final in time
 */
export async function writeSigned(
  invocation: Invocation,
  { client, keyFile }: { readonly client: Client; readonly keyFile: string },
  operation: Operation,
  options: WriteCommandOptions,
): Promise<Decided> {
  const stored = await loadKey(keyFile, new Passphrases(invocation, options.passphraseFile), 'client');
  const { chainId, organisation } = await ownerOf(client, stored.publicKey, options.organisation);
  const key = await clientKeyOf(stored.secretKey);
  const waitMs = waitMsOf(options.wait);
  const { idempotencyKey, statements } = options;
  const transaction = await signTransaction(key, {
    chainId,
    organisation,
    operation,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(statements === undefined ? {} : { statements: canonicalStatements(statements) }),
  });
  const answered = await submitUntilFinal(client, transaction, { timeoutMs: waitMs });
  if (!answered.ok) throw failureError(answered.error);
  const { id, height, block_hash, receipt } = answered.value;
  if (receipt.accepted) return { transaction_id: id, height, block_hash };
  const code = receipt.code ?? 'REFUSED';
  const about = receipt.subject === undefined ? '' : ` ${receipt.subject}`;
  const first = receipt.first_scan;
  const before =
    first === undefined ? '' : `; first admitted at ${first.at}, gate ${first.gate}, height ${first.height}`;
  throw new CommandError('REFUSED', `${operation.kind}${about} was refused at height ${height}: ${code}${before}.`, {
    code,
  });
}

/** The chain of a node, and the organisation that genesis lists a key under. */
async function ownerOf(client: Client, publicKey: PublicKey, named: string | undefined) {
  const bytes = await client.genesis();
  if (!bytes.ok) throw failureError(bytes.error);
  const genesis = parseGenesis(bytes.value);
  if (!genesis.ok)
    throw new CommandError('FAILED', `${client.url} answers with a genesis document that is not in order.`);
  const { chainId, organisations } = genesis.value;
  if (named !== undefined) {
    if (!isName(named)) throw new CommandError('USAGE', `${JSON.stringify(named)} is no name of an organisation.`);
    return { chainId, organisation: OrganisationId(named) };
  }
  const owner = organisations.find(({ keys }) => keys.includes(publicKey));
  if (owner !== undefined) return { chainId, organisation: owner.id };
  throw new CommandError('REFUSED', `Genesis lists the key ${publicKey} under no organisation.`, {
    advice: 'Was it added later? Name its organisation: --organisation <name>',
    code: 'UNKNOWN_SIGNER',
  });
}
