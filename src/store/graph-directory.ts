import { CorruptionError } from './blocks.ts';
import type { KeyValue } from './key-value.ts';
import { openRebuildableLmdb, tellsOfDamage } from './lmdb.ts';
import { GRAPH_TABLES, numberKey } from './quad-keys.ts';
import { ForeignGraphError, type GraphIdentity } from './quad-rows.ts';
import { QuadIndex } from './quads.ts';
import { beginOpening, dropData, endOpening, hasData, notedDamage } from './replacement.ts';

export interface OpenedGraph {
  readonly store: KeyValue;
  readonly index: QuadIndex;
  /** Why what was there was removed, so that the index begins anew; null when it was not. */
  readonly dropped: string | null;
}

/**
 * Opens the graph index in a directory that nobody else has open, begun anew when it is damaged, of another chain or of
 * another layout. Reading a damaged file may end the process: then the next opening begins anew.
 *
 * @throws StoreError for whatever is no fault of the data
 */
export async function openGraph(directory: string, identity: GraphIdentity): Promise<OpenedGraph> {
  const isSuspect = beginOpening(directory) && hasData(directory);
  const noted = notedDamage(directory) ?? (isSuspect ? 'reading it ended the process' : null);
  if (noted !== null) dropData(directory);
  const opened = noted === null ? await openWhole(directory, identity) : noted;
  if (typeof opened === 'string') dropData(directory);
  const { store, index } = typeof opened === 'string' ? openAsItIs(directory, identity) : opened;
  endOpening(directory);
  return { store, index, dropped: typeof opened === 'string' ? opened : null };
}

/** @returns what is wrong with the index, if something is */
async function openWhole(directory: string, identity: GraphIdentity): Promise<Omit<OpenedGraph, 'dropped'> | string> {
  let store: KeyValue | undefined;
  try {
    store = openRebuildableLmdb(directory, Object.values(GRAPH_TABLES));
    const index = new QuadIndex(store, identity);
    look(store, index);
    return { store, index };
  } catch (error) {
    if (!isGraphDamage(error)) throw error;
    await new Promise<unknown>((resolve) => (store === undefined ? resolve(undefined) : store.close(resolve)));
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function openAsItIs(directory: string, identity: GraphIdentity): Omit<OpenedGraph, 'dropped'> {
  const store = openRebuildableLmdb(directory, Object.values(GRAPH_TABLES));
  return { store, index: new QuadIndex(store, identity) };
}

/** Whether an error says that an index is not as it was written, or not of this node. */
export function isGraphDamage(error: unknown): boolean {
  return error instanceof CorruptionError || error instanceof ForeignGraphError || tellsOfDamage(error);
}

/** At both ends of every table, and at the last term: what is easily found should be found now. */
function look(store: KeyValue, { extent }: QuadIndex): void {
  for (const table of Object.values(GRAPH_TABLES)) {
    for (const reverse of [false, true]) {
      const [row] = store.range(table, { reverse, limit: 1 });
      const isFilled = table === GRAPH_TABLES.meta ? extent.heights !== null : extent.terms > 0;
      if ((row !== undefined) !== isFilled) {
        throw new CorruptionError(`table ${table} of the graph index does not fit what the index says of itself`);
      }
    }
  }
  const has = (number: number) => store.get(GRAPH_TABLES.terms, numberKey(number)) !== undefined;
  if (has(extent.terms + 1) || (extent.terms > 0 && !has(extent.terms))) {
    throw new CorruptionError(`the graph index does not end with term ${extent.terms}`);
  }
}
