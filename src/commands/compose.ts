import { createMetricsServer, type MetricsServer } from '../api/metrics-server.ts';
import { createReader } from '../api/node-reader.ts';
import { createPeerControl } from '../api/peer-control.ts';
import type { Operator } from '../api/ports.ts';
import { createApi } from '../api/server.ts';
import { API_LIMITS, type Api, type Logger } from '../api/settings.ts';
import { createReplica } from '../consensus/recover.ts';
import { LAN, type Timing, WAN } from '../consensus/timing.ts';
import { isDevnetGenesis } from '../devnet/genesis.ts';
import { createSeed } from '../devnet/node-seed.ts';
import { type Genesis, genesisSet } from '../ledger/genesis.ts';
import { formatAddress } from '../lib/address.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { OPERATOR_TOKEN_BYTES_MAX, SNAPSHOT_HELD_MS_MAX, VERIFIED_SIGNATURES_KEPT_MAX } from '../model/limits.ts';
import type { Mesh } from '../network/mesh.ts';
import { systemClock, systemTimers } from '../node/clock.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { Executor } from '../node/executor.ts';
import { readPrivateFile } from '../node/keys/key-file.ts';
import { installNativeSha256 } from '../node/keys/native-hash.ts';
import {
  createAdmissionCheckLater,
  createKeyObjects,
  createSignatureCheck,
  memoizedCheck,
} from '../node/keys/signatures.ts';
import { Mempool } from '../node/mempool.ts';
import { createMetrics, type Metrics } from '../node/metrics.ts';
import { Node } from '../node/node.ts';
import type { ArrivalSettings } from '../node/peering.ts';
import { Pruner } from '../node/pruner.ts';
import { recoveredFrom } from '../node/recovery.ts';
import type { Chain } from '../store/chain.ts';
import type { KeyValue } from '../store/key-value.ts';
import { lockDataDir } from '../store/lock.ts';
import { endOpening } from '../store/replacement.ts';
import { arrivalOf } from './compose-arrival.ts';
import { graphOf, type NodeGraph } from './compose-graph.ts';
import { contactsOf, openMesh } from './compose-mesh.ts';
import { openOperator } from './compose-operator.ts';
import { openKnownPeers, peeringOf } from './compose-peering.ts';
import { openAuthority, type Voter } from './compose-voter.ts';
import { CommandError } from './exit-codes.ts';
import { explainFullDisk } from './full-disk.ts';
import { type AskPassphrase, type OpenedGenesis, openGenesis, openKey, withReadableJournal } from './opening.ts';
import { explainDamage, openOrRepairChain } from './repair.ts';

export interface StartOptions {
  readonly config: NodeConfig;
  /** The effective configuration as `GET /api/v1/config` shows it, secrets redacted. */
  readonly shownConfig: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly logger: Logger;
  readonly ask: AskPassphrase;
}

export interface RunningNode {
  readonly nodeId: string;
  readonly role: 'authority' | 'follower' | 'observer' | 'bootstrap';
  /** Why it holds an authority's key and does not vote. */
  readonly observerReason: string | null;
  readonly publicKey: string;
  /** Null for one that has nothing to say over HTTP. */
  readonly httpUrl: string | null;
  readonly p2pAddress: string;
  /** Resolves when the disk has failed: the node takes no part any more, and answers reads until it is stopped. */
  readonly failed: Promise<Error>;
  /** Resolves when newer data wait to take the place of these: the node is to be stopped and started again. */
  readonly replaced: Promise<'REPLACED'>;
  /** Stops accepting, lets the store finish, closes the sessions; safe to call twice. */
  stop(): Promise<void>;
}

const TIMINGS: Readonly<Record<NodeConfig['consensus']['profile'], Timing>> = { lan: LAN, wan: WAN };

/** The composition root: opens what a home holds and sets one node in motion. */
export async function startNode(options: StartOptions): Promise<RunningNode> {
  installNativeSha256();
  const { config } = options;
  const opened = openGenesis(config);
  if (config.node.devnet && !isDevnetGenesis(opened.genesis)) {
    throw new CommandError(
      'CONFIG_INVALID',
      '[node] devnet is true, but genesis has authorities with keys of their own.',
      {
        advice: 'A devnet node signs for whoever asks. For real tickets: devnet = false.',
      },
    );
  }
  try {
    return await startLocked(options, opened);
  } catch (error) {
    throw explainFullDisk(error, config);
  }
}

