import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';
import type { AskOptions, QueryOptions } from './rdf-action.ts';
import type { DumpOptions } from './rdf-graph-action.ts';

function formatOption(): Option {
  return new Option('--format <format>', '(default: table, or json with --json)').choices([
    'table',
    'json',
    'csv',
    'tsv',
  ]);
}

function query(): Command {
  const command = leaf({
    usage: 'query <query-or-file>',
    summary: 'ask a node about its graph in SPARQL',
    purpose:
      'Asks a node about its graph: a query in SPARQL 1.1, or the name of a file with one ("-" reads standard input). ' +
      'The prefixes cf, prov, schema, rdf, rdfs and xsd are known when the query declares none. CONSTRUCT and DESCRIBE ' +
      'answer in Turtle, or in JSON-LD with --format json.',
    examples: [
      'counterfoil rdf query "SELECT ?state (COUNT(*) AS ?n) { ?v cf:state ?state } GROUP BY ?state"',
      'counterfoil rdf query question.rq --format csv --node http://localhost:7182 > answer.csv',
    ],
  }).addOption(formatOption());
  return withNode(command).action(async (text: string, options: QueryOptions, self: Command) => {
    const { queryGraph } = await import('./rdf-action.ts');
    await queryGraph(invocationOf(self), text, options);
  });
}

function ask(): Command {
  const command = leaf({
    usage: 'ask [question]',
    summary: 'ask a node one of the questions that have names; without one, say which there are',
    examples: [
      'counterfoil rdf ask history --ticket A-1',
      'counterfoil rdf ask state-as-of --ticket A-1 --at 2026-06-12T18:30:00Z --json',
    ],
  })
    .optionsGroup('What the question takes:')
    .addOption(new Option('--ticket <id>', 'id of a ticket'))
    .addOption(new Option('--at <time>', 'an instant in UTC, of the ledger: 2026-06-12T18:30:00Z'))
    .addOption(new Option('--from <time>', 'the first instant'))
    .addOption(new Option('--until <time>', 'the instant after the last one'))
    .addOption(formatOption());
  return withNode(command).action(async (question: string | undefined, options: AskOptions, self: Command) => {
    const { askNamed, listQuestions } = await import('./rdf-action.ts');
    if (question === undefined) listQuestions(invocationOf(self));
    else await askNamed(invocationOf(self), question, options);
  });
}

function describe(): Command {
  const command = leaf({
    usage: 'describe <thing>',
    summary: 'what the graph says of a thing, in Turtle',
    purpose:
      'Shows what the graph of a node says of a thing of the chain, and what refers to it: by its IRI, or for short as ' +
      'ticket:ID, tx:ID, block:HEIGHT, event:ID, gate:ID or agent:ORGANISATION. With --json in JSON-LD.',
    examples: ['counterfoil rdf describe ticket:A-1', 'counterfoil rdf describe http://localhost/id/block/7 --json'],
  });
  return withNode(command).action(async (thing: string, options: NodeOptions, self: Command) => {
    const { describeThing } = await import('./rdf-graph-action.ts');
    await describeThing(invocationOf(self), thing, options);
  });
}

function dump(): Command {
  const command = leaf({
    usage: 'dump',
    summary: 'the whole graph of a node as N-Quads',
    purpose:
      'Writes the whole graph of a node as N-Quads, a page at a time. Of blocks that become final meanwhile it may have ' +
      'a part.',
    examples: ['counterfoil rdf dump --out graph.nq', 'counterfoil rdf dump --node http://localhost:7182 | wc -l'],
  }).addOption(new Option('--out <file>', 'where to write it (default: standard output)'));
  return withNode(command).action(async (options: DumpOptions, self: Command) => {
    const { dumpGraph } = await import('./rdf-graph-action.ts');
    await dumpGraph(invocationOf(self), options);
  });
}

export function rdfCommand(): Command {
  return group('rdf', 'the graph of what happened', [query(), ask(), describe(), dump()]);
}
