import { Hash, Height, isHex } from '../../model/ids.ts';
import type { BlockReference } from '../../model/peer-message.ts';

const CHECKPOINT = /^([1-9][0-9]{0,14}):([0-9a-f]+)$/;

/** The block of `"HEIGHT:HASH"`; undefined for anything else. */
export function parseCheckpoint(text: string): BlockReference | undefined {
  const [, height = '', hash = ''] = CHECKPOINT.exec(text) ?? [];
  return isHex(hash, 32) ? { height: Height(Number(height)), hash: Hash(hash) } : undefined;
}
