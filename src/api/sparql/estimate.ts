import type { Pattern, PropertyPath, SelectQuery, Term, Triple } from 'sparqljs';
import { QUERY_PATH_REACH } from '../../model/graph-limits.ts';
import { hasAggregate, patternsOf } from './query-tree.ts';
import { countsOf, type Statistics } from './statistics.ts';

/** What a part of a query is expected to give: rows at its end, and at its widest place; the names that it binds. */
export interface Expectation {
  readonly rows: number;
  readonly widest: number;
  readonly bound: ReadonlySet<string>;
}

/** One thing that a group joins: rows per row that comes in, given what is bound already. */
interface Factor {
  readonly names: readonly string[];
  fan(bound: ReadonlySet<string>): number;
  /** Rows looked at on the way for each that comes in. */
  work(bound: ReadonlySet<string>): number;
  /** Rows looked at once, whatever comes in. */
  readonly alone?: number;
}

/** A name, or undefined for what is fixed. Blank nodes of a query are names as well. */
function nameOf(term: Term): string | undefined {
  if (term.termType === 'Variable') return `?${term.value}`;
  return term.termType === 'BlankNode' ? `_:${term.value}` : undefined;
}

/**
 * How many rows a group is expected to have at its widest, joined in the best order that a greedy choice finds. Of one
 * row that comes in with `bound`. Filters are taken to let everything pass.
 */
export function expect(patterns: readonly Pattern[], bound: ReadonlySet<string>, statistics: Statistics): Expectation {
  const flat = flattened(patterns);
  const names = new Set(bound);
  for (const pattern of flat) if (pattern.type === 'bind') names.add(`?${pattern.variable.value}`);
  const factors = flat.flatMap((pattern) => factorsOf(pattern, statistics));
  const joined = join(factors, names);
  let { rows, widest } = joined;
  for (const pattern of flat) {
    const block = expectBlock(pattern, names, statistics);
    if (block === undefined) continue;
    widest = Math.max(widest, rows * block.perRow, block.alone);
    rows *= block.fan;
    widest = Math.max(widest, rows);
    for (const name of block.bound) names.add(name);
  }
  return { rows, widest, bound: names };
}

/** Groups that only group are part of the group around them. */
function flattened(patterns: readonly Pattern[]): readonly Pattern[] {
  return patterns.flatMap((pattern) => (pattern.type === 'group' ? flattened(pattern.patterns) : [pattern]));
}

function factorsOf(pattern: Pattern, statistics: Statistics): readonly Factor[] {
  switch (pattern.type) {
    case 'bgp':
      return pattern.triples.flatMap((triple) => tripleFactors(triple, statistics));
    case 'values':
      return [tableFactor(Object.keys(pattern.values[0] ?? {}), pattern.values.length, 0)];
    case 'query': {
      const { rows, widest, bound } = expectSelect(pattern, new Set(), statistics);
      return [tableFactor([...bound], rows, widest)];
    }
    default:
      return [];
  }
}

/** A table that is there as a whole; joined by a name it shares, it is taken to hold each value once. */
function tableFactor(names: readonly string[], rows: number, widest: number): Factor {
  return {
    names,
    fan: (bound) => (names.some((name) => bound.has(name)) ? Math.min(1, rows) : rows),
    work: () => 0,
    alone: widest,
  };
}

function tripleFactors({ subject, predicate, object }: Triple, statistics: Statistics): readonly Factor[] {
  const ends = { subject: nameOf(subject), object: nameOf(object) };
  if ('pathType' in predicate) return pathFactors(ends, predicate, statistics);
  const name = nameOf(predicate);
  return [edgeFactor(ends, name === undefined ? predicate.value : null, name, statistics)];
}

interface Ends {
  /** Undefined: fixed. */
  readonly subject: string | undefined;
  readonly object: string | undefined;
}

/** @param predicate null for any */
function edgeFactor(
  { subject, object }: Ends,
  predicate: string | null,
  predicateName: string | undefined,
  statistics: Statistics,
): Factor {
  const { triples, subjects, objects } = countsOf(statistics, predicate);
  const names = [subject, object, predicateName].filter((name) => name !== undefined);
  const isBound = (name: string | undefined, bound: ReadonlySet<string>): boolean =>
    name === undefined || bound.has(name);
  const fan = (bound: ReadonlySet<string>): number => {
    const bySubject = isBound(subject, bound) ? Math.max(1, subjects) : 1;
    const byObject = isBound(object, bound) ? Math.max(1, objects) : 1;
    return triples / (bySubject * byObject);
  };
  return { names, fan, work: fan };
}

let fresh = 0;

