import { isAbsolute, join } from 'node:path';
import { type HostAndPort, parseAddress } from '../../lib/address.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { BlockReference } from '../../model/peer-message.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { didYouMean } from './closest.ts';
import type { ConfigFile } from './file.ts';
import {
  ALL_SETTINGS,
  environmentName,
  type NamedSetting,
  SECTIONS,
  SETTINGS,
  type Section,
  type Values,
} from './schema.ts';

export type LogLevel = Values['logging']['level'];
export type LogFormat = Values['logging']['format'];

/** Where a node finds another: its name in genesis when the operator gave one. */
interface BootstrapPeer extends HostAndPort {
  readonly name: string | undefined;
}

/** A store elsewhere. */
export interface MirrorConfig {
  readonly url: string;
  readonly by: Values['provenance']['mirror_by'];
  /** Undefined asks the engine of this node. */
  readonly queryUrl: string | undefined;
  readonly tokenFile: string | undefined;
}

/** What a node runs with: paths are absolute, times in milliseconds. */
export interface NodeConfig {
  readonly node: {
    readonly home: string;
    readonly genesisFile: string;
    readonly nodeKeyFile: string;
    readonly operatorKeyFile: string;
    readonly operatorTokenFile: string;
    readonly devnet: boolean;
  };
  readonly network: {
    /** A pin: undefined does not check. */
    readonly networkId: string | undefined;
    readonly listenAddress: string;
    readonly listenPort: number;
    readonly advertiseAddress: HostAndPort | undefined;
    readonly bootstrapPeers: readonly BootstrapPeer[];
    /** It knows peers, and keeps no chain. */
    readonly isDiscoveryOnly: boolean;
    readonly peersMax: number;
    readonly peersPerGroupMax: number;
    readonly connectionTimeoutMs: number;
    readonly heartbeatIntervalMs: number;
    readonly fanout: number;
    readonly ttlHops: number;
    readonly cacheSize: number;
    readonly antiEntropyIntervalMs: number;
  };
  readonly consensus: {
    readonly isAuthority: boolean;
    readonly authorityKeyFile: string;
    /** A pin: empty does not check. */
    readonly authorityKeys: readonly string[];
    /** A block that the operator vouches for. */
    readonly trustedCheckpoint: BlockReference | undefined;
    /** How long a node may have been away. Milliseconds. */
    readonly trustPeriodMs: number;
    readonly profile: Values['consensus']['profile'];
    /** Undefined takes the profile's. */
    readonly viewTimeoutMs: number | undefined;
  };
  readonly storage: {
    readonly dataDir: string;
    readonly journalDir: string;
    /** Newest blocks that are kept; null keeps all. */
    readonly retainedBlocks: number | null;
    readonly sync: 'full' | 'snapshot';
    readonly fillHistory: boolean;
  };
  readonly api: {
    readonly address: string;
    readonly port: number;
    readonly gate: string;
    readonly allowedHosts: readonly string[];
    readonly corsOrigins: readonly string[];
  };
  readonly provenance: {
    readonly index: Values['provenance']['index'];
    readonly sparql: Values['provenance']['sparql'];
    readonly queryDeadlineMs: number;
    readonly queryMemoryBytes: number;
    readonly queryIdleMs: number;
    /** Where graphs are put as well, and asked; undefined keeps them here. */
    readonly mirror: MirrorConfig | undefined;
  };
  readonly metrics: { readonly address: HostAndPort | undefined };
  readonly logging: { readonly level: LogLevel; readonly format: LogFormat };
}

/** Later ones win over earlier ones. */
type Origin = 'default' | 'file' | 'env' | 'flag';

/** One value and where it came from. */
export interface ResolvedSetting {
  readonly section: Section;
  readonly key: string;
  /** As TOML holds it. */
  readonly value: unknown;
  readonly origin: Origin;
  /** `config.toml:12`, `COUNTERFOIL_API_PORT`, `--api-port`, or "". */
  readonly source: string;
}

export interface ConfigSources {
  /** Absolute. */
  readonly home: string;
  readonly file: ConfigFile | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By `section.key`: the text given, and the flag that gave it. */
  readonly flags: ReadonlyMap<string, { readonly flag: string; readonly text: string }>;
}

