/** `npm test`: lint, types, build and every suite that a machine can run; the last line is the truth about all of them. */
import process from 'node:process';
import { allSteps, secondsText } from './steps.mjs';

const SKIPPED_NAMES_MAX = 20;
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };
const USAGE = 'usage: npm test [-- [--long] [suite ...] [part of a file name ...]]\n';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('-'));
if (args.some((arg) => arg.startsWith('-') && arg !== '--long')) {
  process.stderr.write(USAGE);
  process.exit(2);
}
if (args.includes('--long')) process.env['COUNTERFOIL_LONG'] = '1';

let interruptedBy = 0;
for (const [signal, code] of Object.entries(INTERRUPTED)) {
  process.on(signal, () => {
    interruptedBy = code;
  });
}

const steps = allSteps();
const filters = names.filter((name) => !steps.some((step) => step.name === name));
const named = steps.filter((step) => names.includes(step.name));
// A filter alone picks files of every suite; lint, types and build know no files.
const chosen = named.length > 0 ? named : filters.length > 0 ? steps.filter((step) => step.isSuite) : steps;

const total = { passed: 0, failed: 0, skipped: 0, testsRun: 0 };
/** @type {string[]} */
const problems = [];
/** @type {string[]} */
const skippedNames = [];

for (const step of chosen) {
  if (interruptedBy) break;
  const outcome = await step.run(step.isSuite ? filters : []);
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped += outcome.skipped;
  if (step.isSuite) total.testsRun += outcome.passed + outcome.failed;
  skippedNames.push(...outcome.skippedNames.map((name) => `${step.name}: ${name}`));
  if (outcome.problem) problems.push(`${step.name} ${outcome.problem}`);
  if (outcome.passed + outcome.failed + outcome.skipped === 0) continue;
  if (outcome.failed > 0 && !step.isShown) process.stdout.write(`${outcome.output.trim()}\n`);
  process.stdout.write(`${line(step, outcome)}\n`);
}
report();

/**
 * @param {import('./steps.mjs').Step} step
 * @param {import('./steps.mjs').Outcome} outcome
 */
function line({ name, shareSeconds }, { passed, failed, skipped, durationMs }) {
  const counts = [`${passed} passed`, failed && `${failed} FAILED`, skipped && `${skipped} skipped`].filter(Boolean);
  const isOver = shareSeconds > 0 && durationMs > shareSeconds * 1000;
  const share = shareSeconds > 0 ? ` of ${shareSeconds} s${isOver ? ' (over its share)' : ''}` : '';
  return `${name.padEnd(17)} ${counts.join(', ').padEnd(34)} ${secondsText(durationMs).padStart(8)}${share}`;
}

function report() {
  for (const name of skippedNames.slice(0, SKIPPED_NAMES_MAX)) process.stdout.write(`skipped: ${name}\n`);
  if (skippedNames.length > SKIPPED_NAMES_MAX)
    process.stdout.write(`skipped: ${skippedNames.length - SKIPPED_NAMES_MAX} more\n`);
  for (const problem of problems) process.stdout.write(`failed: ${problem}\n`);
  if (interruptedBy) process.stdout.write('interrupted: not every suite ran\n');
  const isEmpty = total.testsRun === 0 && chosen.some((step) => step.isSuite);
  if (isEmpty || chosen.length === 0) process.stdout.write('no test ran\n');
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  process.exitCode = interruptedBy || (total.failed > 0 || isEmpty || chosen.length === 0 ? 1 : 0);
}
