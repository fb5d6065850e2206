/** Where a node can be reached. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+)):([1-9][0-9]{0,4})$/;
const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** Reads `host:port` or `[v6]:port`; undefined when `text` is neither. */
export function parseAddress(text: string): HostAndPort | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const [, v6, name, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (v6 !== undefined) return ipv6Groups(v6) === undefined ? undefined : { host: v6, port };
  return name !== undefined && HOST.test(name) ? { host: name, port } : undefined;
}

/** The text that `parseAddress` reads. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The four numbers of a dotted IPv4 address; undefined when `host` is none. */
export function ipv4Octets(host: string): readonly number[] | undefined {
  return IPV4.test(host) ? host.split('.').map(Number) : undefined;
}

/** The eight numbers of an IPv6 address without zone (RFC 4291 §2.2); undefined when `host` is none. */
export function ipv6Groups(host: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = host.split('::');
  if (more.length > 0) return undefined;
  const front = head === '' ? [] : head.split(':');
  if (tail === undefined) return groupsOf(front, 8);
  const back = tail === '' ? [] : tail.split(':');
  // "::" stands for one group of zeros at least.
  const first = groupsOf(front);
  const last = groupsOf(back);
  if (first === undefined || last === undefined || front.some((part) => part.includes('.'))) return undefined;
  const missing = 8 - first.length - last.length;
  return missing < 1 ? undefined : [...first, ...Array<number>(missing).fill(0), ...last];
}

/** The last part may be a dotted IPv4 address, which makes two groups. */
function groupsOf(parts: readonly string[], count?: number): readonly number[] | undefined {
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const [a = 0, b = 0, c = 0, d = 0] = (index === parts.length - 1 ? ipv4Octets(part) : undefined) ?? [-1];
    if (a < 0) return undefined;
    groups.push(256 * a + b, 256 * c + d);
  }
  return count === undefined || groups.length === count ? groups : undefined;
}
