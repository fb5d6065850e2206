import { err, ok, type Result } from '../lib/result.ts';
import { type Hash, type TicketId, Timestamp } from '../model/ids.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../model/transaction.ts';
import type { Signer } from '../node/ports.ts';
import type { SampleStep } from '../sample/catalogue.ts';
import { sampleTickets } from '../sample/tickets.ts';
import { devnetKeys } from './genesis.ts';
import { sampleCatalogue, sampleEvent, sampleIssues } from './sample.ts';

/** What became of one transaction of the sample. */
export type SampleOutcome =
  | { readonly outcome: 'final'; readonly height: number; readonly code: string | null }
  /** Not decided: the network did not take it, or not in time. */
  | { readonly outcome: 'undecided'; readonly code: string; readonly detail: string };

/** The network that the sample is brought to. */
export interface SampleTarget {
  readonly chainId: Hash;
  readonly genesisTime: Timestamp;
  /** Milliseconds since 1970. */
  now(): number;
  /** How long a transaction may take. Milliseconds, at most what genesis allows. */
  readonly lifeMs: number;
  nonce(): number;
  /** The hand of a devnet key, by its name. */
  signer(name: string): Signer;
  has(ticket: TicketId): Promise<boolean>;
  /** Resolves when it is final, or will not be. */
  submit(transaction: Transaction): Promise<SampleOutcome>;
}

export interface Seeded {
  readonly tickets: number;
  readonly added: number;
  /** Of the last block that was needed; 0 when everything was there. */
  readonly height: number;
}

export interface NotSeeded {
  readonly code: string;
  readonly detail: string;
}

/** What somebody else may have done before us: just as good. */
const ALREADY_THERE = new Set<string | null>([null, 'DUPLICATE_ID', 'ROLE_ALREADY_HELD']);

/** Brings the sample event and its first `count` tickets onto a devnet's chain, once however often it is asked. */
export async function seedSample(target: SampleTarget, count: number): Promise<Result<Seeded, NotSeeded>> {
  const tickets = sampleTickets(count);
  const present = await Promise.all(tickets.map(({ ticket }) => target.has(ticket)));
  const missing = tickets.filter((_, index) => present[index] === false);
  if (missing.length === 0) return ok({ tickets: count, added: 0, height: 0 });
  let height = 0;
  // Whoever issued the first ticket made everything before it.
  const before = missing.length < count ? [] : [[sampleEvent(target.genesisTime)], sampleCatalogue()];
  for (const round of [...before, sampleIssues(missing)]) {
    const outcomes = await Promise.all(round.map((step) => target.submit(signStep(target, step))));
    for (const outcome of outcomes) {
      const problem = problemOf(outcome);
      if (problem !== undefined) return err(problem);
      if (outcome.outcome === 'final') height = Math.max(height, outcome.height);
    }
  }
  return ok({ tickets: count, added: missing.length, height });
}

function problemOf(outcome: SampleOutcome): NotSeeded | undefined {
  if (outcome.outcome === 'undecided') return { code: outcome.code, detail: outcome.detail };
  if (outcome.code === null || ALREADY_THERE.has(outcome.code)) return undefined;
  return { code: outcome.code, detail: `the chain refused a transaction of the sample: ${outcome.code}` };
}

function signStep(target: SampleTarget, { organisation, idempotencyKey, operation }: SampleStep): Transaction {
  const signer = target.signer(devnetKeys(organisation).operator);
  const body = {
    chainId: target.chainId,
    organisation,
    signer: signer.publicKey,
    expiresAt: Timestamp(target.now() + target.lifeMs),
    nonce: target.nonce(),
    idempotencyKey,
    operation,
    statements: null,
  };
  return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
}