async function startLocked(options: StartOptions, opened: OpenedGenesis): Promise<RunningNode> {
  const { node, storage } = options.config;
  const lock = lockDataDir(node.home);
  if (!lock.ok) {
    const { pid, file } = lock.error;
    throw new CommandError('DATA_UNUSABLE', `Another process (${pid}) runs this node already, says ${file}.`, {
      code: lock.error.code,
    });
  }
  try {
    const running = await assemble(options, opened, lock.value.release);
    endOpening(storage.dataDir);
    return running;
  } catch (error) {
    const told = explainDamage(error, storage.dataDir);
    lock.value.release();
    throw told;
  }
}

async function assemble(options: StartOptions, opened: OpenedGenesis, release: () => void): Promise<RunningNode> {
  const { config } = options;
  const { genesis } = opened;
  const failure = deferred<Error>();
  const replaced = deferred<'REPLACED'>();
  let early: Error | undefined;
  let onFatal = (error: Error): void => {
    early = error;
  };
  const { store, chain } = await openOrRepairChain({ config, genesis, logger: options.logger });
  const voter = await openAuthority({
    config,
    ask: options.ask,
    genesis,
    store,
    onFatal: (error) => onFatal(error),
  });
  const nodeKey = await openKey(config.node.nodeKeyFile, 'node', options.ask);
  if (nodeKey === undefined) {
    throw new CommandError('CONFIG_INVALID', `There is no node key at ${config.node.nodeKeyFile}.`, {
      advice: 'Make one with counterfoil keys new --kind node.',
    });
  }
  const timing = timingOf(config);
  const metrics = createMetrics();
  const { node, transport } = createNode(options, {
    genesis,
    chain,
    voter,
    nodeKey: nodeKey.secretKey,
    timing,
    metrics,
    onFatal: failure.resolve,
    arrival: await arrivalOf({ config, genesis, chain, arrived: replaced.resolve, failed: failure.resolve }),
  });
  onFatal = (error) => node.fail(error);
  pruneAsItGrows(node, config);
  const graph = graphOf(node, config, options.logger);
  if (early !== undefined) node.fail(early);
  const observerReason = voter.observerReason ?? node.retirement;
  const nodeId = genesis.authorities[voter.seat]?.id ?? nameOf(genesis, voter) ?? transport.self;
  const operator = await openOperator(config, options.ask, node);
  const api = createSurface(options, { opened, node, metrics, operator, voter, timing, nodeId, store, graph });
  const metricsServer = config.metrics.address && createMetricsServer(metrics, config.metrics.address);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all([api.close(), metricsServer?.close(), node.stop(), graph.close()]);
    // A journal whose disk failed says nothing any more.
    if (node.fatal === null) await closeJournal(voter);
    await closeStore(store);
    release();
  };
  const address = await begin(api, node, graph, metricsServer).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    nodeId,
    role: node.replica.config.self >= 0 ? 'authority' : observerReason === null ? 'follower' : 'observer',
    observerReason,
    publicKey: voter.authorityKey?.publicKey ?? transport.self,
    httpUrl: address.url,
    p2pAddress: transport.listenAddress ?? formatAddress(config.network.listenAddress, config.network.listenPort),
    failed: failure.promise,
    replaced: replaced.promise,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function pruneAsItGrows(node: Node, { storage }: NodeConfig): void {
  const { chain, genesis } = node.parts;
  const { transactionLifeMsMax } = genesisSet(genesis).parameters;
  const pruner = new Pruner({
    chain,
    retainedBlocks: storage.retainedBlocks,
    // Whoever fetches a state that is still held for others needs the blocks of the longest life before it.
    retainedMs: transactionLifeMsMax + SNAPSHOT_HELD_MS_MAX,
    timers: systemTimers,
  });
  node.subscribe(({ type }) => {
    if (type === 'block_finalised') pruner.advance();
  });
}

async function begin(api: Api, node: Node, graph: NodeGraph, metrics?: MetricsServer): ReturnType<Api['listen']> {
  const address = await api.listen();
  await metrics?.listen();
  await node.start();
  graph.start();
  return address;
}

interface NodeMaterial {
  readonly genesis: Genesis;
  readonly chain: Chain;
  readonly voter: Voter;
  readonly nodeKey: Uint8Array;
  readonly timing: Timing;
  readonly metrics: Metrics;
  readonly onFatal: (error: Error) => void;
  readonly arrival: ArrivalSettings | undefined;
}

