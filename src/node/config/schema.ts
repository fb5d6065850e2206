import { parseAddress } from '../../lib/address.ts';
import { MIRROR_URL_CHARS_MAX } from '../../model/graph-limits.ts';
import { isHex, isName } from '../../model/ids.ts';
import { AUTHORITIES_MAX, CONFIG_LIST_ITEMS_MAX, FOLLOWERS_MAX } from '../../model/limits.ts';
import { GUESTS_PER_GROUP_MAX } from '../../model/peer-limits.ts';
import { parseCheckpoint } from './checkpoint.ts';
import {
  address,
  boolean,
  duration,
  httpAddress,
  integer,
  type Kind,
  list,
  oneOf,
  optional,
  path,
  pathOrEmpty,
  port,
  type RawValue,
  size,
  textWhere,
} from './values.ts';

/** One key of config.toml. */
export interface Setting<T> extends Kind<T> {
  /** The default, as TOML holds it. */
  readonly initial: RawValue;
  /** What it does, for people: the comment above it in config.toml. */
  readonly note: string;
}

function setting<T>(kind: Kind<T>, initial: RawValue, note: string): Setting<T> {
  return { ...kind, initial, note };
}

/** `host:port`, or `name@host:port` with the name that genesis gives the node. */
function isPeerAddress(text: string): boolean {
  const [name = '', ...rest] = text.split('@');
  if (rest.length === 0) return parseAddress(text) !== undefined;
  return isName(name) && rest.length === 1 && parseAddress(rest[0] ?? '') !== undefined;
}

const HOST_NAME = /^[A-Za-z0-9_.:[\]-]{1,255}$/;
const ORIGIN = /^https?:\/\/[A-Za-z0-9_.:[\]-]{1,255}$/;
const LISTED_MAX = CONFIG_LIST_ITEMS_MAX;
const MEBIBYTE = 1_048_576;

const nameOrEmpty = textWhere('a name of 1 to 64 of A-Z a-z 0-9 . _ -, or ""', (text) => text === '' || isName(text));
const addressOrEmpty = textWhere(
  'an address such as "127.0.0.1:9464", or ""',
  (text) => text === '' || parseAddress(text) !== undefined,
);

