import { randomUUID } from 'node:crypto';
import Router, { type RouterMiddleware } from '@koa/router';
import Koa, { type DefaultContext, type Middleware, type ParameterizedContext } from 'koa';
import { InvariantError } from '../lib/assert.ts';
import { ok, type Result } from '../lib/result.ts';
import { SPARQL_TARGET_BYTES_MAX } from '../model/graph-limits.ts';
import { API_TARGET_BYTES_MAX } from '../model/http-limits.ts';
import {
  type Answer,
  checkQuery,
  discardRest,
  isCleanPath,
  jsonText,
  type Outcome,
  parseQuery,
  type Route,
  readBody,
} from './exchange.ts';
import { checkHost, checkMediaType, checkOperator, isListedOrigin } from './guards.ts';
import { fail, kindOf, type Problem, problemDocument } from './problems.ts';
import { callerOf, type RateLimit } from './rate-limit.ts';
import type { ApiDependencies } from './settings.ts';

/** Answered however much the caller asks: those who watch a node must always see it. */
const PROBES: ReadonlySet<string> = new Set(['/health', '/ready', '/metrics']);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);
const NO_ROUTE = 'unmatched';
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** What the steps of one request leave for each other. */
interface Exchange {
  requestId: string;
  /** The pattern of the route that took it. */
  endpoint: string;
}

type Context = ParameterizedContext<Exchange, DefaultContext, unknown>;
type Step = Middleware<Exchange, DefaultContext, unknown>;

/** The steps from a request line to an answer, in the order in which they may refuse. */
export function createPipeline(
  dependencies: ApiDependencies,
  routes: readonly Route[],
  rateLimit: RateLimit,
  isStopping: () => boolean,
): Koa<Exchange> {
  const app = new Koa<Exchange>();
  const router = new Router<Exchange>({ strict: true, sensitive: true });
  for (const route of routes) router.register(route.path, [route.method.toLowerCase()], serve(route, dependencies));
  app.use(observe(dependencies, isStopping));
  app.use(guard(dependencies, rateLimit));
  app.use(router.routes());
  app.use(fallBack(router));
  // Every failure is logged by `observe`; koa's own handler would print to the terminal.
  app.silent = true;
  return app;
}

/** Gives the request its id, catches what fails, and writes the one line about it. */
function observe({ logger, metrics }: ApiDependencies, isStopping: () => boolean): Step {
  return async (context, next) => {
    const started = performance.now();
    const asked = context.get('x-request-id');
    const exchange = context.state;
    exchange.requestId = REQUEST_ID.test(asked) ? asked : randomUUID();
    exchange.endpoint = NO_ROUTE;
    context.set('x-request-id', exchange.requestId);
    context.set('x-content-type-options', 'nosniff');
    context.res.once('close', () => {
      const seconds = (performance.now() - started) / 1_000;
      const method = METHODS.has(context.method) ? context.method : 'OTHER';
      const status = context.res.statusCode;
      metrics.apiRequest({ method, endpoint: exchange.endpoint, status, seconds });
      const fields = {
        request_id: exchange.requestId,
        method,
        path: context.path.slice(0, 256),
        status,
        duration_ms: Math.round(seconds * 1e5) / 100,
        address: context.ip,
        ...(context.res.writableFinished ? {} : { aborted: true }),
      };
      // Asked every second or so, by machines: a log of that hides what happened.
      if (PROBES.has(context.path)) logger.debug(fields, 'request');
      else logger.info(fields, 'request');
    });
    try {
      await next();
    } catch (error) {
      logger.error({ request_id: exchange.requestId, error: error instanceof Error ? error.stack : error }, 'failed');
      refuse(context, { code: 'INTERNAL_ERROR', detail: 'see the log of the node, under the request_id' });
      // The impossible stops the process, once the caller has been told.
      if (error instanceof InvariantError) context.res.once('close', () => setImmediate(() => raise(error)));
    }
    // Asked last: a connection kept for a next request would hold up the end.
    if (isStopping()) context.set('connection', 'close');
    discardRest(context.req);
  };
}

function raise(error: Error): never {
  throw error;
}

/** What can be said about a request before it is known what it wants. */
function guard({ settings }: ApiDependencies, rateLimit: RateLimit): Step {
  const quota = `"address";q=${settings.limits.requestsBurst};w=${Math.ceil(settings.limits.requestsBurst / settings.limits.requestsPerSecond)}`;
  return async (context, next) => {
    const host = checkHost(context.req.headers.host, settings);
    if (!host.ok) {
      if (context.req.headers.host === undefined) context.set('connection', 'close');
      return refuse(context, host.error);
    }
    if (!PROBES.has(context.path)) {
      const allowance = rateLimit.take(callerOf(context.ip), performance.now());
      context.set('ratelimit-policy', quota);
      context.set('ratelimit', `"address";r=${allowance.remaining};t=${allowance.resetSeconds}`);
      if (!allowance.allowed) {
        context.set('retry-after', String(allowance.retryAfterSeconds));
        return refuse(context, { code: 'RATE_LIMITED', detail: `try again in ${allowance.retryAfterSeconds} s` });
      }
    }
    const target = checkTarget(context.req.url ?? '', context.path);
    if (!target.ok) return refuse(context, target.error);
    allowOrigin(context, settings.origins.length > 0, isListedOrigin(context.req.headers.origin, settings));
    await next();
  };
}

