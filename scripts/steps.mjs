/** The steps that `check` and `test` share: lint, types, build and the suites, each with a truthful count. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runCaptured } from './run.mjs';
import { ROOT, suites } from './suites.mjs';

/** A suite that takes this many times its share hangs: it is ended and counts as failed. */
const HANGS_AFTER_SHARES = 3;
const HANGS_AFTER_MS_MIN = 90_000;
const HANGS_AFTER_MS_LONG = 6 * 3_600_000;

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {number} durationMs
 * @property {string} output
 * @property {string[]} skippedNames
 * @property {string} problem what went wrong beside failed tests; empty when nothing did
 */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {number} shareSeconds 0 when it has none
 * @property {boolean} isSuite
 * @property {boolean} isShown its output is printed as it comes
 * @property {(filters: readonly string[]) => Promise<Outcome>} run
 */

/** @returns {Step[]} */
export function allSteps() {
  const biome = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return [
    tool('lint', [biome, 'check', '--error-on-warnings', ...(process.stdout.isTTY ? ['--colors=force'] : []), '.']),
    tool('types', [tsc, '--noEmit', ...(process.stdout.isTTY ? ['--pretty'] : [])]),
    tool('build', [join(ROOT, 'scripts', 'bootstrap.mjs'), '--quiet']),
    ...suites().map(suiteStep),
  ];
}

/**
 * @param {string} name
 * @param {string[]} args of node
 * @returns {Step}
 */
function tool(name, args) {
  const run = async () => {
    const { code, output, durationMs, spawnError } = await runCaptured(process.execPath, args, { cwd: ROOT });
    const failed = code === 0 ? 0 : 1;
    return { passed: 1 - failed, failed, skipped: 0, durationMs, output, skippedNames: [], problem: spawnError ?? '' };
  };
  return { name, shareSeconds: 0, isSuite: false, isShown: false, run };
}

/**
 * @param {import('./suites.mjs').Suite} suite
 * @returns {Step}
 */
function suiteStep(suite) {
  const { name, shareSeconds, isLong } = suite;
  return { name, shareSeconds, isSuite: true, isShown: isLong, run: (filters) => runSuite(suite, filters) };
}

/**
 * @param {import('./suites.mjs').Suite} suite
 * @param {readonly string[]} filters parts of file paths; none means all
 * @returns {Promise<Outcome>}
 */
async function runSuite(suite, filters) {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
  const report = join(folder, 'report.json');
  try {
    const run = await runCaptured(process.execPath, vitestArgs(suite, report, filters), {
      cwd: ROOT,
      show: suite.isLong,
      deadlineMs: deadlineMs(suite),
    });
    return outcome(run, readReport(report), filters.length > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {import('./suites.mjs').Suite} suite
 * @param {string} report
 * @param {readonly string[]} filters
 */
function vitestArgs({ name, isSerial }, report, filters) {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  // A filter may well find nothing in one suite; without one, a suite without tests is a failure.
  const leave = filters.length > 0 ? ['--passWithNoTests'] : [];
  // An option, not FORCE_COLOR: the programs under test must not inherit it.
  const colour = process.stdout.isTTY ? '--color' : '--no-color';
  // By itself vitest leaves a core idle, which is half of a machine with two.
  const workers = `--maxWorkers=${isSerial ? 1 : availableParallelism()}`;
  return [
    vitest,
    'run',
    colour,
    workers,
    '--project',
    name,
    '--silent=passed-only',
    ...reporters,
    ...leave,
    ...filters,
  ];
}

/** @param {import('./suites.mjs').Suite} suite */
function deadlineMs(suite) {
  if (process.env['COUNTERFOIL_LONG']) return HANGS_AFTER_MS_LONG;
  return Math.max(HANGS_AFTER_MS_MIN, suite.shareSeconds * 1000 * HANGS_AFTER_SHARES);
}

/**
 * What vitest's JSON reporter says, as far as it is used here.
 * @typedef {{ status: string, fullName: string }} Assertion
 * @typedef {{ testResults: { status: string, assertionResults: Assertion[] }[] }} Report
 */

/**
 * @param {string} path
 * @returns {Report | undefined}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Everything that is not a pass or a stated skip is a failure: a test that never ended, a file that did not load,
 * a process that ended badly although each test passed, a report that was never written.
 * @param {import('./run.mjs').Run} run
 * @param {Report | undefined} report
 * @param {boolean} mayBeEmpty
 * @returns {Outcome}
 */
export function outcome(run, report, mayBeEmpty) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const skippedNames = tests.filter((test) => isSkip(test.status)).map((test) => test.fullName);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failedFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = tests.length - passed - skippedNames.length + failedFiles;
  const isSilentlyEmpty = tests.length === 0 && !(mayBeEmpty && run.code === 0);
  const isCrash = failed === 0 && (run.code !== 0 || isSilentlyEmpty);
  return {
    passed,
    failed: isCrash ? 1 : failed,
    skipped: skippedNames.length,
    durationMs: run.durationMs,
    output: run.output,
    skippedNames,
    problem: isCrash || run.timedOut ? problemOf(run) : '',
  };
}

/** @param {string} status */
function isSkip(status) {
  return status === 'skipped' || status === 'todo' || status === 'disabled';
}

/** @param {import('./run.mjs').Run} run */
function problemOf(run) {
  if (run.spawnError) return `could not be started: ${run.spawnError}`;
  if (run.timedOut) return `did not end within ${Math.round(run.durationMs / 1000)} s and was killed`;
  if (run.signal) return `was ended by ${run.signal}`;
  return run.code === 0 ? 'ran no test' : `ended with code ${run.code} although no test failed`;
}

/** @param {number} durationMs */
export function secondsText(durationMs) {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
