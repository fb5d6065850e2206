import { describe, expect, test } from 'vitest';
import type { Run } from '../../../scripts/run.mjs';
import { outcome } from '../../../scripts/steps.mjs';

const GOOD: Run = { code: 0, output: '', durationMs: 1, signal: undefined, spawnError: undefined, timedOut: false };
const BAD: Run = { ...GOOD, code: 1 };

function file(status: string, ...tests: string[]) {
  return {
    status,
    assertionResults: tests.map((testStatus, index) => ({ status: testStatus, fullName: `t${index}` })),
  };
}

function counts(run: Run, files: ReturnType<typeof file>[] | undefined, mayBeEmpty = false) {
  const { passed, failed, skipped } = outcome(run, files && { testResults: files }, mayBeEmpty);
  return { passed, failed, skipped };
}

describe('the count', () => {
  test('is that of the tests', () => {
    const files = [file('passed', 'passed', 'skipped', 'todo'), file('failed', 'failed', 'passed')];
    expect(counts(BAD, files)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test('names what was skipped', () => {
    expect(outcome(GOOD, { testResults: [file('passed', 'passed', 'skipped')] }, false).skippedNames).toEqual(['t1']);
  });

  test('takes a test that never ended for a failure', () => {
    expect(counts(BAD, [file('passed', 'passed', 'pending')])).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test('takes a file that did not load, or failed around its tests, for a failure', () => {
    expect(counts(BAD, [file('failed'), file('failed', 'passed')])).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});

describe('a suite that ended badly', () => {
  test('fails although each of its tests passed', () => {
    const files = [file('passed', 'passed', 'passed')];
    expect(counts(BAD, files)).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(outcome(BAD, { testResults: files }, false).problem).toBe('ended with code 1 although no test failed');
  });

  test('fails without a report', () => {
    expect(counts({ ...BAD, signal: 'SIGKILL' }, undefined)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(outcome({ ...BAD, signal: 'SIGKILL' }, undefined, true).problem).toBe('was ended by SIGKILL');
    expect(outcome({ ...BAD, timedOut: true, durationMs: 5000 }, undefined, true).problem).toContain('within 5 s');
  });
});

describe('a suite without tests', () => {
  test('fails, unless a filter left nothing of it', () => {
    expect(counts(GOOD, [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(outcome(GOOD, undefined, false).problem).toBe('ran no test');
    expect(counts(GOOD, [], true)).toEqual({ passed: 0, failed: 0, skipped: 0 });
    expect(counts(BAD, undefined, true)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
