import { join } from 'node:path';
import { ROOT } from '../../../scripts/suites.mjs';
import type { SparqlAnswer, SparqlRequest, SparqlService } from '../../../src/api/sparql/ask.ts';
import { ROW_FORMATS } from '../../../src/api/sparql/negotiate.ts';
import { createSparqlService, type SparqlOptions } from '../../../src/api/sparql/service.ts';
import { createMetrics } from '../../../src/node/metrics.ts';
import { PREFIXES } from '../../support/audit-questions.ts';
import { MemoryGraph } from '../../support/memory-graph.ts';
import { provenanceGraph } from '../../support/provenance-graph.ts';

const PROGRAM = join(ROOT, 'dist', 'api', 'sparql', 'engine-main.js');

const silent = () => undefined;

/** A service over the compiled engine. */
export function openSparql(source: MemoryGraph, options: Partial<SparqlOptions> = {}): SparqlService {
  return createSparqlService({
    source,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: createMetrics(),
    mode: 'lazy',
    deadlineMs: 10_000,
    memoryBytes: 1_073_741_824,
    idleMs: 60_000,
    program: PROGRAM,
    ...options,
  });
}

export function season(quads: number): MemoryGraph {
  return new MemoryGraph(provenanceGraph(1, quads));
}

export function requestFor(query: string, more: Partial<SparqlRequest> = {}): SparqlRequest {
  const none = { defaultGraphs: [], namedGraphs: [], graphFormat: undefined };
  return { query: PREFIXES + query, ...none, rowFormat: ROW_FORMATS[0], caller: 'honest', ...more };
}

/** The rows of an answer in JSON, a value per name. */
export function rowsOf({ bytes }: SparqlAnswer): readonly Readonly<Record<string, string>>[] {
  const { results } = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return results.bindings.map((row: Record<string, { value: string }>) =>
    Object.fromEntries(Object.entries(row).map(([name, { value }]) => [name, value])),
  );
}

/** The rows of an answer, or the code of its refusal. */
export async function outcomeOf(service: SparqlService, query: string, more: Partial<SparqlRequest> = {}) {
  const answered = await service.ask(requestFor(query, more));
  return answered.ok ? rowsOf(answered.value) : answered.error.code;
}