function pathFactors(ends: Ends, path: PropertyPath, statistics: Statistics): readonly Factor[] {
  const { subject, object } = ends;
  const one = (item: (typeof path.items)[number], between: Ends): readonly Factor[] =>
    'pathType' in item
      ? pathFactors(between, item, statistics)
      : [edgeFactor(between, item.value, undefined, statistics)];
  const [first] = path.items;
  if (path.pathType === '/') {
    fresh = (fresh + 1) % 1_000_000;
    const stops = path.items.slice(1).map((_, index) => `/${fresh}.${index}`);
    return path.items.flatMap((item, index) =>
      one(item, { subject: index === 0 ? subject : stops[index - 1], object: stops[index] ?? object }),
    );
  }
  if (path.pathType === '^' && first !== undefined) return one(first, { subject: object, object: subject });
  const names = [subject, object].filter((name) => name !== undefined);
  const every = edgeFactor(ends, null, undefined, statistics);
  const all = path.items.map((item) => one(item, ends));
  const sum = (bound: ReadonlySet<string>): number => {
    if (path.pathType === '!') return every.fan(bound);
    return all.reduce((total, factors) => total + join(factors, new Set(bound)).rows, 0);
  };
  if (path.pathType === '|' || path.pathType === '!') return [{ names, fan: sum, work: sum }];
  return [closureFactor(names, ends, sum)];
}

/** `*`, `+` and `?`: between two ends that are both open, everything is expected to reach everything. */
function closureFactor(names: readonly string[], ends: Ends, sum: Factor['fan']): Factor {
  const open = (bound: ReadonlySet<string>): number =>
    [ends.subject, ends.object].filter((name) => name !== undefined && !bound.has(name)).length;
  const edges = (bound: ReadonlySet<string>): number =>
    sum(new Set([...bound].filter((name) => !names.includes(name))));
  const reach = (bound: ReadonlySet<string>): number => Math.max(1, Math.min(edges(bound), QUERY_PATH_REACH));
  return {
    names,
    fan: (bound) => [1, reach(bound), Number.POSITIVE_INFINITY][open(bound)] ?? 1,
    work: reach,
  };
}

/** Joins in place: `bound` holds everything afterwards. */
function join(factors: readonly Factor[], bound: Set<string>): { readonly rows: number; readonly widest: number } {
  const left = new Set(factors);
  let rows = 1;
  let widest = 1;
  while (left.size > 0) {
    let best: Factor | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const factor of left) {
      const fan = factor.fan(bound);
      if (best === undefined || fan < least) {
        best = factor;
        least = fan;
      }
    }
    if (best === undefined) break;
    left.delete(best);
    widest = Math.max(widest, rows * best.work(bound), best.alone ?? 0);
    rows *= least;
    widest = Math.max(widest, rows);
    // Fewer than one on the average is one at times.
    rows = Math.max(rows, 1e-3);
    for (const name of best.names) bound.add(name);
  }
  return { rows, widest };
}

interface Block {
  readonly fan: number;
  readonly perRow: number;
  /** What it costs once, whatever comes in. */
  readonly alone: number;
  readonly bound: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

function expectBlock(pattern: Pattern, bound: ReadonlySet<string>, statistics: Statistics): Block | undefined {
  switch (pattern.type) {
    case 'union': {
      const branches = pattern.patterns.map((branch) => expect([branch], bound, statistics));
      const total = (one: (branch: Expectation) => number): number => branches.reduce((sum, b) => sum + one(b), 0);
      const names = new Set(branches.flatMap((branch) => [...branch.bound]));
      return { fan: total((b) => b.rows), perRow: total((b) => b.widest), alone: 0, bound: names };
    }
    case 'optional': {
      const inner = expect(pattern.patterns, bound, statistics);
      return { fan: Math.max(1, inner.rows), perRow: inner.widest, alone: 0, bound: inner.bound };
    }
    case 'graph': {
      const inner = expect(pattern.patterns, bound, statistics);
      const name = nameOf(pattern.name);
      return {
        fan: inner.rows,
        perRow: inner.widest,
        alone: 0,
        bound: new Set([...inner.bound, ...(name ? [name] : [])]),
      };
    }
    case 'minus':
      return { fan: 1, perRow: 1, alone: expect(pattern.patterns, NOTHING, statistics).widest, bound: NOTHING };
    case 'filter':
    case 'bind': {
      const inner = patternsOf(pattern.expression).map((one) => expect([one], bound, statistics).widest);
      return { fan: 1, perRow: Math.max(1, ...inner), alone: 0, bound: NOTHING };
    }
    default:
      return undefined;
  }
}

/** A SELECT as a whole, as a query or within one. */
export function expectSelect(query: SelectQuery, bound: ReadonlySet<string>, statistics: Statistics): Expectation {
  const { rows, widest, bound: inner } = expect(query.where ?? [], bound, statistics);
  const projected = query.variables.flatMap((one) => {
    if ('expression' in one) return [`?${one.variable.value}`];
    return one.termType === 'Wildcard' ? [...inner] : [`?${one.value}`];
  });
  const isOneRow = query.group === undefined && hasAggregate(query);
  const all = isOneRow ? 1 : rows;
  return { rows: Math.min(all, query.limit ?? all), widest, bound: new Set(projected) };
}
