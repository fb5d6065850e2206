/** Under npm in a terminal one Ctrl-C arrives twice: what follows sooner than this is the same one. */
const SAME_SIGNAL_MS = 1_000;
const EXIT_OF: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Of a program that a signal has ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return EXIT_OF[signal] ?? 1;
}

/**
 * Waits for the first signal to stop. A second one, at least a second later, calls `now` and ends the process with the
 * exit code of that signal. It listens until the process ends: npm may pass a Ctrl-C on when all is nearly done.
 */
export function untilSignal(now: () => void): Promise<NodeJS.Signals> {
  let firstAt: number | undefined;
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        resolve(signal);
      } else if (performance.now() - firstAt >= SAME_SIGNAL_MS) {
        now();
        process.exit(exitCodeOf(signal));
      }
    };
    for (const name of SIGNALS) process.on(name, onSignal);
  });
}
