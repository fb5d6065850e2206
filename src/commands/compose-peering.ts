import { randomBytes, randomInt } from 'node:crypto';
import type { Logger } from '../api/settings.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { formatAddress } from '../lib/address.ts';
import { OUTBOUND_PEERS_MIN } from '../model/limits.ts';
import { systemClock, systemTimers } from '../node/clock.ts';
import { systemCompression } from '../node/compression.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { KnownPeers } from '../node/known-peers.ts';
import type { ArrivalSettings, PeeringSettings } from '../node/peering.ts';
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
export function outboundMin({ network: { peersMax } }: NodeConfig, isFollower: boolean): number {
  // Authorities dial each other by name, and are sought by the others.
  return isFollower ? Math.min(OUTBOUND_PEERS_MIN, Math.ceil(peersMax / 2)) : 0;
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
}

/** How a node takes part among its peers. */
export function peeringOf(
  config: NodeConfig,
  { isFollower, genesis, known, arrival }: PeeringMaterial,
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
  };
}
