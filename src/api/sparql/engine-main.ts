/**
 * The process in which the engine runs: a view of the graph in memory, which can be lost at any time. It is a process
 * and no thread, since only a process can be given less of the processor and be ended whatever it does.
 */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { QUERY_NICENESS } from '../../model/graph-limits.ts';
import type { FromEngine, ToEngine } from './engine-wire.ts';
import { siblingFile } from './sibling-file.ts';

const WASM_PAGE_BYTES = 65_536;
/** To the kernel: of all processes, this one is missed least. */
const KILLED_FIRST = '900';

function restrain(memoryBytes: number): void {
  // WebAssembly memory is outside of what V8 counts as its heap: this is a limit of its own, where V8 knows it.
  setFlagsFromString(`--wasm-max-mem-pages=${Math.floor(memoryBytes / WASM_PAGE_BYTES)}`);
  const attempts = [() => setPriority(QUERY_NICENESS), () => writeFileSync('/proc/self/oom_score_adj', KILLED_FIRST)];
  for (const attempt of attempts) {
    try {
      attempt();
    } catch {
      // Not every system has it, or allows it.
    }
  }
  // On a thread of its own, since a query occupies this one.
  new Worker(siblingFile(import.meta.url, 'engine-watchdog'), { workerData: { memoryBytes, parent: process.ppid } });
}

function tell(message: FromEngine): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  restrain(Number(process.argv[2]));
  // Not before its memory has a limit.
  const { createView } = await import('./engine-view.ts');
  const view = createView(tell);
  process.on('message', (message: ToEngine) => {
    if (view.take(message)) return;
    // What is on its way to the node is to arrive.
    process.disconnect();
  });
}

await main();
