/** A map that forgets: it holds what was used last, and never more than its bound. */
export interface BoundedMap<Key, Value> {
  readonly size: number;
  /** The value, which thereby becomes the one used last. */
  get(key: Key): Value | undefined;
  /** Keeps a value; when that is one too many, the one unused for longest goes. */
  set(key: Key, value: Value): void;
}

/** @param entriesMax how many it may hold; at least one */
export function createBoundedMap<Key, Value extends {}>(entriesMax: number): BoundedMap<Key, Value> {
  // A Map iterates in the order of insertion: the first key is the one unused for longest.
  const entries = new Map<Key, Value>();
  const use = (key: Key, value: Value): void => {
    entries.delete(key);
    entries.set(key, value);
  };
  return {
    get size() {
      return entries.size;
    },
    get: (key) => {
      const value = entries.get(key);
      if (value !== undefined) use(key, value);
      return value;
    },
    set: (key, value) => {
      use(key, value);
      for (const oldest of entries.keys()) {
        if (entries.size <= entriesMax) break;
        entries.delete(oldest);
      }
    },
  };
}
