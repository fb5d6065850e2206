import { randomInt } from 'node:crypto';
import type { Genesis } from '../ledger/genesis.ts';
import { formatAddress } from '../lib/address.ts';
import { toHex } from '../lib/bytes.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { hexBytes, Signature } from '../model/ids.ts';
import { createIdentity } from '../network/identity.ts';
import { Mesh } from '../network/mesh.ts';
import type { AuthorityContact, ClaimedHead } from '../network/transport.ts';
import type { NodeConfig } from '../node/config/config.ts';
import type { KnownPeers } from '../node/known-peers.ts';
import type { Signer } from '../node/ports.ts';
import { outboundMin } from './compose-peering.ts';

export interface MeshParts {
  readonly config: NodeConfig;
  readonly version: string;
  readonly genesis: Genesis;
  readonly nodeKey: Uint8Array;
  /** Proves the role; also for a key that votes no more. */
  readonly authorityKey: Signer | null;
  /** Whether this node votes with it now. */
  readonly votes: () => boolean;
  readonly head: () => ClaimedHead;
  readonly check: Jurisdiction['check'];
  readonly known: KnownPeers;
}

/** Sessions with other nodes, over WebSocket and TLS. */
export function openMesh(parts: MeshParts): Mesh {
  const { config, version, genesis, authorityKey, head, check, known } = parts;
  const { network } = config;
  const advertised = network.advertiseAddress;
  return new Mesh({
    identity: createIdentity(parts.nodeKey),
    networkId: genesis.networkId,
    chainId: genesis.chainId,
    version,
    ...(authorityKey === null
      ? {}
      : {
          authority: {
            publicKey: authorityKey.publicKey,
            sign: (message: Uint8Array) => hexBytes(authorityKey.sign(message)),
            votes: parts.votes,
          },
        }),
    checkSignature: (key, message, signature) => check(key, message, Signature(toHex(signature))),
    head,
    isBootstrap: network.isDiscoveryOnly,
    listen: {
      host: network.listenAddress,
      port: network.listenPort,
      ...(advertised === undefined ? {} : { advertise: formatAddress(advertised.host, advertised.port) }),
    },
    random: () => randomInt(2 ** 32) / 2 ** 32,
    connectionTimeoutMs: network.connectionTimeoutMs,
    heartbeatIntervalMs: network.heartbeatIntervalMs,
    acceptFollowers: true,
    followersMax: network.peersMax - outboundMin(config, authorityKey === null),
    followersPerGroupMax: network.peersPerGroupMax,
    isBanned: (id) => known.isBanned(id),
    isCutOff: (id) => known.isCutOff(id),
  });
}

/** Every authority, and where it listens as far as the configuration says. */
export function contactsOf(config: NodeConfig, genesis: Genesis): readonly AuthorityContact[] {
  return genesis.authorities.map(({ id, publicKey }) => {
    const peer = config.network.bootstrapPeers.find(({ name }) => name === id);
    return peer === undefined ? { publicKey } : { publicKey, address: formatAddress(peer.host, peer.port) };
  });
}
