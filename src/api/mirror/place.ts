import { open, readFile, rename } from 'node:fs/promises';
import { z } from 'zod';

/** The blocks that a mirror has, all between the two. */
export interface MirrorRange {
  readonly from: number;
  readonly to: number;
}

/** Remembers what a mirror has taken. */
export interface MirrorPlace {
  /** Undefined when nothing is known of this store and this graph. */
  load(): Promise<MirrorRange | undefined>;
  save(range: MirrorRange): Promise<void>;
}

const height = z.number().int().nonnegative();
const noted = z.object({ graph: z.string(), store: z.string(), from: height, to: height });

/**
 * In a file that is replaced as a whole: whatever a crash leaves is what was noted last, or nothing.
 *
 * @param what the graph and the store that the file is about: of others it knows nothing
 */
export function placeInFile(path: string, what: { readonly graph: string; readonly store: string }): MirrorPlace {
  return {
    load: async () => {
      const found = noted.safeParse(await readJson(path));
      if (!found.success) return undefined;
      const { graph, store, from, to } = found.data;
      return graph === what.graph && store === what.store ? { from, to } : undefined;
    },
    save: async ({ from, to }) => {
      const draft = `${path}.new`;
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify({ ...what, from, to })}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

/** Undefined for whatever cannot be read: then all is mirrored again, which changes nothing. */
async function readJson(path: string): Promise<unknown> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    return found;
  } catch {
    return undefined;
  }
}
