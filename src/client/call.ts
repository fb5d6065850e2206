import { err, ok, type Result } from '../lib/result.ts';
import type { FirstScanAnswer, ProblemAnswer } from './answers.ts';

/** Why a call brought no answer, or not the one that was asked for. */
export interface Failure {
  /**
   * The node's own code, or one of ours: `UNREACHABLE` (no connection, or it broke), `TIMEOUT` (no answer in time: a
   * write may or may not have been taken), `NOT_A_NODE` (something answered that is none).
   */
  readonly code: string;
  readonly detail: string;
  /** HTTP status; null when nothing answered. */
  readonly status: number | null;
  /** Of a final refusal, or of a write that is under way. */
  readonly transactionId?: string;
  readonly height?: number;
  readonly firstScan?: FirstScanAnswer;
  /** Path of the field that was not taken. */
  readonly field?: string;
  /** When the node says that another try may succeed. */
  readonly retryAfterMs?: number;
}

export type Answered<T> = Result<T, Failure>;

export type Fetch = typeof globalThis.fetch;

export interface CallerOptions {
  /** Such as `http://127.0.0.1:7180`. */
  readonly url: string;
  readonly fetch?: Fetch;
  /** For writes that the node signs; devnets need none. */
  readonly operatorToken?: string;
  /** Of one try, beside the wait for finality. */
  readonly timeoutMs?: number;
  /** How often a call that can be repeated without harm is tried in all. */
  readonly tries?: number;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: { readonly mediaType: string; readonly bytes: string | Uint8Array };
  readonly idempotencyKey?: string | undefined;
  /** Whatever is written is written once, however often it is asked: as under an idempotency key. */
  readonly isRepeatable?: boolean;
  /** JSON when absent. */
  readonly accept?: string;
  /** What the node may take on top without being told, in milliseconds. */
  readonly patienceMs?: number;
  /** What the node may wait on top, in milliseconds. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes calls: one try after another while that is safe and of use. */
export type Caller = (call: Call) => Promise<Answered<Response>>;

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const RETRY_MS = 100;
/** Statuses after which the same call may well succeed. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503]);

export function createCaller({ url, operatorToken, ...options }: CallerOptions): Caller {
  const send = options.fetch ?? globalThis.fetch;
  const { timeoutMs = TIMEOUT_MS, tries = TRIES } = options;
  const base = url.replace(/\/+$/, '');
  const once = async (call: Call): Promise<Answered<Response>> => {
    const deadline = AbortSignal.timeout(timeoutMs + (call.waitMs ?? 0) + (call.patienceMs ?? 0));
    const signal = call.signal === undefined ? deadline : AbortSignal.any([deadline, call.signal]);
    try {
      const response = await send(base + target(call), { ...requestOf(call, operatorToken), signal });
      return response.ok ? ok(response) : err(await failureOf(response));
    } catch (error) {
      return err(deadline.aborted ? timedOut(base) : unreachable(base, error));
    }
  };
  return async (call) => {
    // Without a key a write that was lost on the way back would be done twice.
    const isRepeatable = call.isRepeatable ?? (call.method === 'GET' || call.idempotencyKey !== undefined);
    for (let tried = 1; ; tried += 1) {
      const answered = await once(call);
      const isLast = !isRepeatable || tried >= tries || call.signal?.aborted === true;
      if (answered.ok || isLast || !isPassing(answered.error)) return answered;
      await pause(answered.error.retryAfterMs ?? RETRY_MS * 2 ** (tried - 1), call.signal);
    }
  };
}

function target({ path, query = {}, waitMs }: Call): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  if (waitMs !== undefined) parameters.set('wait', `${waitMs}ms`);
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

function requestOf(
  { method, body, accept = 'application/json', idempotencyKey }: Call,
  operatorToken: string | undefined,
): RequestInit {
  const headers: Record<string, string> = { accept };
  if (body !== undefined) headers['content-type'] = body.mediaType;
  if (operatorToken !== undefined) headers['authorization'] = `Bearer ${operatorToken}`;
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  const bytes = typeof body?.bytes === 'string' || body === undefined ? body?.bytes : new Uint8Array(body.bytes);
  return { method, headers, ...(bytes === undefined ? {} : { body: bytes }) };
}

function isPassing({ code, status }: Failure): boolean {
  return status === null ? code === 'UNREACHABLE' : PASSING.has(status);
}

/** Resolves after `ms`, or at once when `signal` is raised. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
  });
}

function timedOut(base: string): Failure {
  return {
    code: 'TIMEOUT',
    detail: `no answer from ${base} in time; a write may have been taken all the same`,
    status: null,
  };
}

function unreachable(base: string, error: unknown): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (base.startsWith('https:') && code.startsWith('ERR_SSL')) {
    const detail = `${base} does not speak TLS: a node itself speaks plain HTTP, so try ${base.replace('https', 'http')}`;
    return { code: 'UNREACHABLE', detail, status: null };
  }
  const reason = cause instanceof Error ? cause.message || code : String(cause);
  return { code: 'UNREACHABLE', detail: `cannot reach a node at ${base}: ${reason}`, status: null };
}

async function failureOf(response: Response): Promise<Failure> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retry = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
  const problem = await problemOf(response);
  if (problem === undefined) {
    const detail = `HTTP ${response.status} without a problem: is this the address of a node?`;
    return { code: 'NOT_A_NODE', detail, status: response.status, ...retry };
  }
  const { code, detail, transaction_id, height, first_scan, field } = problem;
  return {
    code,
    detail,
    status: response.status,
    ...(transaction_id === undefined ? {} : { transactionId: transaction_id }),
    ...(height === undefined ? {} : { height }),
    ...(first_scan === undefined ? {} : { firstScan: first_scan }),
    ...(field === undefined ? {} : { field }),
    ...retry,
  };
}

async function problemOf(response: Response): Promise<ProblemAnswer | undefined> {
  const body = await jsonOf<ProblemAnswer>(response);
  return body.ok && typeof body.value.code === 'string' && typeof body.value.detail === 'string'
    ? body.value
    : undefined;
}

/** The JSON object of an answer. That it has the shape of its route is the node's word, under the same version. */
export async function jsonOf<T extends object>(response: Response): Promise<Answered<T>> {
  try {
    const value: unknown = JSON.parse(await response.text());
    if (typeof value === 'object' && value !== null) return ok(value as T);
  } catch {
    // Not JSON, or cut off: the same to the caller.
  }
  const detail = 'the answer is not a JSON object: is this the address of a node?';
  return err({ code: 'NOT_A_NODE', detail, status: response.status });
}
