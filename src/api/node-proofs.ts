import { err, ok, type Result } from '../lib/result.ts';
import { PROOF_BYTES_MAX, PROOF_VERSIONS_MAX } from '../model/graph-limits.ts';
import type { TicketId } from '../model/ids.ts';
import type { Iri } from '../provenance/terms.ts';
import type { KeyValue, KeyValueReads } from '../store/key-value.ts';
import { proveChange, proveTicket } from '../store/proofs.ts';
import { readHistory } from '../store/tickets.ts';
import { type Bundle, type ChangePart, writeBundle } from '../verifier/bundle.ts';
import type { ProofRefusal, ProofWanted } from './ports.ts';

/**
 * The proof of a ticket from a node's store. What can change is read at one moment; the blocks of its history are
 * final, and are hashed one in each turn of the event loop, since a block of five hundred transactions takes its time.
 */
export async function proofFrom(
  store: KeyValue,
  iriBase: Iri,
  ticket: TicketId,
  wanted: ProofWanted,
): Promise<Result<Uint8Array, ProofRefusal>> {
  const proof = atOneMoment(store, (reads) => {
    const proven = proveTicket(reads, ticket);
    return proven.ok
      ? ok({ proven: proven.value, versions: readHistory(reads, ticket, { after: 0, limit: PROOF_VERSIONS_MAX + 1 }) })
      : proven;
  });
  if (!proof.ok) return proof;
  const { proven, versions } = proof.value;
  if (!wanted.history || proven.record === null) return written(proven);
  if (versions[0]?.version !== 1) return err('NOT_KEPT');
  if (versions.length > PROOF_VERSIONS_MAX) return err('TOO_LARGE');
  const history: ChangePart[] = [];
  let size = 0;
  for (const id of new Set(versions.map(({ transaction }) => transaction))) {
    const change = proveChange(store, id, wanted.graphs ? iriBase : null);
    if (!change.ok) return change;
    history.push(change.value);
    size += sizeOf(change.value);
    if (size > PROOF_BYTES_MAX) return err('TOO_LARGE');
    await new Promise(setImmediate);
  }
  return written({ ...proven, history });
}

function atOneMoment<T>(store: KeyValue, read: (reads: KeyValueReads) => T): T {
  const moment = store.snapshot();
  try {
    return read(moment);
  } finally {
    moment.close();
  }
}

function sizeOf({ transaction, receipt, graphs }: ChangePart): number {
  return transaction.length + receipt.length + (graphs?.graph.length ?? 0) + (graphs?.stated?.length ?? 0);
}

function written(bundle: Bundle): Result<Uint8Array, ProofRefusal> {
  const bytes = writeBundle(bundle);
  return bytes.length > PROOF_BYTES_MAX ? err('TOO_LARGE') : ok(bytes);
}
