import { assert } from '../lib/assert.ts';
import type { Header } from '../model/block.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { FINALITY_PATH_MAX } from '../model/limits.ts';
import { verifyMessage } from '../model/verified.ts';
import type { Finality } from './blocks.ts';

/**
 * Why the certificate that is stored with a block does not make it final; undefined when it does. It is of the block
 * itself, or of a descendant that a path of headers leads to (consensus.md §4).
 *
 * @param headerAt what is stored at a height
 */
export function finalityFault(
  block: Finality & { readonly header: Header },
  headerAt: (height: number) => Header | undefined,
  jurisdiction: Jurisdiction,
): string | undefined {
  const { header, certificate, certifiedHeight } = block;
  assert(header.height > 0, 'genesis needs no certificate');
  if (certificate === null) return 'there is none';
  const distance = certifiedHeight - header.height;
  if (distance < 0 || distance > FINALITY_PATH_MAX) return `it is said to be of block ${certifiedHeight}`;
  const path: Header[] = [];
  for (let height = header.height + 1; height <= certifiedHeight; height += 1) {
    const next = headerAt(height);
    if (next === undefined) return `it is of block ${certifiedHeight}, and there is no block ${height}`;
    path.push(next);
  }
  const proven = verifyMessage({ kind: 'final', header, path, certificate }, jurisdiction);
  return proven.ok ? undefined : `${proven.error.reason} (${proven.error.code})`;
}
