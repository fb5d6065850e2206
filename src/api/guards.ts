import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { err, ok, type Result } from '../lib/result.ts';
import type { BodyRule } from './exchange.ts';
import { fail, type Problem } from './problems.ts';
import type { ApiSettings } from './settings.ts';
import { NO_HOST } from './unreadable.ts';

/** Addresses that mean every one of this machine's. */
export const WILDCARDS: readonly string[] = ['0.0.0.0', '::', ''];

/** The name in a `Host` header, without port, brackets and final dot; undefined when it is not one. */
function hostName(host: string): string | undefined {
  const bracketed = /^\[([0-9a-f:.]{2,45})\](?::\d{1,5})?$/i.exec(host)?.[1];
  if (bracketed !== undefined) return bracketed.toLowerCase();
  return /^([a-z0-9_.-]{1,253}?)\.?(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** Keeps a page elsewhere from reaching this node under a name of its own that it points here (DNS rebinding). */
export function checkHost(host: string | undefined, settings: ApiSettings): Result<string, Problem> {
  if (host === undefined) return err(NO_HOST);
  const name = hostName(host);
  if (name !== undefined) {
    const own = WILDCARDS.includes(settings.host) ? [] : [settings.host.toLowerCase()];
    const listed = [...own, ...settings.hosts.map((one) => one.toLowerCase())];
    if (isLoopback(name) || listed.includes(name)) return ok(host);
  }
  return fail(
    'WRONG_HOST',
    'ask for this node as localhost, or list the name under [api] allowed_hosts of its config.toml',
  );
}

/** Whether a page of this origin may read our answers. */
export function isListedOrigin(origin: string | undefined, settings: ApiSettings): origin is string {
  return origin !== undefined && settings.origins.includes(origin);
}

/** A browser lets any page open a WebSocket anywhere, so the server has to look at who asks. */
export function checkSocketOrigin(headers: IncomingHttpHeaders, settings: ApiSettings): Result<true, Problem> {
  const { origin, host } = headers;
  if (origin === undefined || isListedOrigin(origin, settings)) return ok(true);
  const own = /^https?:\/\/(.+)$/i.exec(origin)?.[1];
  if (own !== undefined && own.toLowerCase() === host?.toLowerCase()) return ok(true);
  return fail('ORIGIN_NOT_ALLOWED', 'list the origin of the page under [api] cors_origins of config.toml');
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

/** Whether the caller is the operator, in a time that does not tell how much of the token was right. */
export function checkOperator(headers: IncomingHttpHeaders, settings: ApiSettings): Result<true, Problem> {
  if (settings.devnet) return ok(true);
  if (settings.operatorToken === null) {
    return fail(
      'READ_ONLY',
      'this node has no operator token: make one with counterfoil init, or sign with a client key',
    );
  }
  const given = /^bearer +([^\s]+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(settings.operatorToken))) return ok(true);
  return err({
    code: 'UNAUTHORIZED',
    detail: 'send the header Authorization: Bearer with what keys/operator.token of the node holds',
    headers: { 'www-authenticate': 'Bearer realm="counterfoil"' },
  });
}

function printable(header: string | undefined): string {
  return (header ?? '').replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

/**
 * A page can post anything but JSON and octets to any node without asking, so a body must say what it is. The detail
 * ends with the command that would have worked.
 */
export function checkMediaType(headers: IncomingHttpHeaders, rule: BodyRule, url: string): Result<true, Problem> {
  const [given = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if ([rule.mediaType, ...(rule.alsoTakes ?? [])].includes(given) && isUtf8) {
    return (headers['content-encoding'] ?? 'identity') === 'identity'
      ? ok(true)
      : fail('UNSUPPORTED_MEDIA_TYPE', 'send the body as it is, without content-encoding');
  }
  const data = rule.mediaType === 'application/json' ? `-d '${rule.example}'` : `--data-binary @${rule.example}`;
  const said =
    given === '' ? 'the body has no content type' : `the body says it is ${printable(headers['content-type'])}`;
  const command = `curl ${url} -H 'content-type: ${rule.mediaType}' ${data}`;
  return fail('UNSUPPORTED_MEDIA_TYPE', `${said}, and ${rule.mediaType} is taken here: ${command}`);
}
