import { describe, expect, it } from 'vitest';
import { decodePage, encodePage, isLeaf, PageOverlay, type PageReader } from '../../../src/ledger/state-pages.ts';
import { prove, verifyProof } from '../../../src/ledger/state-proof.ts';
import { updateTree } from '../../../src/ledger/state-tree.ts';
import { InvariantError } from '../../../src/lib/assert.ts';
import { ZERO_HASH } from '../../../src/model/ids.ts';
import { naiveLeaf } from './naive-tree.ts';
import { EMPTY, rootOf, StoredPages, ticket, tickets } from './stored-pages.ts';

describe('the state tree', () => {
  it('of nothing has the zero hash', () => {
    expect(updateTree(EMPTY, []).root).toBe(ZERO_HASH);
    expect(rootOf([])).toBe(ZERO_HASH);
  });

  it.each([1, 2, 3, 16, 17, 300])('of %i records is as the definition says', (count) => {
    const changes = tickets(0, count);
    expect(updateTree(EMPTY, changes).root).toBe(rootOf(changes));
  });

  it('of one record is its leaf', () => {
    const pages = new StoredPages();
    pages.update([ticket(1)]);
    expect(isLeaf(pages.page('') ?? null)).toBe(true);
    expect([...pages.bytes.keys()]).toEqual(['']);
  });

  it('holds the newest of each record', () => {
    const pages = new StoredPages();
    pages.update(tickets(0, 200));
    const { root } = pages.update([ticket(7, 'second'), ticket(150, 'second')]);
    const newest = tickets(0, 200).map((change, index) =>
      index === 7 || index === 150 ? ticket(index, 'second') : change,
    );
    expect(root).toBe(rootOf(newest));
  });

  it('does not depend on the order or the batches in which records came', () => {
    const once = updateTree(EMPTY, tickets(0, 100)).root;
    const pages = new StoredPages();
    for (const change of tickets(0, 100).reverse()) pages.update([change]);
    expect(pages.update([]).root).toBe(once);
  });

  it('keeps a page for every four levels of two or more leaves, and leaves the others where they were', () => {
    const pages = new StoredPages();
    pages.update(tickets(0, 1_000));
    const before = new Map(pages.bytes);
    pages.update([ticket(500, 'second')]);
    const changed = [...pages.bytes].filter(([path, bytes]) => before.get(path) !== bytes).map(([path]) => path);
    expect(changed.map((path) => path.length)).toEqual(changed.map((_, depth) => depth).reverse());
    expect(pages.bytes.size).toBe(before.size);
  });

  it('takes every key once', () => {
    expect(() => updateTree(EMPTY, [ticket(1), ticket(1)])).toThrow(InvariantError);
  });

  it('names the page that is missing', () => {
    const pages = new StoredPages();
    pages.update(tickets(0, 100));
    const only: PageReader = { page: (path) => (path === '' ? pages.page('') : undefined) };
    expect(() => updateTree(only, tickets(0, 100))).toThrow(InvariantError);
    expect(() => tickets(0, 100).map(({ key }) => prove(only, key))).toThrow(/lost its page/);
  });
});

describe('an overlay of pages', () => {
  it('shows its own writes, then its parent’s, then the stored ones', () => {
    const stored = new StoredPages();
    stored.update(tickets(0, 50));
    const base = new PageOverlay(stored);
    const first = updateTree(base, tickets(50, 100));
    const parent = base.child(first.pageWrites);
    const second = updateTree(parent, tickets(100, 150));
    const child = parent.child(second.pageWrites);
    expect(second.root).toBe(rootOf(tickets(0, 150)));
    expect(updateTree(child, []).root).toBe(second.root);
    expect(updateTree(parent, []).root).toBe(rootOf(tickets(0, 100)));
    expect(stored.update([]).root).toBe(rootOf(tickets(0, 50)));
  });

  it('can let its parent go once that is stored', () => {
    const stored = new StoredPages();
    const first = updateTree(stored, tickets(0, 50));
    const parent = new PageOverlay(stored).child(first.pageWrites);
    const second = updateTree(parent, tickets(50, 100));
    const child = parent.child(second.pageWrites);
    stored.update(tickets(0, 50));
    child.detach();
    expect(updateTree(child, tickets(100, 120)).root).toBe(rootOf(tickets(0, 120)));
  });
});

describe('the bytes of a page', () => {
  const pages = new StoredPages();
  pages.update(tickets(0, 400));

  it('are read back to the same bytes', () => {
    for (const [path, bytes] of pages.bytes) {
      const page = pages.page(path);
      expect(page && encodePage(page)).toEqual(bytes);
    }
  });

  it.each([
    ['nothing', []],
    ['an empty page', [0]],
    ['a link in place of a page', [3, ...new Array<number>(32).fill(1)]],
    ['an unknown tag', [4]],
    ['a leaf that is cut', [1, ...new Array<number>(63).fill(1)]],
    ['a byte too many', [1, ...new Array<number>(65).fill(1)]],
  ])('cannot be %s', (_, bytes) => {
    expect(decodePage(Uint8Array.from(bytes)).ok).toBe(false);
  });

  it('cannot be branches below the fourth level', () => {
    const branch = [2, ...new Array<number>(32).fill(1)];
    const deep = (levels: number): number[] => (levels === 0 ? [0] : [...branch, ...deep(levels - 1), 0]);
    expect(decodePage(Uint8Array.from(deep(4))).ok).toBe(true);
    expect(decodePage(Uint8Array.from(deep(5))).ok).toBe(false);
  });
});

describe('a proof', () => {
  const pages = new StoredPages();
  const { root } = pages.update(tickets(0, 300));

  it('shows every record', () => {
    for (const { key, value } of tickets(0, 300)) {
      const leaf = naiveLeaf(key, value);
      const proven = verifyProof(root, key, prove(pages, key));
      expect(proven).toEqual({ isPresent: true, recordHash: Buffer.from(leaf.recordHash).toString('hex') });
    }
  });

  it('shows that a record is absent, beside another leaf or in an empty place', () => {
    const ends = new Set<string>();
    for (const { key } of tickets(1_000, 1_200)) {
      const proof = prove(pages, key);
      ends.add(proof.end === null ? 'nothing' : 'another leaf');
      expect(verifyProof(root, key, proof)).toEqual({ isPresent: false });
    }
    expect(ends.size).toBe(2);
  });

  it('of an empty state shows that everything is absent', () => {
    const { key } = ticket(1);
    expect(prove(EMPTY, key)).toEqual({ siblings: [], end: null });
    expect(verifyProof(ZERO_HASH, key, prove(EMPTY, key))).toEqual({ isPresent: false });
  });

  it('shows nothing about another key', () => {
    const proof = prove(pages, ticket(1).key);
    for (const { key } of tickets(2, 100)) expect(verifyProof(root, key, proof)).toBeUndefined();
    for (const { key } of tickets(1_000, 1_100)) expect(verifyProof(root, key, proof)).toBeUndefined();
  });

  it('shows nothing that is too short, too long or endless', () => {
    const { key } = ticket(1);
    const proof = prove(pages, key);
    const shortened = { ...proof, siblings: proof.siblings.slice(1) };
    const lengthened = { ...proof, siblings: [...proof.siblings, ZERO_HASH] };
    const endless = { ...proof, siblings: new Array(257).fill(ZERO_HASH) };
    const emptied = { ...proof, end: null };
    for (const bad of [shortened, lengthened, endless, emptied]) {
      expect(verifyProof(root, key, bad)).toBeUndefined();
    }
  });
});
