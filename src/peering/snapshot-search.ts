import { blockHash } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import type { Height } from '../model/ids.ts';
import type { BlockReference, PeerMessageOf } from '../model/peer-message.ts';
import { verifyMessage } from '../model/verified.ts';
import type { SnapshotTarget } from './snapshot.ts';

/** Which snapshots peers offer, by peer. Nothing of it is proven. */
export type Offers = ReadonlyMap<string, BlockReference>;

/**
 * The snapshot to ask for: one that several peers offer rather than one of a single peer, then the newest.
 *
 * @param above height of the own head with what it would rather execute: nothing lower is worth it
 */
export function chooseSnapshot(offers: Offers, above: number): BlockReference | undefined {
  const counts = new Map<string, { readonly block: BlockReference; count: number }>();
  for (const block of offers.values()) {
    if (block.height <= above) continue;
    const key = `${block.height}:${block.hash}`;
    const known = counts.get(key) ?? { block, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  const [best] = [...counts.values()].sort((a, b) => rank(b) - rank(a) || b.block.height - a.block.height);
  return best?.block;
}

/** Beyond two it matters little how many serve it: liars could be any number. */
function rank({ count }: { readonly count: number }): number {
  return Math.min(count, 2);
}

/** The target that an answer proves: the one block that was chosen, under a certificate of its own. */
export function provenTarget(
  chosen: BlockReference,
  { headers, certificate }: Pick<PeerMessageOf<'headers'>, 'headers' | 'certificate'>,
  jurisdiction: Jurisdiction,
): SnapshotTarget | undefined {
  const [header] = headers;
  if (header === undefined || headers.length !== 1) return undefined;
  const isChosen = header.height === chosen.height && blockHash(header) === chosen.hash;
  if (!isChosen || certificate.height !== header.height) return undefined;
  const proof = verifyMessage({ kind: 'final', header, path: [], certificate }, jurisdiction);
  return proof.ok ? { header, hash: chosen.hash, certificate } : undefined;
}

/** Whether a snapshot may be taken although the operator vouches for another block: never for another one at its height. */
export function contradictsCheckpoint(target: BlockReference, trusted: BlockReference | undefined): boolean {
  return trusted !== undefined && trusted.height === target.height && trusted.hash !== target.hash;
}

/** Who offers a block. */
export function offerers(
  offers: Offers,
  { height, hash }: { readonly height: Height; readonly hash: string },
): readonly string[] {
  return [...offers].flatMap(([peer, block]) => (block.height === height && block.hash === hash ? [peer] : []));
}
