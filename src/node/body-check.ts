import type { Body } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { SIGNATURES_PER_TURN } from '../model/limits.ts';
import { verifyTransaction } from '../model/verified.ts';
import type { Mempool } from './mempool.ts';
import type { Timers } from './ports.ts';

export interface BodyCheckParts {
  readonly mempool: Mempool;
  readonly jurisdiction: Jurisdiction;
  readonly timers: Timers;
}

/**
 * Checks the client signatures of a body that this node has not checked before, and calls `done`: at once when they are
 * few, else after some turns of the loop, because a lying primary can choose signatures that cost a millisecond each.
 *
 * @returns what ends the check, so that `done` is not called any more
 */
export function checkBody({ mempool, jurisdiction, timers }: BodyCheckParts, body: Body, done: Done): () => void {
  // The same id does not say that it is the same signature.
  const unknown = body.filter((transaction) => mempool.get(transaction.id)?.signature !== transaction.signature);
  let isOver = false;
  const proceed = (from: number): void => {
    if (isOver) return;
    const next = from + SIGNATURES_PER_TURN;
    const areValid = unknown.slice(from, next).every((one) => verifyTransaction(one, jurisdiction.check).ok);
    if (areValid && next < unknown.length) timers.soon(() => proceed(next));
    else {
      isOver = true;
      done(areValid);
    }
  };
  proceed(0);
  return () => {
    isOver = true;
  };
}

type Done = (areValid: boolean) => void;
