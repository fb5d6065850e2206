import type { Prng } from '../../lib/prng.ts';
import type { PeerMessage, PeerMessageKind } from '../../model/peer-message.ts';
import type { Chain } from '../../store/chain.ts';
import type { Network } from './past.ts';

/** What a hostile peer can do, and what it knows: the honest program runs in it, and it alters what that says. */
export interface Liar {
  readonly network: Network;
  readonly prng: Prng;
  /** Its own true chain. */
  readonly chain: Chain;
  /** What it floods others with. */
  readonly floodKind: PeerMessageKind;
  readonly after: (delayMs: number, run: () => void) => void;
  /** To one peer, now. */
  readonly say: (message: PeerMessage) => void;
  readonly shout: (frame: Uint8Array) => void;
}

/** What is said in place of an honest message; nothing at all when the list is empty. */
export type Alteration = (message: PeerMessage, liar: Liar) => readonly PeerMessage[];

/** What is said now and then to every peer without being asked. */
export type Pestering = (liar: Liar) => void;
