import type { Expression, Pattern, Query, SelectQuery } from 'sparqljs';

/** Anything in the tree of a query. */
type Node = Pattern | Expression;

function isTree(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Every object of a tree, the outer ones first. */
export function* nodesOf(root: unknown): Generator<object> {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (!isTree(node)) continue;
    yield node;
    for (const inner of Object.values(node)) if (isTree(inner)) waiting.push(inner);
  }
}

/** The patterns of EXISTS and NOT EXISTS in an expression. */
export function patternsOf(expression: Expression): readonly Pattern[] {
  if (Array.isArray(expression)) return expression.flatMap((one) => patternsOf(one));
  if (!('type' in expression) || !('args' in expression)) return [];
  const args: readonly Node[] = expression.args;
  const isExists = expression.type === 'operation' && /^(?:not)?exists$/.test(expression.operator);
  return args.flatMap((one) => (isExists && isPattern(one) ? [one] : isPattern(one) ? [] : patternsOf(one)));
}

const PATTERNS: ReadonlySet<string> = new Set([
  'bgp',
  'optional',
  'union',
  'group',
  'graph',
  'minus',
  'service',
  'filter',
  'bind',
  'values',
  'query',
]);

function isPattern(node: Node): node is Pattern {
  return !Array.isArray(node) && 'type' in node && PATTERNS.has(node.type);
}

/** Whether a SELECT counts or sums over its rows. */
export function hasAggregate({ variables, having = [], order = [] }: SelectQuery): boolean {
  return [variables, having, order].some((part) => [...nodesOf(part)].some((node) => isOfType(node, 'aggregate')));
}

export function isOfType(node: object, type: string): boolean {
  return 'type' in node && node.type === type;
}

/** The parts of a query in which something is matched or computed. */
export function expressionsOf(query: Query | SelectQuery): readonly Expression[] {
  if (query.queryType !== 'SELECT') return [];
  const { variables, having = [], order = [], group = [] } = query;
  return [
    ...variables.flatMap((one) => ('expression' in one ? [one.expression] : [])),
    ...having,
    ...order.map(({ expression }) => expression),
    ...group.map(({ expression }) => expression),
  ];
}
