import { randomBytes, randomInt } from 'node:crypto';
import type { Logger } from '../api/settings.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { formatAddress } from '../lib/address.ts';
import { OUTBOUND_PEERS_MIN } from '../model/limits.ts';
import type { PeerInfo } from '../network/transport.ts';
import { systemClock, systemTimers } from '../node/clock.ts';
import { systemCompression } from '../node/compression.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { KnownPeers } from '../node/known-peers.ts';
import type { ArrivalSettings, PeeringSettings } from '../node/peering.ts';
import { judgeAbsence } from '../peering/fork.ts';
import type { Chain } from '../store/chain.ts';
import type { KeyValue } from '../store/key-value.ts';

/** What the store remembers of other nodes. */
export function openKnownPeers(store: KeyValue, logger: Logger): KnownPeers {
  return new KnownPeers({
    store,
    clock: systemClock,
    timers: systemTimers,
    salt: randomBytes(32),
    onFailed: (error) => logger.error({ error: error.message }, 'what is known of peers cannot be kept'),
  });
}

/** How many sessions this node opens itself: the rest of `max_peers` is for those that come. */
export function outboundMin({ network: { peersMax, isDiscoveryOnly } }: NodeConfig, isFollower: boolean): number {
  // Authorities dial each other by name, and are sought by the others, as those are that only know peers.
  return isFollower && !isDiscoveryOnly ? Math.min(OUTBOUND_PEERS_MIN, Math.ceil(peersMax / 2)) : 0;
}

/** The configured addresses that no authority of genesis is named with. */
function bootstrapOf({ network }: NodeConfig, { authorities }: Genesis): readonly string[] {
  return network.bootstrapPeers.flatMap(({ name, host, port }) =>
    authorities.some(({ id }) => id === name) ? [] : [formatAddress(host, port)],
  );
}

export interface PeeringMaterial {
  readonly isFollower: boolean;
  readonly genesis: Genesis;
  readonly known: KnownPeers;
  readonly arrival: ArrivalSettings | undefined;
  readonly chain: Chain;
}

/** How a node takes part among its peers. */
export function peeringOf(
  config: NodeConfig,
  { isFollower, genesis, known, arrival, chain }: PeeringMaterial,
): PeeringSettings {
  const { network } = config;
  return {
    isFollower,
    known,
    discovery: {
      bootstrap: bootstrapOf(config, genesis),
      outboundMin: outboundMin(config, isFollower),
      peersMax: network.peersMax,
    },
    gossip: {
      fanoutMin: network.fanout,
      hopsMax: network.ttlHops,
      idsMax: network.cacheSize,
      salt: randomBytes(32),
    },
    antiEntropyMs: network.antiEntropyIntervalMs,
    compression: systemCompression,
    random: () => randomInt(2 ** 32) / 2 ** 32,
    ...(arrival === undefined ? {} : { arrival }),
    trusted: config.consensus.trustedCheckpoint,
    filling: config.storage.fillHistory ? { retainedBlocks: config.storage.retainedBlocks } : undefined,
    ...(isFollower && wasAwayTooLong(config, chain) ? { trust: { isConfigured: configuredIn(config) } } : {}),
  };
}

/** Authorities are in touch with the keys of the present; whoever has none of them may be told stories. */
function wasAwayTooLong({ consensus }: NodeConfig, chain: Chain): boolean {
  const { trustedCheckpoint, trustPeriodMs } = consensus;
  const { height, timestamp } = chain.head;
  // Whoever has only genesis was never there: genesis is what it trusts.
  if (height === 0) return false;
  const now = systemClock.now();
  const vouched = trustedCheckpoint && chain.block(trustedCheckpoint.height);
  // One above the own chain is checked when it is reached.
  const hasCheckpoint =
    trustedCheckpoint !== undefined &&
    (trustedCheckpoint.height > height || now - (vouched?.header.timestamp ?? 0) <= trustPeriodMs);
  return judgeAbsence({ awayMs: now - timestamp, trustPeriodMs, hasCheckpoint, agreeing: 0 }) === 'needs-checkpoint';
}

/** Those that prove the key of an authority, or that this node dialled where the configuration says. */
function configuredIn({ network }: NodeConfig): (peer: PeerInfo) => boolean {
  const addresses = new Set(network.bootstrapPeers.map(({ host, port }) => formatAddress(host, port)));
  return ({ authorityIndex, direction, address }) =>
    authorityIndex !== undefined || (direction === 'outbound' && addresses.has(address));
}
