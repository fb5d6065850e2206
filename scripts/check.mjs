/** `npm run check`: what a change must pass before it is shown to others; stops at the first step that fails. */
import process from 'node:process';
import { allSteps, secondsText } from './steps.mjs';

const NAMES = ['lint', 'types', 'tidy', 'unit', 'properties'];

const steps = allSteps();
const startedAt = Date.now();
for (const name of NAMES) {
  const step = steps.find((candidate) => candidate.name === name);
  if (!step) {
    process.stdout.write(`${name.padEnd(12)} has no tests: was the folder moved?\n`);
    process.exit(1);
  }
  const { passed, failed, skipped, durationMs, output, problem } = await step.run([]);
  const counts = `${passed} passed${failed ? `, ${failed} failed` : ''}${skipped ? `, ${skipped} skipped` : ''}`;
  process.stdout.write(
    `${name.padEnd(12)} ${(step.isSuite ? counts : failed ? 'failed' : 'ok').padEnd(30)} ${secondsText(durationMs).padStart(8)}\n`,
  );
  if (failed === 0) continue;
  process.stdout.write(`\n${output.trim()}\n\n${name} failed${problem && `: it ${problem}`}.\n`);
  process.exit(1);
}
process.stdout.write(`all ok in ${secondsText(Date.now() - startedAt)}\n`);
