import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SparqlRequest, SparqlService } from '../../../src/api/sparql/ask.ts';
import { createClient } from '../../../src/client/http.ts';
import { buildProgram } from '../../../src/commands/program.ts';
import { rdfCommand } from '../../../src/commands/rdf.ts';
import { tableText } from '../../../src/commands/rdf-table.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { QUESTIONS } from '../../../src/provenance/questions.ts';
import { openWorld, type World } from '../api/world.ts';

const PREFIXES = { cf: 'https://w3id.org/counterfoil#' };

describe('a table of an answer', () => {
  it('has columns, short names and no control characters', () => {
    const uri = (value: string) => ({ type: 'uri', value });
    const bindings = [
      { a: uri('https://w3id.org/counterfoil#Issued'), b: { type: 'literal', value: 'x\u001b[31m\ny' } },
      { a: uri('https://w3id.org/counterfoil#a/b') },
    ];
    const json = JSON.stringify({ head: { vars: ['a', 'b'] }, results: { bindings } });
    expect(tableText(json, PREFIXES)).toEqual({
      rows: 2,
      text: `a${' '.repeat(33)}b\ncf:Issued${' '.repeat(25)}x [31m y\nhttps://w3id.org/counterfoil#a/b`,
    });
  });

  it.each([
    ['{"head":{},"boolean":true}', 'yes'],
    ['{"head":{},"boolean":false}', 'no'],
    ['{"head":{"vars":["n"]},"results":{"bindings":[]}}', 'n'],
  ])('%s', (json, text) => {
    expect(tableText(json, PREFIXES)?.text).toBe(text);
  });

  it.each(['', '{}', '[]', '<html>', '{"head":{},"results":{}}'])('is not made of %j', (json) => {
    expect(tableText(json, PREFIXES)).toBeUndefined();
  });
});

describe('rdf query', () => {
  const asked: SparqlRequest[] = [];
  const service: SparqlService = {
    limits: { deadlineMs: 1, quadsMax: 1 },
    pid: undefined,
    ask: (request) => {
      asked.push(request);
      if (request.query.includes('slow')) {
        return Promise.resolve(err({ code: 'QUERY_PENALTY', detail: 'wait', headers: { 'retry-after': '60' } }));
      }
      if (request.query.includes('wrong')) {
        return Promise.resolve(err({ code: 'BAD_QUERY', detail: 'line 3, column 1: unexpected "w"' }));
      }
      const bytes = new TextEncoder().encode('{"head":{},"boolean":true}\n');
      return Promise.resolve(ok({ mediaType: request.rowFormat?.mediaType ?? '', bytes, height: 7 }));
    },
    close: () => undefined,
  };
  let world: World;

  beforeAll(async () => {
    world = await openWorld({ sparql: service });
  });
  afterAll(() => world.api.close());

  async function rdf(...args: readonly string[]): Promise<void> {
    const program = buildProgram('0.0.0', [rdfCommand()]);
    await program.parseAsync(['rdf', ...args], { from: 'user' });
  }

  function run(...args: readonly string[]): Promise<void> {
    return rdf('query', '--node', world.url, ...args);
  }

  it('knows the prefixes of a query that declares none', async () => {
    await run('ASK { ?v cf:state cf:Issued }');
    expect(asked.at(-1)?.query).toContain('PREFIX cf: <https://w3id.org/counterfoil#>');
    await run('PREFIX a: <http://a/> ASK { ?v a:b 1 }', '--format', 'csv');
    expect(asked.at(-1)?.query).toBe('PREFIX a: <http://a/> ASK { ?v a:b 1 }');
    expect(asked.at(-1)?.rowFormat?.mediaType).toBe('text/csv');
  });

  it('says what the node says, and which line it was', async () => {
    await expect(run('ASK {\nwrong }')).rejects.toMatchObject({
      exit: 'USAGE',
      code: 'BAD_QUERY',
      message: 'line 2, column 1: unexpected "w".',
    });
    await expect(run('no-such-file.rq')).rejects.toMatchObject({ exit: 'NOT_FOUND' });
  });

  it('asks questions that have names', async () => {
    await rdf('ask', 'state-as-of', '--node', world.url, '--ticket', 'A-1', '--at', '2026-06-12T18:30:00Z');
    expect(asked.at(-1)?.query).toContain('<http://localhost/id/ticket/A-1>');
    expect(asked.at(-1)?.query).toContain('"2026-06-12T18:30:00Z"^^<');
    await rdf('ask', 'double-admissions', '--node', world.url, '--format', 'tsv');
    expect(asked.at(-1)?.rowFormat?.mediaType).toBe('text/tab-separated-values');
    const before = asked.length;
    const unknown = rdf('ask', 'nothing', '--node', world.url);
    await expect(unknown).rejects.toMatchObject({ exit: 'NOT_FOUND', code: 'UNKNOWN_QUESTION' });
    const missing = rdf('ask', 'history', '--node', world.url);
    await expect(missing).rejects.toMatchObject({ exit: 'USAGE', message: expect.stringContaining('ticket') });
    expect(asked.length).toBe(before);
  });

  it('has an option for each parameter of a question', () => {
    const ask = rdfCommand().commands.find((command) => command.name() === 'ask');
    const known = ask?.options.map(({ long }) => long);
    const wanted = QUESTIONS.flatMap(({ parameters }) => parameters.map(({ name }) => `--${name}`));
    expect(known).toEqual(expect.arrayContaining(wanted));
  });

  it('does not ask again what was too much', async () => {
    const before = asked.length;
    await expect(run('ASK { slow }')).rejects.toMatchObject({ code: 'QUERY_PENALTY' });
    expect(asked.length).toBe(before + 1);
    const answered = await createClient({ url: world.url }).sparql('ASK {}', 'text/csv');
    expect(answered).toMatchObject({ ok: true, value: { mediaType: 'text/csv', height: 7 } });
  });
});
