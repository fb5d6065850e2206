/** Under npm in a terminal one Ctrl-C arrives twice: what follows sooner than this is the same one. */
const SAME_SIGNAL_MS = 1_000;
const EXIT_OF: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Of a program that a signal has ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return EXIT_OF[signal] ?? 1;
}

export interface SignalWait {
  /** Resolves with the first signal. */
  readonly first: Promise<NodeJS.Signals>;
  /** Gives the signals their usual meaning again. */
  dispose(): void;
}

/**
 * Waits for the first signal to stop. A second one, at least a second later, calls `now` and ends the process with the
 * exit code of that signal.
 */
export function untilSignal(now: () => void): SignalWait {
  let resolveFirst: (signal: NodeJS.Signals) => void = () => undefined;
  let firstAt: number | undefined;
  const first = new Promise<NodeJS.Signals>((resolve) => {
    resolveFirst = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      resolveFirst(signal);
    } else if (performance.now() - firstAt >= SAME_SIGNAL_MS) {
      now();
      process.exit(exitCodeOf(signal));
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    first,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
