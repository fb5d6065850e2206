import { Worker } from 'node:worker_threads';
import { err, type Result } from '../../lib/result.ts';
import { GATE_MEGABYTES_MAX, GATE_MS_MAX } from '../../model/graph-limits.ts';
import type { Admitted, GateRefusal } from './gate.ts';
import { type GateQuestion, gateAnswer } from './gate-wire.ts';
import { siblingFile } from './sibling-file.ts';

type GateVerdict = Result<Admitted, GateRefusal>;

/** The gate of a query whose graph is elsewhere. */
export interface QueryGate {
  judge(query: string): Promise<GateVerdict>;
  close(): void;
}

const TOO_MUCH: GateVerdict = err({
  code: 'QUERY_TOO_EXPENSIVE',
  detail: 'reading it takes more than this node gives to one query; ask in several queries',
});

/** The gate in a thread of its own, which starts with the first query and again when one has ended it. */
export function openGateThread(): QueryGate {
  return new GateThread();
}

class GateThread implements QueryGate {
  #worker: Worker | undefined;
  readonly #asked = new Map<number, (verdict: GateVerdict) => void>();
  #last = 0;

  judge(query: string): Promise<GateVerdict> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => void worker.terminate(), GATE_MS_MAX);
      this.#asked.set(number, (verdict) => {
        clearTimeout(timer);
        this.#asked.delete(number);
        resolve(verdict);
      });
      worker.postMessage({ number, query } satisfies GateQuestion);
    });
  }

  close(): void {
    void this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(siblingFile(import.meta.url, 'gate-worker'), {
      name: 'gate of queries',
      resourceLimits: { maxOldGenerationSizeMb: GATE_MEGABYTES_MAX },
    });
    worker.unref();
    worker.on('message', (message: unknown) => {
      const { number, verdict } = gateAnswer.parse(message);
      this.#asked.get(number)?.(verdict);
    });
    // Its end tells the same.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      this.#worker = undefined;
      for (const settle of [...this.#asked.values()]) settle(TOO_MUCH);
    });
    return worker;
  }
}
