import type { ProofRefusal, Reader } from '../../../src/api/ports.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { err, ok } from '../../../src/lib/result.ts';

/** Says what it was asked for: what a proof is, the tests of stores and nodes know. */
export class MemoryProofs {
  /** Why nothing can be proven. */
  trouble: ProofRefusal | null = null;

  proof: Reader['proof'] = (id, { history, graphs }) =>
    Promise.resolve(
      this.trouble === null ? ok(utf8(`${JSON.stringify({ proof_of: id, history, graphs })}\n`)) : err(this.trouble),
    );
}
