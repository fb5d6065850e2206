import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { withNode } from './node-options.ts';
import type { QueryOptions } from './rdf-action.ts';

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
  }).addOption(
    new Option('--format <format>', '(default: table, or json with --json)').choices(['table', 'json', 'csv', 'tsv']),
  );
  return withNode(command).action(async (text: string, options: QueryOptions, self: Command) => {
    const { queryGraph } = await import('./rdf-action.ts');
    await queryGraph(invocationOf(self), text, options);
  });
}

export function rdfCommand(): Command {
  return group('rdf', 'the graph of what happened', [query()]);
}
