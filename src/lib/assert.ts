/** What any program could use, knowing nothing of tickets. */

/** Thrown when the impossible happened: a bug, never bad input. It stops the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * States what must hold. Stays on in production; data from a peer or a user never reaches it.
 *
 * @throws InvariantError with `message` when `condition` is false.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Narrows `value`, or fails: for what a previous step has already guaranteed. */
export function defined<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new InvariantError(message);
  return value;
}

/** Ends an exhaustive switch: compiles only when no case is left. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
