import { err, type Result } from '../lib/result.ts';

/** Why a proof proves nothing. Stable names. */
export const FAULTS = [
  'TOO_LARGE',
  'NOT_JSON',
  'UNKNOWN_FORMAT',
  'WRONG_FORM',
  'NOT_CANONICAL',
  'BAD_GENESIS',
  'WRONG_CHAIN',
  'WRONG_AUTHORITIES',
  'BAD_HEADER',
  'BROKEN_PATH',
  'WRONG_SEATS',
  'BAD_SIGNATURE',
  'BAD_RECORD',
  'NOT_IN_STATE',
  'BAD_TRANSACTION',
  'NOT_IN_BLOCK',
  'BAD_RECEIPT',
  'NOT_IN_RECEIPTS',
  'NOT_IN_GRAPHS',
  'INCOMPLETE_HISTORY',
] as const;
export type FaultCode = (typeof FAULTS)[number];

export interface Fault {
  readonly code: FaultCode;
  /** Where in the proof, as in `$.history[2].receipt`; `genesis` for the other document. */
  readonly path: string;
  /** For people; no full sentence. */
  readonly message: string;
}

export function fault(code: FaultCode, path: string, message: string): Result<never, Fault> {
  return err({ code, path, message });
}