function createNode(options: StartOptions, material: NodeMaterial): { readonly node: Node; readonly transport: Mesh } {
  const { config, version, logger } = options;
  const { genesis, chain, voter, nodeKey, timing, metrics, onFatal } = material;
  const keys = createKeyObjects();
  const { check } = memoizedCheck(createSignatureCheck(keys), VERIFIED_SIGNATURES_KEPT_MAX);
  const authorities = genesisSet(genesis);
  const { chainId } = genesis;
  const jurisdiction: Jurisdiction = { chainId, authorities, check };
  const { authorityKey, seat } = voter;
  const configuration = { chainId, authorities, self: seat, timing, window: 1 };
  const replica = withReadableJournal(config, () =>
    createReplica(configuration, recoveredFrom(chain, voter.journal?.records ?? [])),
  );
  const votes = (): boolean => replica.config.self >= 0 && replica.mode !== 'halted';
  const known = openKnownPeers(chain.store, logger);
  const head = () => ({ height: chain.head.height, hash: chain.headHash });
  const transport = openMesh({ config, version, genesis, nodeKey, authorityKey, votes, head, check, known });
  const node = new Node({
    genesis,
    jurisdiction,
    replica,
    seat,
    signer: voter.signer,
    journal: voter.journal?.journal ?? null,
    chain,
    executor: new Executor(chain, authorities, genesis),
    mempool: new Mempool(),
    transport,
    contacts: contactsOf(config, genesis),
    checkLater: createAdmissionCheckLater(keys),
    clock: systemClock,
    timers: systemTimers,
    metrics,
    log: logger,
    forwardAfterMs: timing.forwardMs,
    onFatal,
    peering: peeringOf(config, { isFollower: authorityKey === null, genesis, known, chain, arrival: material.arrival }),
  });
  return { node, transport };
}

function nameOf(genesis: Genesis, voter: Voter): string | undefined {
  return genesis.authorities.find(({ publicKey }) => publicKey === voter.authorityKey?.publicKey)?.id;
}

function timingOf({ consensus }: NodeConfig): Timing {
  const timing = TIMINGS[consensus.profile];
  if (consensus.viewTimeoutMs === undefined) return timing;
  const scale = consensus.viewTimeoutMs / timing.progressMs;
  return {
    ...timing,
    progressMs: consensus.viewTimeoutMs,
    newViewMs: timing.newViewMs * scale,
    timeoutMsMax: timing.timeoutMsMax * scale,
    requestMs: timing.requestMs * scale,
  };
}

function createSurface(
  options: StartOptions,
  parts: {
    readonly opened: OpenedGenesis;
    readonly node: Node;
    readonly metrics: Metrics;
    readonly operator: Operator | undefined;
    readonly voter: Voter;
    readonly timing: Timing;
    readonly nodeId: string;
    readonly store: KeyValue;
    readonly graph: NodeGraph;
  },
): Api {
  const { config, logger, version, shownConfig } = options;
  const { opened, node, metrics, operator, voter, timing, nodeId, store, graph } = parts;
  const reader = createReader(node, {
    nodeId,
    version,
    devnet: config.node.devnet,
    observerReason: voter.observerReason,
    genesisBytes: opened.bytes,
    startedAt: systemClock.now(),
    timing,
    config: shownConfig,
    storageSizes: () => ({ data_bytes: store.sizeBytes(), oldest_block: node.parts.chain.oldest }),
  });
  return createApi({
    reader,
    submit: (transaction, waitMs) => node.submit(transaction, waitMs),
    peers: createPeerControl(node),
    graph: graph.access,
    ...(graph.sparql === undefined ? {} : { sparql: graph.sparql }),
    ...(operator === undefined ? {} : { operator }),
    ...(config.node.devnet ? { seed: createSeed(node) } : {}),
    subscribe: (listener) => node.subscribe(listener),
    metrics,
    logger,
    settings: {
      host: config.api.address,
      port: config.api.port,
      portOption: '[api] port',
      hosts: config.api.allowedHosts,
      origins: config.api.corsOrigins,
      operatorToken: operatorToken(config),
      devnet: config.node.devnet,
      gate: config.api.gate,
      limits: API_LIMITS,
    },
  });
}

function operatorToken(config: NodeConfig): string | null {
  const read = readPrivateFile(config.node.operatorTokenFile, OPERATOR_TOKEN_BYTES_MAX);
  if (read.ok) return read.value.trim();
  if (read.error.code === 'KEY_MISSING') return null;
  throw new CommandError('CONFIG_INVALID', `${read.error.reason}.`, { code: read.error.code });
}

function closeJournal({ journal }: Voter): Promise<void> {
  return new Promise((resolve) => (journal === null ? resolve() : journal.journal.close(resolve)));
}

function closeStore(store: KeyValue): Promise<void> {
  return new Promise((resolve, reject) => store.close((closed) => (closed.ok ? resolve() : reject(closed.error))));
}

function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle(value) };
}
