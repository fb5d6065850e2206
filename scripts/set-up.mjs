/** Makes a clone runnable: installs what the lock file names and compiles src to dist, each only when needed. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { withLockFile } from './lock-file.mjs';
import { runCaptured } from './run.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK = join(ROOT, '.bootstrap.lock');
const STAMP = join(ROOT, 'node_modules', '.counterfoil-installed.json');
const DIST = join(ROOT, 'dist');
const SRC = join(ROOT, 'src');
const BUILT = join(DIST, '.built');
const COMPILER_INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Where npm, after a wrong use, goes on with a page of options. */
const NPM_HELP = /(?:^npm error\n)?^npm error (?:Clean install a project|Usage:)/m;
const USAGE = 'usage: node scripts/bootstrap.mjs [--quiet] [--install-only]\n';

/** A failure that the reader can do something about: its message is all that is printed. */
class SetUpError extends Error {}

/** @typedef {(text: string) => void} Talk */

/** @param {readonly string[]} args */
export async function main(args) {
  if (args.some((arg) => arg !== '--quiet' && arg !== '--install-only')) {
    process.stderr.write(USAGE);
    process.exit(2);
  }
  // exit runs the handler that gives the lock file back; a bare signal would not.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  /** @type {Talk} */
  const talk = args.includes('--quiet') ? () => {} : (text) => process.stderr.write(text);
  try {
    await setUp(talk, args.includes('--install-only'));
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exit(1);
  }
}

/**
 * @param {Talk} talk
 * @param {boolean} installOnly
 */
async function setUp(talk, installOnly) {
  const isDone = () => isInstalled() && (installOnly || isCompiled());
  if (isDone()) return;
  const work = async (/** @type {(child: number) => void} */ keepFor) => {
    if (isDone()) return;
    talk(`Node ${process.versions.node} ok.`);
    if (!isInstalled()) await install(talk, keepFor);
    if (!installOnly && !isCompiled()) await compile(talk);
    talk('\n');
  };
  await withLockFile(LOCK, work, (pid) => talk(`Waiting for another set-up (process ${pid}) ...\n`));
}

/** What an installation depends on: the lock file, and the machine whose binaries were chosen. */
function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  return { lock, platform: process.platform, arch: process.arch, abi: process.versions.modules };
}

/** True when the stamp fits; an installation made by hand (`npm install`) that fits the lock file gets its stamp here. */
function isInstalled() {
  const wanted = wantedStamp();
  const found = readJson(STAMP);
  if (JSON.stringify(found) === JSON.stringify(wanted)) return true;
  const otherMachine =
    found && (found.platform !== wanted.platform || found.abi !== wanted.abi || found.arch !== wanted.arch);
  if (otherMachine || !fitsLockFile()) return false;
  writeFileSync(STAMP, JSON.stringify(wanted));
  return true;
}

/** Whether npm's own record of node_modules holds what the lock file asks for on this platform. */
function fitsLockFile() {
  const locked = readJson(join(ROOT, 'package-lock.json'))?.packages;
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (!locked || !installed || !asksForTheSame(readJson(join(ROOT, 'package.json')), locked[''])) return false;
  return Object.entries(locked).every(([path, entry]) => {
    const there = installed[path];
    if (path === '' || (!there && entry.optional && !isForThisMachine(entry))) return true;
    return there?.version === entry.version && there?.integrity === entry.integrity;
  });
}

/**
 * @typedef {Record<'dependencies' | 'devDependencies' | 'optionalDependencies', object | undefined>} Wishes
 * @param {Wishes | undefined} a
 * @param {Wishes | undefined} b
 */
function asksForTheSame(a, b) {
  const wishes = (/** @type {Wishes | undefined} */ from) =>
    [from?.dependencies, from?.devDependencies, from?.optionalDependencies]
      .map((group) =>
        Object.entries(group ?? {})
          .sort()
          .join(),
      )
      .join(';');
  return wishes(a) === wishes(b);
}

/** @param {{ os?: string[], cpu?: string[], libc?: string[] }} entry */
function isForThisMachine(entry) {
  // The C library is not asked: which of two variants npm chose is its affair.
  if (entry.libc || (!entry.os && !entry.cpu)) return false;
  return (entry.os?.includes(process.platform) ?? true) && (entry.cpu?.includes(process.arch) ?? true);
}

