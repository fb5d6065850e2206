/**
 * The graph in a store of somebody else: graphs are put there, and queries may be asked there.
 * This file: one request to such a store, bounded in time and in what is read.
 */
import { concat } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';

export interface StoreRequest {
  readonly url: URL;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is read of the answer: more is a fault. */
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

export interface StoreResponse {
  readonly status: number;
  /** Without parameters, in lower case; empty when it names none. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface StoreFault {
  readonly kind: 'timeout' | 'unreachable' | 'too large' | 'status' | 'stopped';
  /** For the operator: it names what the network or the store said. */
  readonly reason: string;
}

/** Sends requests, and ends those that are under way when it is closed. */
export class StoreRequests {
  readonly #token: string | undefined;
  readonly #running = new Set<AbortController>();
  #isClosed = false;

  /** @param token sent with each request (Authorization: Bearer) */
  constructor(token: string | undefined) {
    this.#token = token;
  }

  async send(request: StoreRequest): Promise<Result<StoreResponse, StoreFault>> {
    if (this.#isClosed) return err(STOPPED);
    const controller = new AbortController();
    this.#running.add(controller);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      controller.abort();
    }, request.timeoutMs);
    try {
      return await this.#answer(request, controller.signal);
    } catch (error) {
      if (isLate) return err({ kind: 'timeout', reason: `it did not answer within ${request.timeoutMs / 1_000} s` });
      return err(this.#isClosed ? STOPPED : { kind: 'unreachable', reason: reasonOf(error) });
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
      // What was not read of an answer is not wanted.
      controller.abort();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#running) controller.abort();
  }

  async #answer(request: StoreRequest, signal: AbortSignal): Promise<Result<StoreResponse, StoreFault>> {
    const { url, method, headers, body, bytesMax } = request;
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }) },
      // Neither graphs nor the token go anywhere else than where the operator sends them.
      redirect: 'error',
      signal,
      ...(body === undefined ? {} : { body }),
    });
    const bytes = await readUpTo(response, bytesMax);
    if (bytes === undefined) return err({ kind: 'too large', reason: `its answer has more than ${bytesMax} bytes` });
    const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    return ok({ status: response.status, mediaType, bytes });
  }
}

const STOPPED: StoreFault = { kind: 'stopped', reason: 'the node is stopping' };

async function readUpTo(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > bytesMax) return undefined;
    pieces.push(piece);
  }
  return concat(...pieces);
}

/** `fetch` hides what the network said in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError) return cause.errors.map(String).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
