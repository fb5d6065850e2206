/** Runs a program as a child that ends with us: its output captured, shown, or both, and never left behind. */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** How long output may still come after the end of the child. */
const PIPES_MS_MAX = 1_000;

/**
 * @typedef {object} Run
 * @property {number} code exit code; 1 when it could not be started or was ended by a signal
 * @property {string} output stdout and stderr in the order they came
 * @property {number} durationMs
 * @property {NodeJS.Signals | undefined} signal what ended it
 * @property {string | undefined} spawnError why it could not be started
 * @property {boolean} timedOut
 */

/**
 * @typedef {object} Options
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [show] print the output as it comes
 * @property {(pid: number) => void} [onStart]
 * @property {number} [deadlineMs] after this the child and its group are killed
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Options} options
 * @returns {Promise<Run>}
 */
export function runCaptured(command, args, { cwd, env = process.env, show = false, onStart, deadlineMs }) {
  return new Promise((resolve) => {
    const startedAt = Date.now();
    let output = '';
    let timedOut = false;
    let isFinished = false;
    // A group of its own: one kill also reaches the workers of the child.
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    if (child.pid !== undefined) onStart?.(child.pid);
    const end = (/** @type {NodeJS.Signals} */ signal) => endGroup(child.pid, signal);
    const onInterrupt = () => end('SIGINT');
    const onTerminate = () => end('SIGTERM');
    const onExit = () => end('SIGKILL');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    process.on('exit', onExit);
    const onDeadline = () => {
      timedOut = true;
      end('SIGKILL');
    };
    const timer = deadlineMs && setTimeout(onDeadline, deadlineMs);
    const take = (/** @type {string} */ text) => {
      output += text;
      if (show) process.stdout.write(text);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    /** @param {Pick<Run, 'code' | 'signal' | 'spawnError'>} result */
    const finish = (result) => {
      if (isFinished) return;
      isFinished = true;
      if (timer) clearTimeout(timer);
      process.removeListener('SIGINT', onInterrupt);
      process.removeListener('SIGTERM', onTerminate);
      process.removeListener('exit', onExit);
      resolve({ ...result, output, timedOut, durationMs: Date.now() - startedAt });
    };
    child.on('error', (error) => finish({ code: 1, signal: undefined, spawnError: error.message }));
    const onEnd = (/** @type {number | null} */ code, /** @type {NodeJS.Signals | null} */ signal) =>
      finish({ code: code ?? 1, signal: signal ?? undefined, spawnError: undefined });
    child.on('close', onEnd);
    // A grandchild that outlived its parent may hold the pipes open for ever.
    const onPipesHeld = () => {
      end('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    };
    child.on('exit', () => setTimeout(onPipesHeld, PIPES_MS_MAX).unref());
  });
}

/**
 * @param {number | undefined} pid
 * @param {NodeJS.Signals} signal
 */
function endGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
