import { randomBytes, randomInt } from 'node:crypto';
import { systemCompression } from '../node/compression.ts';
import type { NodeConfig } from '../node/config/config.ts';
import type { ArrivalSettings, PeeringSettings } from '../node/peering.ts';

/** How a node takes part among its peers. */
export function peeringOf({ network }: NodeConfig, isFollower: boolean, arrival?: ArrivalSettings): PeeringSettings {
  return {
    isFollower,
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