/**
 * @param {Talk} talk
 * @param {(child: number) => void} onStart
 */
async function install(talk, onStart) {
  const isFirst = !existsSync(join(ROOT, 'node_modules'));
  talk(isFirst ? ' Installing dependencies (first time only) ...' : ' Updating dependencies ...');
  rmSync(STAMP, { force: true });
  const [command, ...prefix] = npmCommand();
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const run = await runCaptured(command, [...prefix, ...options], { cwd: ROOT, onStart });
  if (run.code !== 0) throw new SetUpError(installFailure(run));
  writeFileSync(STAMP, JSON.stringify(wantedStamp()));
  talk(` ${seconds(run.durationMs)} s.`);
}

/** @returns {[string, ...string[]]} the npm that runs this, else the one on the PATH */
function npmCommand() {
  const cli = process.env['npm_execpath'] ?? '';
  return cli.endsWith('npm-cli.js') && existsSync(cli) ? [process.execPath, cli] : ['npm'];
}

/** @param {import('./run.mjs').Run} run */
function installFailure({ output, spawnError }) {
  if (spawnError)
    return `npm could not be started (${spawnError}). It comes with Node: please check that it is on the PATH.`;
  return `Installing the dependencies failed. The last lines of npm:\n\n${lastLines(output.split(NPM_HELP)[0] ?? output, 15)}\n\n${adviceFor(output)}`;
}

/** @param {string} output */
function adviceFor(output) {
  if (/in sync|EUSAGE|EJSONPARSE/.test(output))
    return 'package.json and package-lock.json do not fit together: run `npm install`, then commit both.';
  if (/ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|network/i.test(output))
    return 'The package registry was not reached: check the network (or the proxy and registry in `npm config list`), then run the same command again.';
  if (/EACCES|EPERM/.test(output))
    return 'A file may not be written: check who owns this folder and the cache (`npm config get cache`), then run the same command again.';
  if (/ENOSPC/.test(output)) return 'The disk is full: free some space, then run the same command again.';
  return 'Remove node_modules and run the same command again; if it fails again, the lines above say where.';
}

/** Whether dist was compiled after the last change of anything it is made from. */
function isCompiled() {
  const built = modifiedMs(BUILT);
  if (built === 0 || COMPILER_INPUTS.some((name) => modifiedMs(join(ROOT, name)) > built)) return false;
  // A folder's time changes when a file in it is added, renamed or removed.
  return [SRC, ...walk(SRC)].every((path) => modifiedMs(path) <= built);
}

/** @param {Talk} talk */
async function compile(talk) {
  talk(' Compiling ...');
  const startedAt = new Date();
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = await runCaptured(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (run.code !== 0)
    throw new SetUpError(
      `Compiling failed:\n\n${run.spawnError ?? run.output.trimEnd()}\n\nFix what the lines above say and run the same command again.`,
    );
  copyAssets();
  removeStale();
  const main = join(DIST, 'main.js');
  if (existsSync(main)) chmodSync(main, 0o755);
  closeSync(openSync(BUILT, 'w'));
  // Dated to the start: what is saved while the compiler runs is newer.
  utimesSync(BUILT, startedAt, startedAt);
  talk(` ${seconds(run.durationMs)} s.`);
}

/** Copies what is not TypeScript (pages, templates) to its place beside the compiled files. */
function copyAssets() {
  for (const path of walk(SRC)) {
    if (path.endsWith('.ts') || statSync(path).isDirectory()) continue;
    const target = join(DIST, path.slice(SRC.length));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}

/** Removes from dist what has no source any more: the compiler leaves it behind. */
function removeStale() {
  for (const path of walk(DIST)) {
    const inside = path.slice(DIST.length + 1);
    if (inside.startsWith('.') || !existsSync(path) || hasSource(inside)) continue;
    rmSync(path, { recursive: true });
  }
}

/** @param {string} inside path below dist */
function hasSource(inside) {
  return existsSync(join(SRC, inside)) || existsSync(join(SRC, inside.replace(/\.js(\.map)?$/, '.ts')));
}

/**
 * @param {string} folder
 * @returns {string[]} everything below, folders before what they hold
 */
function walk(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...walk(path)] : [path];
  });
}

/** @param {string} path */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} text
 * @param {number} count
 */
function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** @param {number} durationMs */
function seconds(durationMs) {
  return Math.max(1, Math.round(durationMs / 1000));
}
