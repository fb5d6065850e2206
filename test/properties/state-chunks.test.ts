import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { treeKey } from '../../src/ledger/records.ts';
import type { StateChange } from '../../src/ledger/state.ts';
import {
  type ChunkPlace,
  type ChunkSource,
  checkChunk,
  cutChunk,
  type StateChunk,
  stateChunkLayout,
} from '../../src/ledger/state-chunks.ts';
import { encodePage } from '../../src/ledger/state-pages.ts';
import { compareBytes, toHex } from '../../src/lib/bytes.ts';
import { decode, encode } from '../../src/model/codec.ts';
import type { Hash } from '../../src/model/ids.ts';
import { StoredPages, tickets } from '../unit/ledger/stored-pages.ts';

/** A state whose records are found by their tree keys. */
class Source extends StoredPages implements ChunkSource {
  readonly #sorted: readonly { readonly path: string; readonly record: StateChange }[];
  readonly root: Hash;

  constructor(records: readonly StateChange[]) {
    super();
    this.root = this.update(records).root;
    const placed = records.map((record) => ({ path: toHex(treeKey(record.key)), record }));
    this.#sorted = placed.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  *records(path: string): Generator<StateChange> {
    for (const placed of this.#sorted) if (placed.path.startsWith(path)) yield placed.record;
  }
}

interface Cut {
  readonly place: ChunkPlace;
  readonly chunk: StateChunk;
}

/** All chunks of a state as a receiver would ask for them, and what they add up to. */
function gather(source: Source, bytesMax: number) {
  const cuts: Cut[] = [];
  const records: StateChange[] = [];
  const pages = new Map<string, string>();
  const open: ChunkPlace[] = [{ path: '', hash: source.root }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const chunk = cutChunk(source, place.path, bytesMax);
    const checked = checkChunk(place, chunk);
    if (!checked.ok) throw new Error(`${place.path}: ${checked.error.reason}`);
    cuts.push({ place, chunk });
    records.push(...checked.value.records);
    for (const [path, page] of checked.value.pages) pages.set(path, toHex(encodePage(page)));
    open.push(...checked.value.places);
  }
  return { cuts, records, pages };
}

const sizes = fc.integer({ min: 0, max: 400 });
const bytesMax = fc.constantFrom(1, 60, 200, 1_000, 100_000);

function sorted(records: readonly StateChange[]): string[] {
  return [...records]
    .sort((a, b) => compareBytes(a.key, b.key))
    .map(({ key, value }) => `${toHex(key)} ${toHex(value)}`);
}

describe('a state cut into chunks', () => {
  it('is the same state, record for record and page for page, put together again', () => {
    fc.assert(
      fc.property(sizes, bytesMax, (count, most) => {
        const source = new Source(tickets(0, count));
        const { records, pages } = gather(source, most);
        expect(sorted(records)).toEqual(sorted(tickets(0, count)));
        const stored = [...source.bytes].filter(([path]) => count > 0 || path !== '');
        expect(pages).toEqual(new Map(stored.map(([path, bytes]) => [path, toHex(bytes)])));
      }),
    );
  });

  it('keeps each chunk of more than one record within its bound', () => {
    const { cuts } = gather(new Source(tickets(0, 2_000)), 1_000);
    for (const { chunk } of cuts) {
      if (chunk.kind === 'records' && chunk.records.length > 1) {
        expect(encode(stateChunkLayout, chunk).length).toBeLessThanOrEqual(1_000);
      }
    }
    expect(cuts.some(({ chunk }) => chunk.kind === 'split')).toBe(true);
  });

  it('is read back from its bytes, and refused once any byte of them is another', () => {
    const { cuts } = gather(new Source(tickets(0, 300)), 1_000);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, where, change) => {
        const { place, chunk } = cuts[which % cuts.length] as Cut;
        const bytes = encode(stateChunkLayout, chunk);
        const back = decode<StateChunk>(stateChunkLayout, bytes);
        expect(back.ok && checkChunk(place, back.value).ok).toBe(true);
        const index = where % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ change;
        const changed = decode<StateChunk>(stateChunkLayout, bytes);
        expect(changed.ok && checkChunk(place, changed.value).ok).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no chunk that lacks a record, has one twice, or has them in another order', () => {
    const source = new Source(tickets(0, 40));
    const place = { path: '', hash: source.root };
    const chunk = cutChunk(source, '');
    const records = chunk.kind === 'records' ? chunk.records : [];
    const accepts = (changed: readonly StateChange[]): boolean =>
      checkChunk(place, { kind: 'records', records: changed }).ok;
    expect(accepts(records)).toBe(true);
    for (const [index, record] of records.entries()) {
      expect(accepts(records.toSpliced(index, 1))).toBe(false);
      expect(accepts(records.toSpliced(index, 0, record))).toBe(false);
      if (index > 0) expect(accepts([...records.slice(index), ...records.slice(0, index)])).toBe(false);
    }
    expect(accepts([...records, ...tickets(40, 41)])).toBe(false);
  });

  it('takes the chunk of no other place', () => {
    const { cuts } = gather(new Source(tickets(0, 300)), 1_000);
    for (const { place } of cuts) {
      for (const other of cuts) {
        expect(checkChunk(place, other.chunk).ok).toBe(other.place.path === place.path);
      }
    }
  });

  it('takes no parts that are moved, missing or named for something else', () => {
    const source = new Source(tickets(0, 300));
    const place = { path: '', hash: source.root };
    const chunk = cutChunk(source, '', 1_000);
    const parts = chunk.kind === 'split' ? chunk.parts : [];
    const accepts = (changed: typeof parts): boolean => checkChunk(place, { kind: 'split', parts: changed }).ok;
    expect(accepts(parts)).toBe(true);
    expect(accepts(parts.toReversed())).toBe(false);
    expect(accepts(parts.slice(1))).toBe(false);
    expect(accepts([...parts, { kind: 'empty' }])).toBe(false);
    for (const index of parts.keys()) expect(accepts(parts.with(index, { kind: 'empty' }))).toBe(false);
    // The root passed off as the hash of one of its parts would send the receiver round for ever.
    const alone = Array.from(parts, () => ({ kind: 'empty' }) as const);
    expect(accepts([{ kind: 'subtree', hash: source.root }, ...alone.slice(1)])).toBe(false);
  });

  it('does not pass one record off as a subtree', () => {
    const [only] = tickets(0, 1);
    const source = new Source(only === undefined ? [] : [only]);
    const digit = Number.parseInt(toHex(treeKey(only?.key ?? new Uint8Array()))[0] ?? '', 16);
    const parts = Array.from({ length: 16 }, (_, index) =>
      index === digit ? ({ kind: 'subtree', hash: source.root } as const) : ({ kind: 'empty' } as const),
    );
    expect(checkChunk({ path: '', hash: source.root }, { kind: 'split', parts }).ok).toBe(false);
  });
});