export interface ResolvedConfig {
  readonly config: NodeConfig;
  readonly settings: readonly ResolvedSetting[];
  /** Environment variables that look like ours and are none: said, not refused. */
  readonly warnings: readonly string[];
}

/** Every value from the strongest source that has it; or all that is wrong, a sentence each. */
export function resolveConfig(sources: ConfigSources): Result<ResolvedConfig, readonly string[]> {
  const problems = sources.file === undefined ? [] : unknownKeys(sources.file);
  const settings: ResolvedSetting[] = [];
  const values = Object.fromEntries(SECTIONS.map((section) => [section, new Map<string, unknown>()]));
  for (const named of ALL_SETTINGS) {
    const resolved = strongest(named, sources);
    settings.push(resolved);
    const parsed = named.setting.schema.safeParse(resolved.value);
    if (parsed.success) values[named.section]?.set(named.key, parsed.data);
    else problems.push(`${placeOf(resolved)}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  if (problems.length > 0) return err(problems);
  const tables = Object.fromEntries(SECTIONS.map((name) => [name, Object.fromEntries(values[name] ?? [])]));
  // Each key of SETTINGS was just parsed by its own schema: that is what Values says.
  const checked = tables as Values;
  const mirror = mirrorProblem(checked.provenance);
  if (mirror !== undefined) return err([mirror]);
  const config = nodeConfig(sources.home, checked);
  return ok({ config, settings, warnings: unknownVariables(sources.environment) });
}

/** What one setting says and another does not allow. */
function mirrorProblem({ index, mirror, mirror_query, mirror_token_file }: Values['provenance']): string | undefined {
  if (mirror !== '' && index === 'off') {
    return '[provenance] mirror: what is mirrored comes from the index; set index to "all", or mirror to ""';
  }
  if (mirror !== '') return undefined;
  if (mirror_query !== '') return '[provenance] mirror_query: nothing is put there; set mirror as well';
  return mirror_token_file === ''
    ? undefined
    : '[provenance] mirror_token_file: there is no mirror; set mirror as well';
}

function placeOf({ section, key, source }: ResolvedSetting): string {
  return source === '' ? `[${section}] ${key}` : `${source}: [${section}] ${key}`;
}

function strongest({ section, key, setting }: NamedSetting, sources: ConfigSources): ResolvedSetting {
  const flag = sources.flags.get(`${section}.${key}`);
  if (flag !== undefined) {
    return { section, key, value: setting.fromText(flag.text), origin: 'flag', source: flag.flag };
  }
  const variable = environmentName(section, key);
  const text = sources.environment[variable];
  if (text !== undefined) return { section, key, value: setting.fromText(text), origin: 'env', source: variable };
  const inFile = valueIn(sources.file, section, key);
  if (sources.file !== undefined && inFile !== undefined) {
    return { section, key, value: inFile, origin: 'file', source: fileSource(sources.file, section, key) };
  }
  return { section, key, value: setting.initial, origin: 'default', source: '' };
}

function fileSource(file: ConfigFile, section: string, key: string | null): string {
  const line = file.lineOf(section, key);
  return line === undefined ? file.path : `${file.path}:${line}`;
}

function valueIn(file: ConfigFile | undefined, section: string, key: string): unknown {
  const table = file?.tables.get(section);
  return isTable(table) && Object.hasOwn(table, key) ? Reflect.get(table, key) : undefined;
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function unknownKeys(file: ConfigFile): string[] {
  const problems: string[] = [];
  for (const [name, table] of file.tables) {
    const section = SECTIONS.find((known) => known === name);
    if (section === undefined) problems.push(unknownTop(file, name, table));
    else if (!isTable(table)) problems.push(`${fileSource(file, '', null)}: ${name} is a section: write [${name}]`);
    else problems.push(...unknownIn(file, section, table));
  }
  return problems;
}

function unknownTop(file: ConfigFile, name: string, value: unknown): string {
  if (isTable(value)) {
    return `${fileSource(file, name, null)}: unknown section [${name}].${didYouMean(name, SECTIONS)}`;
  }
  const home = ALL_SETTINGS.find(({ key }) => key === name);
  const hint = home === undefined ? didYouMean(name, allKeys()) : ` It belongs below [${home.section}].`;
  return `${fileSource(file, name, null)}: unknown key ${name} outside of any section.${hint}`;
}

function unknownIn(file: ConfigFile, section: Section, table: object): readonly string[] {
  const known = Object.keys(SETTINGS[section]);
  return Object.keys(table)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const elsewhere = ALL_SETTINGS.find((named) => named.key === key);
      const hint =
        elsewhere === undefined
          ? didYouMean(key, [...known, ...allKeys()])
          : ` It belongs below [${elsewhere.section}].`;
      return `${fileSource(file, section, key)}: unknown key ${key} in [${section}].${hint}`;
    });
}

function allKeys(): readonly string[] {
  return ALL_SETTINGS.map(({ key }) => key);
}

function unknownVariables(environment: ConfigSources['environment']): readonly string[] {
  const known = ALL_SETTINGS.map(({ section, key }) => environmentName(section, key));
  const prefixes = SECTIONS.map((section) => environmentName(section, ''));
  return Object.keys(environment)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)) && !known.includes(name))
    .map((name) => `the environment variable ${name} names no setting.${didYouMean(name, known)}`);
}

function nodeConfig(home: string, values: Values): NodeConfig {
  const at = (path: string): string => (isAbsolute(path) ? path : join(home, path));
  const { node, network, consensus, storage, api, provenance, metrics, logging } = values;
  return {
    node: {
      home,
      genesisFile: at(node.genesis_file),
      nodeKeyFile: at(node.node_key_file),
      operatorKeyFile: at(node.operator_key_file),
      operatorTokenFile: at(node.operator_token_file),
      devnet: node.devnet,
    },
    network: networkConfig(network),
    consensus: {
      isAuthority: consensus.is_authority,
      authorityKeyFile: at(consensus.authority_key_file),
      authorityKeys: consensus.authority_keys,
      trustedCheckpoint: parseCheckpoint(consensus.trusted_checkpoint),
      trustPeriodMs: consensus.trust_period,
      profile: consensus.profile,
      viewTimeoutMs: consensus.view_timeout.set,
    },
    storage: {
      dataDir: at(storage.data_dir),
      journalDir: at(storage.journal_dir),
      retainedBlocks: storage.retain_blocks === 0 ? null : storage.retain_blocks,
      sync: storage.sync,
      fillHistory: storage.fill_history,
    },
    api: {
      address: api.address,
      port: api.port,
      gate: api.gate,
      allowedHosts: api.allowed_hosts,
      corsOrigins: api.cors_origins,
    },
    provenance: {
      index: provenance.index,
      sparql: provenance.sparql,
      queryDeadlineMs: provenance.query_deadline,
      queryMemoryBytes: provenance.query_memory,
      queryIdleMs: provenance.query_idle,
      mirror: mirrorConfig(provenance, at),
    },
    metrics: { address: parseAddress(metrics.address) },
    logging,
  };
}

function mirrorConfig(
  { mirror, mirror_by, mirror_query, mirror_token_file }: Values['provenance'],
  at: (path: string) => string,
): MirrorConfig | undefined {
  if (mirror === '') return undefined;
  return {
    url: mirror,
    by: mirror_by,
    queryUrl: mirror_query === '' ? undefined : mirror_query,
    tokenFile: mirror_token_file === '' ? undefined : at(mirror_token_file),
  };
}

function networkConfig(network: Values['network']): NodeConfig['network'] {
  return {
    networkId: network.network_id === '' ? undefined : network.network_id,
    listenAddress: network.listen_address,
    listenPort: network.listen_port,
    advertiseAddress: parseAddress(network.advertise_address),
    bootstrapPeers: network.bootstrap_peers.flatMap(bootstrapPeer),
    isDiscoveryOnly: network.discovery_only,
    peersMax: network.max_peers,
    peersPerGroupMax: network.max_peers_per_group,
    connectionTimeoutMs: network.connection_timeout,
    heartbeatIntervalMs: network.heartbeat_interval,
    fanout: network.fanout,
    ttlHops: network.ttl,
    cacheSize: network.cache_size,
    antiEntropyIntervalMs: network.anti_entropy_interval,
  };
}

function bootstrapPeer(text: string): readonly BootstrapPeer[] {
  const [first = '', second] = text.split('@');
  const found = parseAddress(second ?? first);
  return found === undefined ? [] : [{ ...found, name: second === undefined ? undefined : first }];
}