function checkTarget(target: string, path: string): Result<true, Problem> {
  const bytesMax = path === '/sparql' ? SPARQL_TARGET_BYTES_MAX : API_TARGET_BYTES_MAX;
  if (target.length > bytesMax) return fail('TARGET_TOO_LONG', `path and query have at most ${bytesMax} bytes here`);
  if (!isCleanPath(path)) {
    return fail('BAD_REQUEST', 'the path has a percent sign that encodes nothing, or a control character');
  }
  return ok(true);
}

/** CORS: off unless origins are listed, and then for those alone. */
function allowOrigin(context: Context, isOn: boolean, isListed: boolean): void {
  if (isOn) context.vary('Origin');
  if (!isListed) return;
  context.set('access-control-allow-origin', context.get('origin'));
  context.set(
    'access-control-expose-headers',
    'etag, location, retry-after, ratelimit, idempotency-replayed, x-request-id, counterfoil-height',
  );
  if (context.method !== 'OPTIONS') return;
  context.set('access-control-allow-methods', 'GET, HEAD, POST');
  context.set(
    'access-control-allow-headers',
    'authorization, content-type, idempotency-key, if-none-match, x-request-id',
  );
  context.set('access-control-max-age', '600');
}

function serve(route: Route, { settings, logger }: ApiDependencies): RouterMiddleware<Exchange> {
  return async (context) => {
    context.state.endpoint = route.path;
    const outcome = await handle(route, context, settings);
    if (outcome.ok) return answer(context, outcome.value);
    refuse(context, outcome.error);
    if (kindOf(outcome.error.code).status === 500) {
      logger.error({ request_id: context.state.requestId, detail: outcome.error.detail }, 'failed');
    }
  };
}

async function handle(
  route: Route,
  context: Context & { params: Record<string, string> },
  settings: ApiDependencies['settings'],
): Promise<Outcome> {
  const { headers } = context.req;
  if (route.isOperators) {
    const isOpen = settings.devnet && route.isOpenOnDevnets !== false;
    const operator = checkOperator(headers, { ...settings, devnet: isOpen });
    if (!operator.ok) return operator;
  }
  const query = parseQuery(route.query === 'own' ? '' : context.search);
  if (!query.ok) return query;
  const known = checkQuery(query.value, route.query);
  if (!known.ok) return known;
  let body: Uint8Array = new Uint8Array();
  if (route.body !== undefined) {
    const media = checkMediaType(headers, route.body, `http://${context.host}${context.path}`);
    if (!media.ok) return media;
    const read = await readBody(context.req, route.body.bytesMax);
    if (!read.ok) return read;
    body = read.value;
  }
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return await route.handle({
    params: context.params,
    query: query.value,
    search: context.search,
    caller: callerOf(context.ip),
    isGone: () => context.res.destroyed,
    body,
    header,
  });
}

function answer(context: Context, { status, headers = {}, content }: Answer): void {
  context.status = status;
  setHeaders(context, headers);
  if (!context.response.get('cache-control')) {
    context.set('cache-control', context.response.get('etag') ? 'no-cache' : 'no-store');
  }
  if (content.kind === 'bytes') {
    context.type = content.mediaType;
    context.body = Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.bytes.byteLength);
  } else {
    writeJson(context, 'application/json; charset=utf-8', content.value);
  }
  const isRead = context.method === 'GET' || context.method === 'HEAD';
  if (isRead && status === 200 && matchesTag(context.get('if-none-match'), context.response.get('etag'))) {
    context.status = 304;
  }
}

/** `Vary` grows: what an answer varies by comes beside the origin. */
function setHeaders(context: Context, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'vary') context.vary(value);
    else context.set(name, value);
  }
}

/**
 * RFC 9110 §13.1.2, by weak comparison. Koa's own answer also heeds `Cache-Control: no-cache`, which is a word to caches
 * that browsers add to every conditional request.
 */
function matchesTag(asked: string, tag: string): boolean {
  if (tag === '' || asked === '') return false;
  const opaque = (text: string): string => text.trim().replace(/^W\//, '');
  return asked.split(',').some((one) => one.trim() === '*' || opaque(one) === opaque(tag));
}

function refuse(context: Context, problem: Problem): void {
  const { status, retryAfterSeconds } = kindOf(problem.code);
  context.status = status;
  context.set('cache-control', 'no-store');
  if (retryAfterSeconds !== undefined) context.set('retry-after', String(retryAfterSeconds));
  setHeaders(context, problem.headers ?? {});
  writeJson(context, 'application/problem+json', problemDocument(problem, context.state.requestId));
}

function writeJson(context: Context, mediaType: string, value: unknown): void {
  context.body = jsonText(value, context.search);
  context.type = mediaType;
}

/** Nothing took it: a wrong method, a question about methods, or a wrong address. */
function fallBack(router: Router<Exchange>): Step {
  return (context) => {
    const layers = router.match(context.path, context.method).path;
    const methods = [...new Set(layers.flatMap((layer) => layer.methods))];
    if (methods.length === 0) {
      return refuse(context, {
        code: 'NO_SUCH_ROUTE',
        detail: 'see GET /api/v1/status, or the list of routes in docs/operations.md',
      });
    }
    const allow = [...methods, 'OPTIONS'].sort().join(', ');
    context.set('allow', allow);
    if (context.method === 'OPTIONS') {
      context.status = 204;
      return;
    }
    refuse(context, { code: 'METHOD_NOT_ALLOWED', detail: `this address takes ${allow}` });
  };
}
