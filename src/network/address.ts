import { isIPv6 } from 'node:net';

/** Where a node can be reached. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+)):([1-9][0-9]{0,4})$/;

/** Reads `host:port` or `[v6]:port`; undefined when `text` is neither. */
export function parseAddress(text: string): HostAndPort | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : undefined;
  return name !== undefined && HOST.test(name) ? { host: name, port } : undefined;
}

/** The text that `parseAddress` reads. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const MAPPED_V4 = /^::ffff:([0-9.]+)$/;

/** Whom a rate is charged to: an IPv4 address, or the /64 that one IPv6 customer commonly holds. */
export function chargedAddress(address: string): string {
  const mapped = MAPPED_V4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return `${all.slice(0, 4).join(':')}::/64`;
}
