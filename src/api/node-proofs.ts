import { err, ok, type Result } from '../lib/result.ts';
import { PROOF_BYTES_MAX, PROOF_VERSIONS_MAX, PROOFS_WAITING_MAX } from '../model/graph-limits.ts';
import type { Hash, TicketId } from '../model/ids.ts';
import type { Iri } from '../provenance/terms.ts';
import type { KeyValue } from '../store/key-value.ts';
import { proveChange, proveTicket } from '../store/proofs.ts';
import { readHistory, type TicketEvent } from '../store/tickets.ts';
import { type Bundle, type ChangePart, writeBundle } from '../verifier/bundle.ts';
import type { ProofRefusal, Reader } from './ports.ts';

type Proof = Result<Uint8Array, ProofRefusal>;

/**
 * Makes the proofs of a node's store. To hash and describe a block of five hundred transactions takes a tenth of a
 * second: whoever asks for histories waits until those before him have theirs, and the node has half of its time.
 */
export function createProver(store: KeyValue, iriBase: Iri): Reader['proof'] {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (ticket, { history, graphs }) => {
    const { proof, versions } = atOneMoment(store, ticket);
    if (!proof.ok || !history || proof.value.record === null) return proof.ok ? written(proof.value) : proof;
    if (versions[0]?.version !== 1) return err('NOT_KEPT');
    if (versions.length > PROOF_VERSIONS_MAX) return err('TOO_LARGE');
    if (waiting >= PROOFS_WAITING_MAX) return err('BUSY');
    waiting += 1;
    const ids = new Set(versions.map(({ transaction }) => transaction));
    const changes = last.then(() => changesOf(ids, (id) => proveChange(store, id, graphs ? iriBase : null)));
    // Whoever comes next waits for the end of this one, also when it fails.
    last = changes.then(
      () => undefined,
      () => undefined,
    );
    try {
      const made = await changes;
      return made.ok ? written({ ...proof.value, history: made.value }) : made;
    } finally {
      waiting -= 1;
    }
  };
}

/** What can change with the next block; the blocks of a history are final. */
function atOneMoment(
  store: KeyValue,
  ticket: TicketId,
): { readonly proof: ReturnType<typeof proveTicket>; readonly versions: readonly TicketEvent[] } {
  const moment = store.snapshot();
  try {
    return {
      proof: proveTicket(moment, ticket),
      versions: readHistory(moment, ticket, { after: 0, limit: PROOF_VERSIONS_MAX + 1 }),
    };
  } finally {
    moment.close();
  }
}

async function changesOf(
  ids: ReadonlySet<Hash>,
  prove: (id: Hash) => ReturnType<typeof proveChange>,
): Promise<Result<readonly ChangePart[], ProofRefusal>> {
  const history: ChangePart[] = [];
  let size = 0;
  for (const id of ids) {
    const began = performance.now();
    const change = prove(id);
    if (!change.ok) return change;
    history.push(change.value);
    size += sizeOf(change.value);
    if (size > PROOF_BYTES_MAX) return err('TOO_LARGE');
    const tookMs = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, tookMs));
  }
  return ok(history);
}

function sizeOf({ transaction, receipt, graphs }: ChangePart): number {
  return transaction.length + receipt.length + (graphs?.graph.length ?? 0) + (graphs?.stated?.length ?? 0);
}

function written(bundle: Bundle): Proof {
  const bytes = writeBundle(bundle);
  return bytes.length > PROOF_BYTES_MAX ? err('TOO_LARGE') : ok(bytes);
}
