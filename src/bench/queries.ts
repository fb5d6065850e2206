import { Agent, request } from 'node:http';
import { askQuestion, QUESTIONS } from '../provenance/questions.ts';

/** What some clients asked a node while something else was measured. */
export interface QueryLoad {
  readonly answered: number;
  /** Answers other than 200. */
  readonly refused: number;
  readonly seconds: number;
}

/** The questions of an auditor that need no ticket, as SPARQL. */
function auditQueries(iriBase: string): readonly string[] {
  return QUESTIONS.flatMap(({ name, parameters }) => {
    const asked = parameters.length === 0 ? askQuestion(name, {}, iriBase) : undefined;
    return asked?.ok === true ? [asked.value] : [];
  });
}

/** Clients that ask one question after another, each with one under way, until `work` is done. */
export async function whileAsked<T>(
  at: { readonly http: string; readonly iriBase: string; readonly clients: number },
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly load: QueryLoad }> {
  const queries = auditQueries(at.iriBase);
  const agent = new Agent({ keepAlive: true, maxSockets: at.clients });
  let isOver = false;
  let answered = 0;
  let refused = 0;
  const client = async (index: number): Promise<void> => {
    for (let turn = index; !isOver; turn += 1) {
      const status = await ask(agent, at.http, queries[turn % queries.length] ?? '');
      if (status === 200) answered += 1;
      else refused += 1;
    }
  };
  // The engine has the graph before anything is measured.
  await ask(agent, at.http, queries[0] ?? '');
  const start = performance.now();
  const clients = Promise.all(Array.from({ length: at.clients }, (_, index) => client(index)));
  try {
    const result = await work();
    return { result, load: { answered, refused, seconds: (performance.now() - start) / 1_000 } };
  } finally {
    isOver = true;
    await clients;
    agent.destroy();
  }
}

function ask(agent: Agent, http: string, query: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/sparql-query', 'content-length': Buffer.byteLength(query) };
    const call = request(new URL('/sparql', http), { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', reject);
    });
    call.once('error', reject);
    call.end(query);
  });
}