/** Every section and key of config.toml, in the order of the file. */
export const SETTINGS = {
  node: {
    genesis_file: setting(path, 'genesis.json', 'What all nodes agree on. Every node of a network has the same bytes.'),
    node_key_file: setting(path, 'keys/node.key', "The node's own key: it proves this node to its peers."),
    operator_key_file: setting(
      path,
      'keys/operator.key',
      'The key that signs what this node is asked to write over HTTP. Genesis lists it under an organisation.',
    ),
    operator_token_file: setting(
      path,
      'keys/operator.token',
      'Who sends this token (Authorization: Bearer ...) may have this node sign.',
    ),
    devnet: setting(
      boolean,
      false,
      'True lets anybody who reaches the HTTP port write without the token.\nRefused unless every authority in genesis holds a public devnet key.',
    ),
  },
  network: {
    network_id: setting(
      nameOrEmpty,
      '',
      'A pin: refuse to start when genesis names another network. "" does not check.',
    ),
    listen_address: setting(
      address,
      '127.0.0.1',
      'Where other nodes reach this one. Outside of one machine: "0.0.0.0".',
    ),
    listen_port: setting(port, 7281, ''),
    advertise_address: setting(
      addressOrEmpty,
      '',
      'The host:port that others are told, when it is not the one above (address translation, containers).',
    ),
    bootstrap_peers: setting(
      list('"host:port" or "name@host:port"', isPeerAddress, LISTED_MAX),
      [],
      'Where the other nodes are. Authorities need the name that genesis gives them: "venue@10.0.0.2:7281".',
    ),
    discovery_only: setting(
      boolean,
      false,
      'True: only tell nodes of each other. Keeps no chain, has no vote and no HTTP but /metrics on [metrics] address.',
    ),
    max_peers: setting(
      integer(0, 10_000),
      FOLLOWERS_MAX,
      'Connections with nodes that are not authorities. Authorities always find room.',
    ),
    max_peers_per_group: setting(
      integer(1, 10_000),
      GUESTS_PER_GROUP_MAX,
      'How many of them may come from one group of addresses: a public IPv4 /16 or IPv6 /32, a private /24 or /64.\nThis machine itself is not bounded.',
    ),
    connection_timeout: setting(duration(100, 60_000), '5s', 'How long opening a connection may take.'),
    heartbeat_interval: setting(
      duration(50, 60_000),
      '200ms',
      'How often a quiet connection is probed. Far apart: "2s".\nTwo silent ones between authorities, or 5 s where one side has no vote, and the peer counts as gone.',
    ),
    fanout: setting(
      integer(1, 64),
      6,
      'Gossip of followers (authorities are all connected with each other and need none):\nto how many peers news is passed on,',
    ),
    ttl: setting(integer(1, 32), 8, 'over how many hops,'),
    cache_size: setting(integer(1_000, 10_000_000), 100_000, 'how many pieces of news are remembered as seen,'),
    anti_entropy_interval: setting(duration(100, 3_600_000), '5s', 'and how often two nodes compare what they have.'),
  },
  consensus: {
    is_authority: setting(
      boolean,
      true,
      'False: follow the chain and check everything, without a vote, whatever keys are here.',
    ),
    authority_key_file: setting(
      path,
      'keys/authority.key',
      'The key of the vote, made together with its journal. Never run one key on two machines.',
    ),
    authority_keys: setting(
      list('the 64 hex digits of a public key', (text) => isHex(text, 32), AUTHORITIES_MAX),
      [],
      "A pin: refuse to start when genesis has other authorities' public keys. [] does not check.",
    ),
    trusted_checkpoint: setting(
      textWhere('"" or "HEIGHT:HASH"', (text) => text === '' || parseCheckpoint(text) !== undefined),
      '',
      'A final block that you know to be right, from people you trust: "120000:9f2c...". A chain without it is left.',
    ),
    trust_period: setting(
      duration(3_600_000, 31_536_000_000),
      '720h',
      'A node that was away for longer starts with a newer trusted_checkpoint only, or if two peers named in bootstrap_peers\nhold its newest block: keys that were retired meanwhile may have leaked.',
    ),
    profile: setting(
      oneOf('lan', 'wan'),
      'lan',
      '"lan": authorities within a few milliseconds. "wan": across cities and continents.',
    ),
    view_timeout: setting(
      optional('"" or a time with its unit from "50ms" to "60s"', duration(50, 60_000)),
      '',
      'How long a block may take before another authority is asked to propose; the other timers scale with it.\n"" takes the profile\'s: 500ms (lan), 3s (wan).',
    ),
  },
  storage: {
    data_dir: setting(path, 'data', 'Blocks, tickets and their history.'),
    journal_dir: setting(
      path,
      'journal',
      'What the authority key has signed. It cannot be copied or put back: without it the key never votes again.',
    ),
    retain_blocks: setting(
      integer(0, 1_000_000_000),
      0,
      'How many of the newest blocks are kept with their bodies and receipts; 0 keeps all (an archive).\nNever fewer than 256, nor than those of the longest life of a transaction and an hour more. Tickets and their histories stay.',
    ),
    sync: setting(
      oneOf('full', 'snapshot'),
      'full',
      'How a node that begins, or is thousands of blocks behind, comes to the newest state. "full": it executes every block.\n"snapshot": it fetches a certified state and the newest blocks; history before that is not there.',
    ),
    fill_history: setting(
      boolean,
      false,
      'Fetch the history below a snapshot afterwards, as long as retain_blocks allows.',
    ),
  },
  api: {
    address: setting(address, '127.0.0.1', 'Where people and programs reach this node over HTTP.'),
    port: setting(port, 7181, ''),
    gate: setting(
      textWhere('a name of 1 to 64 of A-Z a-z 0-9 . _ -', isName),
      'main',
      'The gate of a scan that names none, when its ticket is bound to none either.',
    ),
    allowed_hosts: setting(
      list('a host name', (text) => HOST_NAME.test(text), LISTED_MAX),
      [],
      'Names besides loopback that a request may be addressed to (its Host header).',
    ),
    cors_origins: setting(
      list('an origin such as "https://example.org"', (text) => ORIGIN.test(text), LISTED_MAX),
      [],
      'Web pages elsewhere that may read answers.',
    ),
  },
  provenance: {
    index: setting(
      oneOf('all', 'off'),
      'all',
      'Which blocks are put into the index of the graph, in data_dir/graph: all that are kept, or none ("off").\nIt takes about as much room as the blocks, and is put together again when it is removed.',
    ),
    sparql: setting(
      oneOf('lazy', 'on', 'off'),
      'lazy',
      'Queries in SPARQL at /sparql, answered by a process of their own that holds the graph in memory. "lazy": it starts with\nthe first query and ends when nobody asks. "on": it always runs. "off": there is no such address.',
    ),
    query_deadline: setting(
      duration(100, 60_000),
      '5s',
      'How long one query may take; three times as long while the machine is busy with other things.\nOne that takes longer ends the process, which then reads the graph again.',
    ),
    query_memory: setting(
      size(128 * MEBIBYTE, 4_096 * MEBIBYTE),
      '2GiB',
      'Memory of that process. The graph may have a quad for each KiB of it.',
    ),
    query_idle: setting(duration(1_000, 86_400_000), '10m', 'How long it waits for a next query when "lazy".'),
    mirror: setting(
      httpAddress('http://127.0.0.1:3030/ledger/data', MIRROR_URL_CHARS_MAX),
      '',
      'A store elsewhere that each graph is put into as well, by the SPARQL 1.1 Graph Store HTTP Protocol. "" for none.',
    ),
    mirror_query: setting(
      httpAddress('http://127.0.0.1:3030/ledger/query', MIRROR_URL_CHARS_MAX),
      '',
      'Where that store takes queries: /sparql then asks there, and no process with the graph in memory is started.',
    ),
    mirror_by: setting(
      oneOf('graphs', 'quads'),
      'graphs',
      'How: each graph by a PUT of its own, which every such store takes, or those of some blocks by one POST of N-Quads to\nthe address above, which is many times faster and which some take, such as Apache Jena Fuseki.',
    ),
    mirror_token_file: setting(
      pathOrEmpty,
      '',
      'A file with a token that the store wants to see (Authorization: Bearer ...). "" sends none.',
    ),
  },
  metrics: {
    address: setting(
      addressOrEmpty,
      '',
      'A second place for /metrics, such as "127.0.0.1:9464". It is always on the HTTP port.',
    ),
  },
  logging: {
    level: setting(
      oneOf('silent', 'error', 'warn', 'info', 'debug', 'trace'),
      'info',
      'The least important line to log.',
    ),
    format: setting(
      oneOf('auto', 'json', 'pretty'),
      'auto',
      '"auto": pretty on a terminal, one JSON object per line elsewhere.',
    ),
  },
} as const satisfies Record<string, Record<string, Setting<unknown>>>;

