import { defined } from '../../lib/assert.ts';
import type { Prng } from '../../lib/prng.ts';
import { decode, encode } from '../../model/codec.ts';
import { PEER_MESSAGE_TAG_MIN, type PeerMessage, peerMessageLayout } from '../../model/peer-message.ts';
import type { Lane, PeerId, Transport } from '../../network/transport.ts';
import type { Chain } from '../../store/chain.ts';
import { FLOOD_KINDS, PESTER_MS } from './floods.ts';
import type { Alteration, Liar } from './liar.ts';
import { alterationsOf, pesteringsOf } from './lies.ts';
import type { Network } from './past.ts';
import type { HostilePeer } from './scenario.ts';

export interface DisguiseParts extends HostilePeer {
  readonly transport: Transport;
  readonly network: Network;
  readonly prng: Prng;
  readonly chain: () => Chain | undefined;
  readonly after: (delayMs: number, run: () => void) => void;
}

/** A hostile peer: an honest program whose words are altered on their way out, and that says some of its own. */
export function disguise(parts: DisguiseParts): Transport {
  const { transport, lies, prng } = parts;
  const alterations = alterationsOf(lies);
  const pesterings = pesteringsOf(lies);
  const drawn = prng.pick(FLOOD_KINDS);
  const { floodKind = drawn } = parts;
  const speak = (peer: PeerId, message: PeerMessage, lane: Lane): void => {
    const frame = encoded(message);
    if (frame !== undefined) transport.send(peer, frame, lane);
  };
  const liarTo = (peer: PeerId): Liar => ({
    ...parts,
    chain: defined(parts.chain(), 'a liar that speaks has a chain'),
    floodKind,
    say: (message) => speak(peer, message, 'sync'),
    shout: (frame) => void transport.send(peer, frame, 'sync'),
  });
  const pester = (): void => {
    for (const { id } of transport.peers()) for (const one of pesterings) one(liarTo(id));
    parts.after(PESTER_MS, pester);
  };
  return {
    self: transport.self,
    start: (onEvent) => {
      if (pesterings.length > 0) parts.after(PESTER_MS, pester);
      return transport.start(onEvent);
    },
    send: (peer, frame, lane) => {
      if ((frame[0] ?? 0) < PEER_MESSAGE_TAG_MIN) return transport.send(peer, frame, lane);
      const message = decode(peerMessageLayout, frame);
      if (!message.ok) return false;
      for (const said of altered([message.value], alterations, liarTo(peer))) speak(peer, said, lane);
      return true;
    },
    backlog: (peer) => transport.backlog(peer),
    peers: () => transport.peers(),
    disconnect: (peer, reason) => transport.disconnect(peer, reason),
    dial: (address, purpose) => transport.dial(address, purpose),
    setAuthorities: (authorities) => transport.setAuthorities(authorities),
    close: () => transport.close(),
  };
}

function altered(
  messages: readonly PeerMessage[],
  alterations: readonly Alteration[],
  liar: Liar,
): readonly PeerMessage[] {
  return alterations.reduce((all, alter) => all.flatMap((message) => alter(message, liar)), messages);
}

/** Undefined for what cannot be put into a frame at all. */
function encoded(message: PeerMessage): Uint8Array | undefined {
  try {
    return encode(peerMessageLayout, message);
  } catch {
    return undefined;
  }
}
