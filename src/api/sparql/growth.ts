import type { Expression, Pattern, Query } from 'sparqljs';
import { nodesOf } from './query-tree.ts';

/** Characters that a value of the graph is taken to have: an address has a hundred, a long description some thousand. */
const VALUE_CHARS = 1_024;

/** Characters of the longest text that a query makes of others, as far as it can be told without the values. */
export function longestText(query: Query): number {
  const definitions = definitionsOf(query);
  const known = new Map<string, number>();
  const ofName = (name: string): number => {
    const before = known.get(name);
    if (before !== undefined) return before;
    // What is defined by itself, in another group, is a value of the graph here.
    known.set(name, VALUE_CHARS);
    const all = (definitions.get(name) ?? []).map((expression) => charsOf(expression, ofName));
    const chars = all.length === 0 ? VALUE_CHARS : Math.max(...all);
    known.set(name, chars);
    return chars;
  };
  return Math.max(0, ...[...definitions.keys()].map(ofName));
}

function definitionsOf(query: Query): ReadonlyMap<string, readonly Expression[]> {
  const found = new Map<string, Expression[]>();
  for (const node of nodesOf(query)) {
    if (!('expression' in node && 'variable' in node)) continue;
    const name = String(Reflect.get(Object(node.variable), 'value'));
    // The parser's own shape of BIND, and of an expression with a name.
    const expression = node.expression as Expression;
    found.set(name, [...(found.get(name) ?? []), expression]);
  }
  return found;
}

function charsOf(node: Expression | Pattern, ofName: (name: string) => number): number {
  if (Array.isArray(node)) return 0;
  if ('termType' in node) return node.termType === 'Variable' ? ofName(node.value) : node.value.length;
  if (!('args' in node)) return VALUE_CHARS;
  const parts = node.args.map((part) => charsOf(part, ofName));
  const [first = 0, , third = 0] = parts;
  if (!('operator' in node)) return Math.max(0, ...parts);
  switch (node.operator) {
    case 'concat':
      return parts.reduce((sum, chars) => sum + chars, 0);
    case 'replace':
      return first * Math.max(1, third);
    default:
      return Math.max(0, ...parts);
  }
}
