import { randomInt } from 'node:crypto';
import { devnetKeys } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { GateId, type Hash, OrganisationId, TicketId, TierId, Timestamp } from '../../../src/model/ids.ts';
import type { Operation } from '../../../src/model/operation.ts';
import {
  sealTransaction,
  type Transaction,
  type TransactionBody,
  transactionSigningBytes,
} from '../../../src/model/transaction.ts';
import { createSigner } from '../../../src/node/keys/key-pair.ts';
import type { Signer } from '../../../src/node/ports.ts';
import { SAMPLE_EVENT } from '../../../src/sample/tickets.ts';

const LIFE_MS = 60_000;
const signers = new Map<string, Signer>();

/** The hand of an organisation of every devnet: its key is public. */
export function operatorOf(organisation: string): Signer {
  const known = signers.get(organisation);
  if (known !== undefined) return known;
  const signer = createSigner(devnetKeyPair(devnetKeys(organisation).operator).secretKey);
  signers.set(organisation, signer);
  return signer;
}

export type Overrides = Partial<Omit<TransactionBody, 'operation' | 'organisation' | 'signer'>>;

/** A transaction that an organisation signed with its own key, whichever node it is then sent to. */
export function signed(
  chainId: Hash,
  organisation: string,
  operation: Operation,
  overrides: Overrides = {},
): Transaction {
  const signer = operatorOf(organisation);
  const body: TransactionBody = {
    chainId,
    organisation: OrganisationId(organisation),
    signer: signer.publicKey,
    expiresAt: Timestamp(Date.now() + LIFE_MS),
    nonce: randomInt(2 ** 47),
    idempotencyKey: null,
    operation,
    statements: null,
    ...overrides,
  };
  return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
}

/** New tickets of the sample event, with nothing special about them. */
export function issueOf(...tickets: readonly string[]): Operation {
  return {
    kind: 'issue',
    event: SAMPLE_EVENT,
    tier: TierId('cat3'),
    tickets: tickets.map((ticket) => ({
      ticket: TicketId(ticket),
      seat: null,
      gate: null,
      holder: null,
      data: new Uint8Array(),
    })),
  };
}

export function validateOf(...tickets: readonly string[]): Operation {
  return { kind: 'validate', tickets: tickets.map(TicketId) };
}

export function consumeOf(ticket: string, gate = 'main'): Operation {
  return { kind: 'consume', ticket: TicketId(ticket), gate: GateId(gate) };
}
