import { isHex } from '../model/ids.ts';
import type { PeerId } from '../network/transport.ts';
import type { Node } from '../node/node.ts';
import type { PeerControl } from './ports.ts';

/** The control of a node that takes part among its peers. */
export function createPeerControl({ peering, parts }: Node): PeerControl {
  const session = (id: string) =>
    parts.transport
      .peers()
      .find((peer) => peer.id === id || parts.genesis.authorities[peer.authorityIndex ?? -1]?.id === id);
  return {
    connect: (address) => peering?.connect(address),
    disconnect: (id) => {
      const peer = session(id);
      return peer !== undefined && peering?.disconnect(peer.id) === true;
    },
    ban: async (id, lengthMs) => {
      // By its name also while there is no session with it.
      const isNamed = parts.genesis.authorities.some((authority) => authority.id === id);
      if (isNamed || session(id)?.role === 'authority') return 'AUTHORITY';
      if (!isHex(id, 32)) return 'UNKNOWN';
      return (await peering?.ban(id as PeerId, lengthMs)) ?? 'UNKNOWN';
    },
    unban: async (id) => (await peering?.unban(id as PeerId)) === true,
    bans: () => peering?.bans() ?? [],
  };
}
