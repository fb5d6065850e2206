import { setTimeout as pause } from 'node:timers/promises';
import { lockDataDir } from '../store/lock.ts';

const STOP_MS_MAX = 7_000;
const LOOK_MS = 50;

/** Ends the nodes of these homes that somebody started again by hand: they belong to the network that ends. */
export async function stopOthers(homes: readonly string[]): Promise<void> {
  await Promise.all(homes.map(stopOther));
}

async function stopOther(home: string): Promise<void> {
  const deadline = Date.now() + STOP_MS_MAX;
  let asked = 0;
  for (;;) {
    const owner = ownerOf(home);
    if (owner === undefined) return;
    if (asked !== owner) signal(owner, 'SIGTERM');
    asked = owner;
    if (Date.now() > deadline) {
      signal(owner, 'SIGKILL');
      return;
    }
    await pause(LOOK_MS);
  }
}

/** Process that runs the node of a home; undefined when none does. */
function ownerOf(home: string): number | undefined {
  try {
    const lock = lockDataDir(home);
    if (!lock.ok) return lock.error.pid;
    lock.value.release();
    return undefined;
  } catch {
    // A home that cannot be written is run by nobody.
    return undefined;
  }
}

export function isUnused(home: string): boolean {
  return ownerOf(home) === undefined;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}
