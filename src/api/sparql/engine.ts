import { type ChildProcess, fork } from 'node:child_process';
import { err, ok, type Result } from '../../lib/result.ts';
import { QUERY_DEADLINE_STRETCH_MAX, QUERY_ENGINE_SILENCE_MS_MAX } from '../../model/graph-limits.ts';
import {
  type EngineQuery,
  type EngineRefusal,
  type FromEngine,
  fromEngineSchema,
  MEMORY_SIGNAL,
  type ToEngine,
} from './engine-wire.ts';
import { processorMs } from './processor-time.ts';
import { siblingFile } from './sibling-file.ts';
import type { Statistics } from './statistics.ts';

/**
 * How a process ended before it had answered: `late` and `starved` by us, `memory` by its own watch, `broken` by what it
 * was doing.
 */
export interface EngineEnd {
  readonly kind: 'late' | 'starved' | 'memory' | 'broken' | 'gone';
  readonly reason: string;
}

export interface EngineAnswer {
  readonly isGraph: boolean;
  readonly bytes: Uint8Array;
}

export interface EngineOptions {
  /** Of the process as a whole. */
  readonly memoryBytes: number;
  /** The compiled entry; that beside this file when absent. */
  readonly program?: string;
}

type Said = Exclude<FromEngine, { kind: 'broken' }> | EngineEnd;

/** JavaScript of the process: an answer as text, and as bytes. */
const HEAP_MIB = 256;

/** One process with one view of the graph. It does one thing at a time, and once it has ended it is done with. */
export class Engine {
  readonly #child: ChildProcess;
  #end: EngineEnd | undefined;
  #onMessage: ((said: Said) => void) | undefined;

  constructor({ memoryBytes, program }: EngineOptions) {
    const child = fork(program ?? siblingFile(import.meta.url, 'engine-main'), [`${memoryBytes}`], {
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // A Ctrl-C is for the node, which ends this one when it has no more use for it.
      detached: true,
      env: {},
    });
    this.#child = child;
    child.on('message', (message) => {
      const read = fromEngineSchema.safeParse(message);
      // A trap does not say why: what takes memory asks for twice what it has, and fails at half of it.
      if (!read.success) this.#finish('broken', 'it said what nobody understands');
      else if (read.data.kind === 'broken') {
        this.#finish(read.data.memoryBytes > memoryBytes / 2 ? 'memory' : 'broken', read.data.reason);
      } else this.#onMessage?.(read.data);
    });
    child.on('exit', (code, signal) => {
      if (signal === MEMORY_SIGNAL) this.#finish('memory', 'it took more memory than it may');
      else this.#finish('gone', `its process ended (${signal ?? `exit code ${code}`})`);
    });
    child.on('error', (error) => this.#finish('gone', error.message));
  }

  /** For a test or an operator to look at; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get end(): EngineEnd | undefined {
    return this.#end;
  }

  /** Takes quads in; resolves to how many it has. */
  async load(nquads: string | Uint8Array): Promise<Result<number, EngineEnd>> {
    const said = await this.#ask({ kind: 'load', nquads }, QUERY_ENGINE_SILENCE_MS_MAX);
    return said.kind === 'loaded' ? ok(said.quads) : err(endOf(said));
  }

  async count(): Promise<Result<Statistics, EngineEnd>> {
    const said = await this.#ask({ kind: 'count' }, QUERY_ENGINE_SILENCE_MS_MAX);
    return said.kind === 'counted' ? ok(said.statistics) : err(endOf(said));
  }

  async query(query: EngineQuery, deadlineMs: number): Promise<Result<EngineAnswer, EngineRefusal | EngineEnd>> {
    const pieces: Uint8Array[] = [];
    const said = await this.#ask({ kind: 'query', ...query }, deadlineMs, (bytes) => pieces.push(bytes));
    if (said.kind === 'answered') return ok({ isGraph: said.isGraph, bytes: Buffer.concat(pieces) });
    return err(said.kind === 'refused' ? said : endOf(said));
  }

  kill(): void {
    this.#finish('gone', 'it was stopped');
  }

  #ask(
    message: ToEngine,
    deadlineMs: number,
    onPiece: (bytes: Uint8Array) => void = () => undefined,
  ): Promise<Exclude<Said, { kind: 'piece' }>> {
    if (this.#end !== undefined) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      const atMs = performance.now();
      const usedMs = processorMs(this.pid) ?? Number.NEGATIVE_INFINITY;
      const expire = (): void => {
        // Less than half of what it should have had: the machine was busy with something else.
        const isStarved = (processorMs(this.pid) ?? Number.POSITIVE_INFINITY) - usedMs < deadlineMs / 2;
        const isOver = performance.now() - atMs > deadlineMs * QUERY_DEADLINE_STRETCH_MAX;
        if (isStarved && !isOver) timer = setTimeout(expire, deadlineMs / 4);
        else this.#finish(isStarved ? 'starved' : 'late', `it took more than ${deadlineMs} ms`);
      };
      let timer = setTimeout(expire, deadlineMs);
      this.#onMessage = (said) => {
        if (said.kind === 'piece') {
          onPiece(said.bytes);
        } else {
          clearTimeout(timer);
          this.#onMessage = undefined;
          resolve(said);
        }
      };
      this.#child.send(message, (error) => {
        if (error !== null) this.#finish('gone', error.message);
      });
    });
  }

  #finish(kind: EngineEnd['kind'], reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { kind, reason };
    this.#child.kill('SIGKILL');
    this.#onMessage?.(this.#end);
  }
}

function endOf(said: Said): EngineEnd {
  return 'reason' in said ? said : { kind: 'broken', reason: 'it answered something else' };
}