export type Section = keyof typeof SETTINGS;
export const SECTIONS = Object.keys(SETTINGS) as readonly Section[];

/** What a section is about: the comment below its header in config.toml. */
export const SECTION_NOTES: Readonly<Record<Section, string>> = {
  node: 'Files of this node. Relative paths start at its home.',
  network: 'Other nodes.',
  consensus: 'The vote. What all nodes must agree on is in genesis, not here.',
  storage: 'Directories of this node; one process each.',
  api: 'HTTP.',
  provenance: 'The graph: what the chain says as RDF. Its base address is in genesis.',
  metrics: 'Numbers for Prometheus.',
  logging: 'Lines on standard error.',
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Every value, by the names of the file. */
export type Values = {
  readonly [S in Section]: { readonly [K in keyof (typeof SETTINGS)[S]]: ValueOf<(typeof SETTINGS)[S][K]> };
};

export interface NamedSetting {
  readonly section: Section;
  readonly key: string;
  readonly setting: Setting<unknown>;
}

/** All keys, in the order of the file. */
export const ALL_SETTINGS: readonly NamedSetting[] = SECTIONS.flatMap((section) =>
  Object.entries<Setting<unknown>>(SETTINGS[section]).map(([key, value]) => ({ section, key, setting: value })),
);

/** The environment variable of a key. */
export function environmentName(section: string, key: string): string {
  return `COUNTERFOIL_${section}_${key}`.toUpperCase();
}
