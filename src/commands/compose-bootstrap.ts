import { randomInt } from 'node:crypto';
import { createMetricsServer } from '../api/metrics-server.ts';
import { formatAddress } from '../lib/address.ts';
import { Height, ZERO_HASH } from '../model/ids.ts';
import { BootstrapNode } from '../node/bootstrap-node.ts';
import { systemClock, systemTimers } from '../node/clock.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { createMetrics } from '../node/metrics.ts';
import { openLmdb } from '../store/lmdb.ts';
import { lockDataDir } from '../store/lock.ts';
import { TABLES } from '../store/schema.ts';
import type { RunningNode, StartOptions } from './compose.ts';
import { openMesh } from './compose-mesh.ts';
import { openKnownPeers } from './compose-peering.ts';
import { CommandError } from './exit-codes.ts';
import { openGenesis, openKey } from './opening.ts';

/** Sets a node in motion that tells others of each other, and keeps no chain. */
export async function startBootstrapNode(options: StartOptions): Promise<RunningNode> {
  const { home } = options.config.node;
  const lock = lockDataDir(home);
  if (!lock.ok) {
    const { pid, file, code } = lock.error;
    throw new CommandError('DATA_UNUSABLE', `Another process (${pid}) runs this node already, says ${file}.`, { code });
  }
  try {
    return await assemble(options, lock.value.release);
  } catch (error) {
    lock.value.release();
    throw error;
  }
}

async function assemble(options: StartOptions, release: () => void): Promise<RunningNode> {
  const { config, logger, version, ask } = options;
  const { genesis } = openGenesis(config);
  const nodeKey = await openKey(config.node.nodeKeyFile, 'node', ask);
  if (nodeKey === undefined) {
    throw new CommandError('CONFIG_INVALID', `There is no node key at ${config.node.nodeKeyFile}.`, {
      advice: 'Make one with counterfoil keys new --kind node.',
    });
  }
  const store = openLmdb(config.storage.dataDir, Object.values(TABLES));
  const known = openKnownPeers(store, logger);
  const transport = openMesh({
    ...{ config, version, genesis, known, nodeKey: nodeKey.secretKey, authorityKey: null, votes: () => false },
    // It has no chain: a hint that it is of no use to those who look for one.
    head: () => ({ height: Height(0), hash: ZERO_HASH }),
    check: createSignatureCheck(),
  });
  // Who proves to be one is told of as one; nobody is dialled for it.
  transport.setAuthorities(genesis.authorities.map(({ publicKey }) => ({ publicKey })));
  const metrics = createMetrics();
  const metricsServer = config.metrics.address && createMetricsServer(metrics, config.metrics.address);
  const node = new BootstrapNode({
    ...{ transport, known, metrics, clock: systemClock, timers: systemTimers, log: logger },
    random: () => randomInt(2 ** 32) / 2 ** 32,
    bootstrap: config.network.bootstrapPeers.map(({ host, port }) => formatAddress(host, port)),
    peersMax: config.network.peersMax,
  });
  const stop = async (): Promise<void> => {
    await Promise.all([node.stop(), metricsServer?.close()]);
    await new Promise<void>((resolve) => store.close(() => resolve()));
    release();
  };
  try {
    await metricsServer?.listen();
    await node.start();
  } catch (error) {
    await stop();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    nodeId: transport.self,
    role: 'bootstrap',
    observerReason: null,
    publicKey: transport.self,
    httpUrl: null,
    p2pAddress: transport.listenAddress ?? formatAddress(config.network.listenAddress, config.network.listenPort),
    failed: new Promise(() => undefined),
    replaced: new Promise(() => undefined),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
