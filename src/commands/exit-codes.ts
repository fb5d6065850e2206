/** One file per command; this one says what the exit codes mean. */

/** Stable: scripts test them. */
export const EXIT_CODES = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  CONFIG_INVALID: 3,
  NOT_FOUND: 4,
  REFUSED: 5,
  UNREACHABLE: 6,
  DATA_UNUSABLE: 7,
  VERIFICATION_FAILED: 8,
} as const;

export type ExitName = keyof typeof EXIT_CODES;

export function isExitName(name: string): name is ExitName {
  return Object.hasOwn(EXIT_CODES, name);
}

/** What ends a command: one sentence, what to do about it, and the exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: ExitName;
  /** What the reader can do; empty when the sentence says it. */
  readonly advice: string;
  /** The stable code of a node's answer, for `--json`. */
  readonly code: string | undefined;

  constructor(
    exit: ExitName,
    message: string,
    more: { readonly advice?: string; readonly code?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.exit = exit;
    this.advice = more.advice ?? '';
    this.code = more.code;
  }
}

/** Failures of the environment by the name of their class or by their `code`. */
const EXIT_OF_ERROR: Readonly<Record<string, ExitName>> = {
  CorruptionError: 'DATA_UNUSABLE',
  ForeignDataError: 'DATA_UNUSABLE',
  StoreError: 'DATA_UNUSABLE',
  DISK_FULL: 'FAILED',
  ECONNREFUSED: 'UNREACHABLE',
  ECONNRESET: 'UNREACHABLE',
  ENOTFOUND: 'UNREACHABLE',
  EHOSTUNREACH: 'UNREACHABLE',
  ETIMEDOUT: 'UNREACHABLE',
};

/** The exit code of anything that was thrown. */
export function exitNameOf(error: unknown): ExitName {
  if (error instanceof CommandError) return error.exit;
  if (!(error instanceof Error)) return 'FAILED';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return EXIT_OF_ERROR[code] ?? EXIT_OF_ERROR[error.name] ?? 'FAILED';
}

/** Our own codes of failures of the environment: they are told, and those of the operating system are not. */
const TOLD_CODES = ['PORT_IN_USE', 'PORT_FORBIDDEN', 'ADDRESS_NOT_AVAILABLE', 'DISK_FULL', 'DIRECTORY_NOT_MADE'];

/** The stable code of what ended a command, if it has one that is finer than its exit code. */
export function toldCodeOf(error: unknown): string | undefined {
  if (error instanceof CommandError) return error.code;
  if (!(error instanceof Error && 'code' in error)) return undefined;
  return TOLD_CODES.find((code) => code === error.code);
}

const REFUSED_STATUS = [403, 409, 412, 422];

/** The exit code of a node's HTTP error. */
export function exitNameOfStatus(status: number): ExitName {
  if (status === 404) return 'NOT_FOUND';
  return REFUSED_STATUS.includes(status) ? 'REFUSED' : 'FAILED';
}
