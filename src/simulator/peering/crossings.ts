import { decode } from '../../model/codec.ts';
import type { Hash } from '../../model/ids.ts';
import { messageLayout } from '../../model/message.ts';
import { PEER_MESSAGE_TAG_MIN, peerMessageLayout } from '../../model/peer-message.ts';
import type { End } from './line.ts';

/** Over how many links each node has passed each transaction on. */
export class Crossings {
  readonly #counts = new Map<Hash, Map<string, number>>();

  sent({ address }: End, frame: Uint8Array): void {
    for (const id of idsIn(frame)) {
      const counts = this.#counts.get(id) ?? new Map<string, number>();
      this.#counts.set(id, counts.set(address, (counts.get(address) ?? 0) + 1));
    }
  }

  /** Of one transaction, the most that any node has used; 0 for one that nobody has passed on. */
  most(id: Hash): number {
    return Math.max(0, ...(this.#counts.get(id)?.values() ?? []));
  }

  /** Of one transaction, all together. */
  all(id: Hash): number {
    let sum = 0;
    for (const count of this.#counts.get(id)?.values() ?? []) sum += count;
    return sum;
  }
}

function idsIn(frame: Uint8Array): readonly Hash[] {
  const isOfPeers = (frame[0] ?? 0) >= PEER_MESSAGE_TAG_MIN;
  const message = isOfPeers ? decode(peerMessageLayout, frame) : decode(messageLayout, frame);
  return message.ok && message.value.kind === 'transactions' ? message.value.transactions.map(({ id }) => id) : [];
}
