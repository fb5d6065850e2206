/** The law of the folders as data: which folders there are, and what each may reach. */

/** From the bottom up: a folder imports only what comes before it. */
const FOLDERS: readonly string[] = [
  'lib',
  'model',
  'provenance',
  'ledger',
  'consensus',
  'peering',
  'verifier',
  'store',
  'network',
  'node',
  'client',
  'api',
  'dashboard',
  'simulator',
  'sample',
  'devnet',
  'bench',
  'commands',
];

/** The folder name given to files directly in src; only `main.ts` is one. */
const ROOT_FILES = 'main';

export const PURE: ReadonlySet<string> = new Set([
  'lib',
  'model',
  'provenance',
  'ledger',
  'consensus',
  'peering',
  'verifier',
]);

/** Packages that a pure folder may import, and which of their names: they compute, and do nothing else. */
export const PURE_PACKAGES: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  // Points tell which keys may enter the chain; a signature check is an argument, never an import.
  model: { '@noble/hashes': /^/, '@noble/ed25519': /^Point$/ },
  // What has to verify alone, in a page too, brings its own check.
  verifier: { '@noble/hashes': /^/, '@noble/ed25519': /^(?:hashes|verify)$/ },
};

/** Packages that belong to one place. */
export const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  koa: ['api'],
  '@koa/router': ['api'],
  n3: ['api'],
  oxigraph: ['api'],
  sparqljs: ['api'],
  lmdb: ['store'],
  commander: ['commands', ROOT_FILES],
};

/** What the simulator may use of the shell: what a node is put together from, less its sockets, and what audits its store. */
const SIMULATED_NODE_FILES: ReadonlySet<string> = new Set([
  'bootstrap-node',
  'executor',
  'host',
  'intake',
  'keys/key-pair',
  'known-peers',
  'mempool',
  'node',
  'node-parts',
  'ports',
  'recovery',
  'keys/signatures',
  'standing',
  'audit/verify-chain',
]);

/** What must not be loaded, even indirectly, when the simulator is. */
export const SOCKETS: ReadonlySet<string> = new Set([
  'node:net',
  'node:tls',
  'node:http',
  'node:https',
  'node:http2',
  'node:dgram',
  'node:child_process',
  'ws',
  'koa',
  '@koa/router',
]);

/** Folders whose classes and factories have a lifetime: somebody must own what they make. */
export const OWNED: ReadonlySet<string> = new Set(['store', 'network', 'node', 'api']);

/** Composition roots: `commands` of the program, `simulator` of its own world, `devnet` and `bench` of theirs. */
export const CONSTRUCTORS: ReadonlySet<string> = new Set(['commands', 'simulator', 'devnet', 'bench', ROOT_FILES]);

export const FORBIDDEN_FOLDER_NAMES: ReadonlySet<string> = new Set(['utils', 'common', 'types', 'helpers', 'managers']);

export const FILE_LINES_MAX = 400;

/** What the top level of the repository may hold; names that begin with a dot belong to tools and are not asked. */
export const TOP_LEVEL: ReadonlySet<string> = new Set([
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'biome.json',
  'config.toml',
  'coverage',
  'deploy',
  'dist',
  'docs',
  'keys',
  'knip.json',
  'node_modules',
  'package-lock.json',
  'package.json',
  'scripts',
  'src',
  'test',
  'tsconfig.build.json',
  'tsconfig.json',
  'vitest.config.ts',
]);

/** Place in the order, from 0; `main` is above everything; -1 for a folder that the law does not name. */
export function rank(folder: string): number {
  if (folder === ROOT_FILES) return FOLDERS.length;
  return FOLDERS.indexOf(folder);
}

/** Why `from` may not import the file `module` (without extension) of `to`; undefined when it may. */
export function importProblem(from: string, to: string, module: string): string | undefined {
  if (from === to) return undefined;
  if (rank(from) === -1 || rank(to) === -1) return undefined;
  if (rank(to) > rank(from)) {
    return `${to} is above ${from}: declare what ${from} needs as a port (an interface in src/${from}) and let ${to} implement it`;
  }
  if (from === 'network' && to === 'store') {
    return 'store and network never meet: let src/node carry the data between them';
  }
  if (from === 'dashboard' && !PURE.has(to)) {
    return 'a page runs in a browser: ask the HTTP interface instead';
  }
  if (from !== 'simulator' || rank(to) <= rank('store')) return undefined;
  if (to === 'node' && SIMULATED_NODE_FILES.has(module)) return undefined;
  // The port, which the simulator fills without a socket.
  if (to === 'network' && module === 'transport') return undefined;
  return `the simulator uses folders up to store, network/transport and node/{${[...SIMULATED_NODE_FILES].join(',')}}: give it a port there`;
}
