/** What the tests of real processes share: nodes to start and to end, load to put on them, a chain to check. */

const POLL_MS = 25;
const DEADLINE_MS = 60_000;

export interface Wish {
  /** As a sentence goes on after "waited for". */
  readonly what: string;
  /** Generous unless told otherwise: a loaded machine is slow, and nothing is gained by failing early. */
  readonly deadlineMs?: number;
  /** What to say of the world when the wait was in vain. */
  readonly describe?: () => Promise<string> | string;
}

/**
 * Asks again and again until the answer is something else than undefined or false. An error counts as no answer, and is
 * told when the deadline passes.
 */
export async function until<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  { what, deadlineMs = DEADLINE_MS, describe }: Wish,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  let lastError: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) break;
    await pause(POLL_MS);
  }
  const said = describe === undefined ? '' : `\n${await describe()}`;
  throw new Error(`waited ${deadlineMs} ms for ${what}${said}`, { cause: lastError });
}

/** For load and for faults that last a while; a test waits for what it can see. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Takes note of a measured number where whoever runs the suite sees it; nothing depends on it. */
export function tell(text: string): void {
  process.stdout.write(`      ${text}\n`);
}

/** The tail of a suite, run by `npm run test:long`. */
export const IS_LONG = process.env['COUNTERFOIL_LONG'] === '1';
