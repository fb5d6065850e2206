import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../lib/result.ts';
import { API_DISCARD_BYTES_MAX, API_WAIT_MS_MAX } from '../model/http-limits.ts';
import { Height } from '../model/ids.ts';
import { fail, type Problem } from './problems.ts';

/** One request as a route sees it: everything about it that could be judged before has been. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  /** Each parameter comes once. Empty for a route that reads `search` itself. */
  readonly query: ReadonlyMap<string, string>;
  /** As it came: with its question mark, or empty. */
  readonly search: string;
  /** Who counts as one: see `callerOf`. */
  readonly caller: string;
  /** Whether the connection is gone, and with it whoever waits for the answer. */
  readonly isGone: () => boolean;
  /** Empty unless the route takes one. */
  readonly body: Uint8Array;
  /** By its name in lower case; empty when it is there and says nothing. */
  readonly header: (name: string) => string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content:
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'bytes'; readonly mediaType: string; readonly bytes: Uint8Array };
}

export type Outcome = Result<Answer, Problem>;

export interface BodyRule {
  readonly mediaType: 'application/json' | 'application/octet-stream' | 'application/sparql-query';
  /** Further media types, which the route tells apart itself. */
  readonly alsoTakes?: readonly string[];
  readonly bytesMax: number;
  /** What a caller could have sent: quoted when the content type is missing. */
  readonly example: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** In the syntax of @koa/router. */
  readonly path: string;
  /** The node signs with its operator's key: the caller must be the operator. */
  readonly isOperators?: boolean;
  /** Whether anybody may on a devnet; true unless told otherwise. */
  readonly isOpenOnDevnets?: boolean;
  readonly body?: BodyRule;
  /**
   * The parameters of its query, besides `pretty`; `any` where those who watch nodes may add their own; `own` where the
   * route reads them itself.
   */
  readonly query?: readonly string[] | 'any' | 'own';
  handle(request: ApiRequest): Outcome | Promise<Outcome>;
}

export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Outcome {
  return ok({ status: 200, headers, content: { kind: 'json', value } });
}

const CONTROL = /\p{Cc}/u;

/** Query parameters, each at most once, percent-decoded (`+` is a space, as forms have it). */
export function parseQuery(search: string): Result<ReadonlyMap<string, string>, Problem> {
  const query = new Map<string, string>();
  for (const part of search.replace(/^\?/, '').split('&')) {
    if (part === '') continue;
    const cut = part.indexOf('=');
    const name = decode(cut === -1 ? part : part.slice(0, cut));
    const value = decode(cut === -1 ? '' : part.slice(cut + 1));
    if (name === undefined || value === undefined) {
      return fail('BAD_REQUEST', 'the query has a percent sign that encodes nothing; write a plain one as %25');
    }
    if (CONTROL.test(name + value)) return fail('BAD_REQUEST', 'the query has a control character; remove it');
    if (query.has(name)) return badField(name, 'comes twice in the query; keep one');
    query.set(name, value);
  }
  return ok(query);
}

/** A parameter that nobody reads was meant to do something: whoever sent it should know that it does not. */
export function checkQuery(query: ReadonlyMap<string, string>, known: Route['query'] = []): Result<true, Problem> {
  if (typeof known === 'string') return ok(true);
  const all = [...known, 'pretty'];
  const unknown = [...query.keys()].find((name) => !all.includes(name));
  return unknown === undefined
    ? ok(true)
    : badField(unknown, `is no parameter of this address; it takes ${all.join(', ')}`);
}

/** The text of an answer: one line, or several for people (`?pretty`). */
export function jsonText(value: unknown, search: string): string {
  const isPretty = /(?:^\?|&)pretty(?:$|[&=])/.test(search) && !/[?&]pretty=(?:0|false)(?:$|&)/.test(search);
  return `${JSON.stringify(value, null, isPretty ? 2 : 0)}\n`;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** Whether a path decodes, and to text without control characters. */
export function isCleanPath(path: string): boolean {
  try {
    return !CONTROL.test(decodeURIComponent(path));
  } catch {
    return false;
  }
}

export function fieldProblem(field: string, reason: string): Problem {
  const shown = field.slice(0, 100);
  return { code: 'BAD_REQUEST', detail: `${shown}: ${reason}`, members: { field: shown } };
}

export function badField(field: string, reason: string): Result<never, Problem> {
  return err(fieldProblem(field, reason));
}

/** A whole number of the query from `least` to `most`; `otherwise` when it is not there. */
export function wholeParameter(
  query: ReadonlyMap<string, string>,
  name: string,
  rule: { readonly least: number; readonly most: number; readonly otherwise: number },
): Result<number, Problem> {
  const text = query.get(name);
  if (text === undefined) return ok(rule.otherwise);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value >= rule.least && value <= rule.most
    ? ok(value)
    : badField(name, `is a whole number from ${rule.least} to ${rule.most}, such as ${rule.otherwise}`);
}

/** A height of the query or the path. */
export function parseHeight(name: string, text: string): Result<Height, Problem> {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? ok(Height(value)) : badField(name, 'is a height: a whole number from 0');
}

/** `wait` of the query in milliseconds: `500ms`, `5s`, `0`. */
export function waitParameter(query: ReadonlyMap<string, string>, otherwise: number): Result<number, Problem> {
  const text = query.get('wait');
  if (text === undefined) return ok(otherwise);
  const match = /^(\d{1,6})(ms|s)$/.exec(text === '0' ? '0ms' : text);
  const waitMs = match === null ? Number.NaN : Number(match[1]) * (match[2] === 's' ? 1_000 : 1);
  return waitMs <= API_WAIT_MS_MAX
    ? ok(waitMs)
    : badField('wait', `is a time up to ${API_WAIT_MS_MAX / 1_000}s with its unit, such as 500ms or 5s`);
}

/** The bytes of a body, or why they are not taken: too many, or an end that never came. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Result<Uint8Array, Problem>> {
  const tooLarge = fail(
    'BODY_TOO_LARGE',
    `at most ${bytesMax} bytes are taken here; send less, or in several requests`,
  );
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  return await new Promise((resolve) => {
    const settle = (result: Result<Uint8Array, Problem>): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      resolve(result);
    };
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size > bytesMax) settle(tooLarge);
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(ok(Buffer.concat(chunks)));
    const onClose = (): void => settle(fail('BAD_REQUEST', 'the body ended early'));
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    // Errors of an aborted request come before its `close`; without a listener they would end the process.
    request.on('error', () => undefined);
  });
}

/** Reads on after an early answer, so that the client sees it and not a reset; a flood is cut off. */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let size = 0;
  request.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > API_DISCARD_BYTES_MAX) request.destroy();
  });
  request.resume();
}
