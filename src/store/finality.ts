import { assert } from '../lib/assert.ts';
import { equalBytes } from '../lib/bytes.ts';
import { blockHash, type Header } from '../model/block.ts';
import { type Certificate, certificateLayout, type Jurisdiction } from '../model/certificate.ts';
import { encode } from '../model/codec.ts';
import type { Hash } from '../model/ids.ts';
import { SYNC_BLOCKS_MAX } from '../model/limits.ts';
import { verifyMessage } from '../model/verified.ts';
import type { StoredBlock } from './blocks.ts';

/** Why the certificate that is stored with a block does not make it final; undefined when it does. */
export type FinalityCheck = (
  block: Pick<StoredBlock, 'header' | 'hash' | 'certificate' | 'certifiedHeight'>,
) => string | undefined;

/**
 * Checks certificates of the block itself, or of a descendant that a path of headers leads to (docs/protocol.md, section 8): one
 * certificate makes a whole answer to a node that catches up final. What one path has proven is not proven again.
 *
 * @param headerAt what is stored at a height
 */
export function finalityCheck(
  headerAt: (height: number) => Header | undefined,
  jurisdiction: Jurisdiction,
): FinalityCheck {
  let proven: { readonly certificate: Uint8Array; readonly blocks: ReadonlySet<Hash> } | undefined;
  return ({ header, hash, certificate, certifiedHeight }) => {
    assert(header.height > 0, 'genesis needs no certificate');
    if (certificate === null) return 'there is none';
    const distance = certifiedHeight - header.height;
    if (distance < 0 || distance >= SYNC_BLOCKS_MAX) return `it is said to be of block ${certifiedHeight}`;
    if (certifiedHeight !== certificate.height) return `it is of block ${certificate.height}, not ${certifiedHeight}`;
    const bytes = encode(certificateLayout, certificate);
    if (proven?.blocks.has(hash) && equalBytes(proven.certificate, bytes)) return undefined;
    const path: Header[] = [];
    for (let height = header.height + 1; height <= certifiedHeight; height += 1) {
      const next = headerAt(height);
      if (next === undefined) return `it is of block ${certifiedHeight}, and there is no block ${height}`;
      path.push(next);
    }
    const fault = pathFault(header, path, certificate, jurisdiction);
    if (fault === undefined) proven = { certificate: bytes, blocks: new Set([hash, ...path.map(blockHash)]) };
    return fault;
  };
}

function pathFault(
  header: Header,
  path: readonly Header[],
  certificate: Certificate,
  jurisdiction: Jurisdiction,
): string | undefined {
  const proof = verifyMessage({ kind: 'final', header, path, certificate }, jurisdiction);
  return proof.ok ? undefined : `${proof.error.reason} (${proof.error.code})`;
}
