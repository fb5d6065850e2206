/** Records and pages of a state tree in memory. */
import { stateKey } from '../../../src/ledger/records.ts';
import type { StateChange } from '../../../src/ledger/state.ts';
import { decodePage, encodePage, type Page, type PageReader } from '../../../src/ledger/state-pages.ts';
import { type TreeWork, updateTree } from '../../../src/ledger/state-tree.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import type { Hash } from '../../../src/model/ids.ts';
import { naiveLeaf, naiveRoot } from './naive-tree.ts';

export const EMPTY: PageReader = { page: () => undefined };

export function ticket(number: number, value = 'first'): StateChange {
  return { key: stateKey(TICKET, `ticket-${number}`), value: utf8(`${value} ${number}`) };
}

export function tickets(from: number, to: number): StateChange[] {
  return Array.from({ length: to - from }, (_, index) => ticket(from + index));
}

export function rootOf(changes: readonly StateChange[]): string {
  return naiveRoot(changes.map(({ key, value }) => naiveLeaf(key, value)));
}

/** Pages in memory, kept as the bytes that a store would keep. */
export class StoredPages implements PageReader {
  readonly bytes = new Map<string, Uint8Array>();

  page(path: string): Page | undefined {
    const bytes = this.bytes.get(path);
    if (bytes === undefined) return undefined;
    const page = decodePage(bytes);
    if (!page.ok) throw new Error(page.error.reason);
    return page.value;
  }

  update(changes: readonly StateChange[]): { readonly root: Hash; readonly work: TreeWork } {
    const { root, pageWrites, work } = updateTree(this, changes);
    for (const [path, page] of pageWrites) this.bytes.set(path, encodePage(page));
    return { root, work };
  }
}
