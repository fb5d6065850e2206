/** How often a predicate occurs, and with how many different subjects and objects. */
export interface PredicateCounts {
  readonly triples: number;
  readonly subjects: number;
  readonly objects: number;
}

/** What the gate knows of the graph that a query meets. */
export interface Statistics {
  readonly quads: number;
  /** Quads when `predicates` was counted: of a graph that has grown since they tell the shape. 0: never. */
  readonly countedQuads: number;
  readonly predicates: Readonly<Record<string, PredicateCounts>>;
}

export const NO_STATISTICS: Statistics = { quads: 0, countedQuads: 0, predicates: {} };

/** Counted by the engine itself; the columns are read by `statisticsOf`. */
export const STATISTICS_QUERY = `SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?ns) (COUNT(DISTINCT ?o) AS ?no)
WHERE { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n)`;

/** @param csv the answer to `STATISTICS_QUERY` */
export function statisticsOf(csv: string, quads: number, predicatesMax: number): Statistics {
  const predicates: Record<string, PredicateCounts> = {};
  for (const line of csv.split(/\r?\n/).slice(1, predicatesMax + 1)) {
    const [, name, triples, subjects, objects] = /^(.+),(\d+),(\d+),(\d+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    predicates[name.replace(/^"|"$/g, '')] = {
      triples: Number(triples),
      subjects: Number(subjects),
      objects: Number(objects),
    };
  }
  return { quads, countedQuads: quads, predicates };
}

/** What has more different objects than this part of its occurrences gets more of them as it grows. */
const OPEN_OBJECTS = 0.25;

/** Of a predicate, or of any (null). What was never counted is taken to be common, and its objects to come three times. */
export function countsOf({ quads, countedQuads, predicates }: Statistics, predicate: string | null): PredicateCounts {
  if (predicate === null) return { triples: quads, subjects: quads / 8, objects: quads / 8 };
  const growth = countedQuads === 0 ? 1 : Math.max(1, quads / countedQuads);
  const known = Object.hasOwn(predicates, predicate) ? predicates[predicate] : undefined;
  if (known !== undefined) {
    const { triples, subjects, objects } = known;
    const isOpen = objects > triples * OPEN_OBJECTS;
    return { triples: triples * growth, subjects: subjects * growth, objects: isOpen ? objects * growth : objects };
  }
  const isRare = countedQuads > quads / 2;
  const triples = isRare ? Math.max(1, quads / 1_000) : quads / 20;
  return { triples, subjects: triples, objects: Math.max(1, triples / 3) };
}
