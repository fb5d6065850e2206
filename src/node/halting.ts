import { toHex } from '../lib/bytes.ts';
import { certificateLayout } from '../model/certificate.ts';
import { encode } from '../model/codec.ts';
import { checkpointLayout } from '../model/view-change.ts';
import { type LastingHalt, readHalt, writeHalt } from '../store/halt.ts';
import type { NodeParts } from './node-parts.ts';

/** Keeps why this node takes no part any more, with what shows it, and tells it. */
export function rememberHalt({ chain, log, metrics }: NodeParts, halt: LastingHalt): void {
  writeHalt(chain.store, halt, {
    failed: (error) => log.error({ error: error.message }, 'the halt is not remembered'),
  });
  metrics.halted();
  log.error(fieldsOf(halt), 'this node votes no more');
}

/** The halt of an earlier run: it lasts until people have decided and `data/` was removed. */
export function earlierHalt({ chain, log, metrics }: NodeParts): LastingHalt | null {
  const halt = readHalt(chain.store);
  if (halt === undefined) return null;
  metrics.halted();
  log.error(fieldsOf(halt), 'this node has halted earlier and takes no part');
  return halt;
}

function fieldsOf({ reason, certificates, checkpoints }: LastingHalt) {
  return {
    reason,
    certificates: certificates.map((one) => toHex(encode(certificateLayout, one))),
    checkpoints: checkpoints.map((one) => toHex(encode(checkpointLayout, one))),
  };
}
