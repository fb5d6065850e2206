import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, on every architecture that Node runs on. */
const TICK_MS = 10;
/** Of the fields behind the name: time in the program, and in the kernel for it (proc(5)). */
const USER_FIELD = 11;
const KERNEL_FIELD = 12;

/** Milliseconds of processor that a process has had; undefined where the system does not say. */
export function processorMs(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    const ticks = Number(fields[USER_FIELD]) + Number(fields[KERNEL_FIELD]);
    return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
  } catch {
    return undefined;
  }
}
