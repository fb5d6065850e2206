import { ok, type Result } from '../lib/result.ts';
import { PROOF_BYTES_MAX } from '../model/graph-limits.ts';
import type { TicketId } from '../model/ids.ts';
import { type ApiRequest, badField, type Outcome, type Route } from './exchange.ts';
import type { ProofRefusal, Reader } from './ports.ts';
import { fail, type Problem } from './problems.ts';
import { parseTicketId } from './tickets.ts';

/** Proofs for whoever believes nobody but the genesis document. */
export function proofRoutes(reader: Reader): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/tickets/:id/proof',
      query: ['history', 'graphs'],
      handle: (request) => proof(reader, request),
    },
  ];
}

async function proof(reader: Reader, { params, query }: ApiRequest): Promise<Outcome> {
  const id = parseTicketId(params['id'] ?? '');
  if (!id.ok) return id;
  const history = flag(query, 'history');
  if (!history.ok) return history;
  const graphs = flag(query, 'graphs');
  if (!graphs.ok) return graphs;
  // Graphs are of the transactions of a history: whoever asks for the ones means both.
  const proven = await reader.proof(id.value, { history: history.value || graphs.value, graphs: graphs.value });
  if (!proven.ok) return refused(reader, id.value, proven.error);
  // Its bytes are its form: `pretty` would make it another document.
  return ok({
    status: 200,
    content: { kind: 'bytes', mediaType: 'application/json; charset=utf-8', bytes: proven.value },
  });
}

function flag(query: ApiRequest['query'], name: string): Result<boolean, Problem> {
  const text = query.get(name) ?? 'false';
  return text === 'true' || text === 'false' ? ok(text === 'true') : badField(name, 'is true or false');
}

function refused(reader: Reader, id: TicketId, why: ProofRefusal): Outcome {
  switch (why) {
    case 'NOTHING_FINAL':
      return fail('UNKNOWN_BLOCK', 'no block after genesis is final yet, and genesis is signed by nobody; try again');
    case 'NOT_KEPT':
      return fail(
        'PRUNED',
        `blocks of the history of ${id} are not kept here, where the oldest is ${reader.oldest()}; ask an archive`,
      );
    case 'BUSY':
      return fail('OVERLOADED', 'too many wait for proofs with a history here; try again, or ask another node');
    case 'TOO_LARGE':
      return fail(
        'PROOF_TOO_LARGE',
        `the proof of ${id} would have more than ${PROOF_BYTES_MAX} bytes; ask without graphs, or without history`,
      );
  }
}
