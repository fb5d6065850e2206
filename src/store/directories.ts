import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A directory that cannot be made; the cause is what the system said. */
class DirectoryError extends Error {
  override readonly name = 'DirectoryError';
  readonly code = 'DIRECTORY_NOT_MADE';
}

/**
 * Makes a directory and those above it, each for this user alone. Step by step: the recursive mkdir of Node 20 never
 * ends below /proc, where a parent exists and takes nothing.
 *
 * @returns the uppermost directory that was made, undefined when all were there @throws DirectoryError with `cause`
 */
export function makeDirectories(path: string): string | undefined {
  try {
    const missing = missingOf(resolve(path));
    for (const directory of missing) makeOne(directory);
    return missing[0];
  } catch (cause) {
    throw new DirectoryError(`cannot make the directory ${path}`, { cause });
  }
}

/** From the top down. */
function missingOf(path: string): readonly string[] {
  const missing: string[] = [];
  for (let at = path; !isDirectory(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  return missing;
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    // Another process may have been faster.
    if (!isDirectory(path)) throw cause;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
