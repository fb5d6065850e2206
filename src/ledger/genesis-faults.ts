import { GENESIS_FAULTS_MAX } from '../model/limits.ts';

/** What is wrong with a genesis document. Stable names. */
export const GENESIS_FAULTS = [
  'TOO_LARGE',
  'NOT_JSON',
  'WRONG_TYPE',
  'MISSING_KEY',
  'UNKNOWN_KEY',
  'BAD_VALUE',
  'OUT_OF_BOUNDS',
  'DUPLICATE',
  'UNUSABLE_KEY',
  'UNKNOWN_ORGANISATION',
  'NO_ORGANISER',
  'NOT_CANONICAL',
] as const;
export type GenesisFaultCode = (typeof GENESIS_FAULTS)[number];

export interface GenesisFault {
  readonly code: GenesisFaultCode;
  /** JSON path, as in `$.organisations[2].keys[0]`. */
  readonly path: string;
  /** One sentence for people. */
  readonly message: string;
}

/** Faults in the order in which they were found; those above the limit are not kept. */
export class FaultList {
  readonly items: GenesisFault[] = [];

  add(code: GenesisFaultCode, path: string, message: string): void {
    if (this.items.length < GENESIS_FAULTS_MAX) this.items.push({ code, path, message });
  }
}
