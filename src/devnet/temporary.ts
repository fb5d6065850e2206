import { mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'counterfoil-devnet-';

export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), PREFIX));
}

/** Whether a directory is one that a devnet made for itself: nothing else is ever removed. */
export function isTemporaryDirectory(directory: string): boolean {
  const name = directory.slice(directory.lastIndexOf('/') + 1);
  return name.startsWith(PREFIX) && join(tmpdir(), name) === directory;
}

/**
 * The last act of a node whose devnet was killed: removes the homes that nobody runs any more, and with the last of
 * them the directory itself. Nodes end one after another, so the last one finds every other home unused.
 *
 * @param isUnused whether no process runs the node of a home
 */
export function removeUnusedHomes(directory: string, isUnused: (home: string) => boolean): void {
  if (!isTemporaryDirectory(directory)) return;
  for (const entry of namesIn(directory)) {
    const home = join(directory, entry);
    if (isUnused(home)) rmSync(home, { recursive: true, force: true });
  }
  try {
    rmdirSync(directory);
  } catch {
    // Another node still runs in it, or removed it first.
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
