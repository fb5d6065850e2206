/** The suites of the tests in the order they run: what each holds, what it may cost, how it is run. */
import { readdirSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {object} Suite
 * @property {string} name project name in vitest
 * @property {string[]} include its test files
 * @property {number} shareSeconds its share of the quarter of an hour on two cores
 * @property {number} testMsMax deadline of one test
 * @property {boolean} isSerial its files run one after another: they use both cores or the network themselves
 * @property {boolean} usesDist it runs the compiled program
 * @property {boolean} isLong minutes rather than seconds: its progress is shown
 * @property {string[]} setupFiles
 */

/** @type {Omit<Suite, 'name' | 'include'>} */
const QUICK = {
  shareSeconds: 15,
  testMsMax: 15_000,
  isSerial: false,
  usesDist: false,
  isLong: false,
  setupFiles: [],
};
const SIMULATED = { ...QUICK, testMsMax: 120_000, isLong: true };
const REAL = { ...QUICK, testMsMax: 120_000, isSerial: true, usesDist: true, isLong: true };

/** @type {Suite[]} */
const ALL = [
  { ...QUICK, name: 'tidy', include: ['test/tidy.test.ts', ...below('tidy')], shareSeconds: 5 },
  { ...QUICK, name: 'unit', include: below('unit'), shareSeconds: 60 },
  // One meaning of SHA-256, two implementations: what hashes is tested with both.
  {
    ...QUICK,
    name: 'unit-native-hash',
    include: ['model', 'provenance', 'ledger', 'consensus', 'verifier', 'store'].flatMap((name) =>
      below(`unit/${name}`),
    ),
    setupFiles: ['test/setup/native-hash.ts'],
  },
  { ...QUICK, name: 'properties', include: below('properties'), testMsMax: 60_000, shareSeconds: 40 },
  // Whole nodes in one process, at every moment and with every row damaged: too slow for `npm run check`.
  { ...QUICK, name: 'nodes', include: below('nodes'), testMsMax: 60_000, shareSeconds: 45 },
  { ...QUICK, name: 'vectors', include: below('vectors'), shareSeconds: 5 },
  { ...QUICK, name: 'compliance', include: below('compliance'), testMsMax: 60_000, shareSeconds: 5 },
  { ...SIMULATED, name: 'scenarios', include: below('scenarios'), shareSeconds: 20 },
  { ...SIMULATED, name: 'simulation', include: below('simulation'), shareSeconds: 120 },
  { ...SIMULATED, name: 'mutants', include: below('mutants'), shareSeconds: 60 },
  { ...REAL, name: 'cluster', include: below('cluster'), shareSeconds: 600 },
  { ...REAL, name: 'docs', include: below('docs'), shareSeconds: 55 },
  { ...REAL, name: 'browser', include: below('browser'), shareSeconds: 45 },
];

/** @returns {Suite[]} those that have tests in this tree */
export function suites() {
  const present = testFiles();
  return ALL.filter((suite) => suite.include.some((pattern) => present.some((file) => matches(pattern, file))));
}

/** @returns {string[]} every test file, as a path from the root with slashes */
function testFiles() {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name.split(sep).join('/')}`);
}

/** @param {string} file path from the root */
export function isInSomeSuite(file) {
  return ALL.some((suite) => suite.include.some((pattern) => matches(pattern, file)));
}

/**
 * @param {string} folder below test
 * @returns {string[]}
 */
function below(folder) {
  return [`test/${folder}/**/*.test.ts`];
}

/**
 * @param {string} pattern a file, or everything below a folder as `below` says it
 * @param {string} file
 */
function matches(pattern, file) {
  const folder = pattern.split('**')[0] ?? pattern;
  return folder === pattern ? file === pattern : file.startsWith(folder);
}
