/** The rules about the repository as a whole: top level, lock file, map of the code. */
import { TOP_LEVEL } from './law.ts';
import { type Finding, folderOf } from './rules.ts';
import type { SourceFile } from './source.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** Fresh machines fetch from their own registry, and every platform finds its binaries. */
export function lockFindings(packages: LockedPackages): Finding[] {
  const at = { path: 'package-lock.json', line: 1 };
  return Object.entries(packages).flatMap(([path, entry]) => {
    const findings: Finding[] = [];
    if (entry.resolved !== undefined && entry.link !== true) {
      const message = `${path} has a "resolved" address: remove it, .npmrc says omit-lockfile-registry-resolved`;
      findings.push({ ...at, rule: 'lock', message });
    }
    const names = Object.keys({ ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies });
    for (const name of names.filter((candidate) => !isLocked(packages, path, candidate))) {
      const message = `${name}, asked for by ${path || 'package.json'}, is not in the lock file: npm ci stops on another platform; pin a version that has it (see overrides in package.json)`;
      findings.push({ ...at, rule: 'lock', message });
    }
    return findings;
  });
}

/** Looks where Node would look: in the package's own node_modules, then outward. */
function isLocked(packages: LockedPackages, from: string, name: string): boolean {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules') - 1))) {
    if (`${base ? `${base}/` : ''}node_modules/${name}` in packages) return true;
    if (base === '') return false;
  }
}

/** What packing, and following the README, leave behind: git ignores it, and so does this. */
const LEFT_BY_USE = /^(?:.*\.tgz|.*\.cf|my-net.*|passphrase)$/;

/** @param names the entries of the repository's top folder */
export function topLevelFindings(names: readonly string[]): Finding[] {
  return names
    .filter((name) => !name.startsWith('.') && !LEFT_BY_USE.test(name) && !TOP_LEVEL.has(name))
    .map((name) => ({
      path: name,
      line: 1,
      rule: 'top level',
      message: 'the top level holds what every reader needs: put it into src, test, scripts or docs',
    }));
}

/**
 * What the package promises to programs, a binary and its exports, is compiled from a file that is there.
 *
 * @param manifest package.json, parsed
 * @param sources every file below src
 */
export function entryFindings(manifest: Manifest, sources: readonly string[]): Finding[] {
  return [...Object.values(manifest.bin ?? {}), ...Object.values(manifest.exports ?? {})]
    .filter((entry) => !sources.includes(sourceOf(entry)))
    .map((entry) => {
      const message = `${entry} has no source: write ${sourceOf(entry)}, or take the entry out`;
      return { path: 'package.json', line: 1, rule: 'entry', message };
    });
}

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
}

/** `./dist/a/b.js` is compiled from `src/a/b.ts`. */
function sourceOf(entry: string): string {
  return entry.replace(/^(?:\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts');
}

/** @param folders every folder below src, as `src/name`; each has its line in the map of the code */
export function mapFindings(readme: string, folders: readonly string[]): Finding[] {
  return folders
    .filter((folder) => !readme.includes(`\`${folder}\``))
    .map((folder) => ({
      path: folder,
      line: 1,
      rule: 'map',
      message: `say in one sentence in the map of README.md what \`${folder}\` is for, or put its files into a folder that is there`,
    }));
}

/** Secret keys stay out of the history, whatever the key script writes. */
export function ignoreFindings(gitignore: string): Finding[] {
  const lines = new Set(gitignore.split('\n').map((line) => line.trim()));
  return ['keys/*', '!keys/README.md', 'node_modules/', 'dist/']
    .filter((line) => !lines.has(line))
    .map((line) => ({ path: '.gitignore', line: 1, rule: 'ignore', message: `the line ${line} is missing` }));
}

/** A folder is introduced where a reader opens it: one of its files begins with the folder's purpose. */
export function purposeFindings(files: readonly SourceFile[]): Finding[] {
  const folders = new Set(files.map((file) => folderOf(file.path)).filter((folder) => folder !== undefined));
  return [...folders]
    .filter((folder) => !files.some((file) => folderOf(file.path) === folder && /^(#!.*\n)?\/\*\*/.test(file.text)))
    .map((folder) => ({
      path: `src/${folder}`,
      line: 1,
      rule: 'purpose',
      message: "begin the folder's first file with a /** */ sentence that says what the folder is for",
    }));
}
