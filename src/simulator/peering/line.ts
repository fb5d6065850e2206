import { defined } from '../../lib/assert.ts';
import type { PublicKey } from '../../model/ids.ts';
import type { ClaimedHead, DownReason, PeerId } from '../../network/transport.ts';

/** What a running program shows of itself when it is connected. */
export interface Introduction {
  /** Proves its role; without one it is what it says. */
  readonly authorityKey: PublicKey | undefined;
  readonly isBootstrap: boolean;
  readonly head: () => ClaimedHead;
}

/** Where sessions end: a running program, as the internet sees it. */
export interface End {
  readonly self: PeerId;
  readonly address: string;
  readonly isOn: boolean;
  readonly introduction: Introduction;
  lines(): readonly Line[];
  lineTo(id: PeerId): Line | undefined;
  /** Whether it wants nothing to do with the other. */
  shuns(other: End): boolean;
  isFullFor(other: End): boolean;
  /** @param address what was dialled */
  rise(line: Line, address: string): void;
  fall(line: Line, reason: DownReason, by: 'us' | 'them'): void;
  take(from: PeerId, frame: Uint8Array): void;
}

/** One session, and which of its two ends believes in it. */
export interface Line {
  /** The one that dialled comes first. */
  readonly ends: readonly [End, End];
  isOpen: boolean;
  /** By direction and lane: when the newest frame arrives. */
  readonly arrivals: Map<string, number>;
  /** Frames under way, by direction. */
  readonly underWay: [number, number];
  /** The bytes of those. */
  readonly bytesUnderWay: [number, number];
}

export function otherEnd({ ends }: Line, end: End): End {
  return defined(ends[0] === end ? ends[1] : ends[0], 'a line has two ends');
}
