import { CHAIN_LIES } from './chain-lies.ts';
import { FLOODS } from './floods.ts';
import type { Alteration, Pestering } from './liar.ts';
import { SERVICE_LIES } from './service-lies.ts';

export type LieName = keyof typeof CHAIN_LIES | keyof typeof SERVICE_LIES | keyof typeof FLOODS;

const ALTERATIONS: Readonly<Record<string, Alteration>> = { ...CHAIN_LIES, ...SERVICE_LIES };
const PESTERINGS: Readonly<Record<string, Pestering>> = FLOODS;

/** Every way in which a peer can be hostile. */
export const LIES = [
  ...Object.keys(CHAIN_LIES),
  ...Object.keys(SERVICE_LIES),
  ...Object.keys(FLOODS),
] as readonly LieName[];

export function alterationsOf(lies: readonly LieName[]): readonly Alteration[] {
  return lies.flatMap((lie) => ALTERATIONS[lie] ?? []);
}

export function pesteringsOf(lies: readonly LieName[]): readonly Pestering[] {
  return lies.flatMap((lie) => PESTERINGS[lie] ?? []);
}
