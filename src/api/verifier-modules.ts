import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where a browser finds the packages that the verifier imports: the two that bring hashes and signatures. */
const PACKAGES = ['@noble/ed25519', '@noble/hashes'];

const HERE = fileURLToPath(import.meta.url);
/** Compiled, all of the program is; in a test nothing. */
const EXTENSION = HERE.slice(HERE.lastIndexOf('.'));
const ROOT = dirname(dirname(HERE));
const ENTRIES = ['verifier/verify', 'verifier/words'].map((name) => join(ROOT, `${name}${EXTENSION}`));
const require = createRequire(import.meta.url);

let known: ReadonlyMap<string, Uint8Array> | undefined;

/** The files that the verifier consists of, just as programs run them, by their path below `MODULES_AT`. */
export function verifierModules(): ReadonlyMap<string, Uint8Array> {
  known ??= closure();
  return known;
}

export const MODULES_AT = '/verify/modules';

/** What tells a browser where the packages are. */
export const IMPORT_MAP = {
  imports: {
    '@noble/ed25519': `${MODULES_AT}/@noble/ed25519/index.js`,
    '@noble/hashes/': `${MODULES_AT}/@noble/hashes/`,
  },
};

function closure(): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const left = [...ENTRIES];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    const path = servedAs(file);
    if (found.has(path)) continue;
    const bytes = readFileSync(file);
    found.set(path, bytes);
    for (const specifier of importsOf(bytes.toString('utf8'))) left.push(resolved(file, specifier));
  }
  return found;
}

/** Comments of packages have examples in them, and types are gone once compiled. */
function importsOf(source: string): readonly string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/^(?:import|export)(?! type)\b[^'";]*?\bfrom\s+['"]([^'"]+)['"]/gm)].map(
    ([, one = '']) => one,
  );
}

function resolved(importer: string, specifier: string): string {
  if (specifier.startsWith('.')) return fileURLToPath(new URL(specifier, pathToFileURL(importer)));
  return require.resolve(specifier);
}

function servedAs(file: string): string {
  const own = relative(ROOT, file).split(sep).join('/');
  if (!own.startsWith('..')) return own;
  const path = file.split(sep).join('/');
  for (const name of PACKAGES) {
    const at = path.lastIndexOf(`/node_modules/${name}/`);
    if (at >= 0) return path.slice(at + '/node_modules/'.length);
  }
  throw new Error(`${file} is no part of the verifier`);
}
