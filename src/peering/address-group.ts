/**
 * Whom to know, what to pass on, how to catch up, as pure steps.
 * This file says which addresses are likely in one hand.
 */
import { formatAddress, type HostAndPort, ipv4Octets, ipv6Groups, parseAddress } from '../lib/address.ts';

/** Who can reach an address: processes of one machine, machines of one site, everybody. */
const SCOPES = ['loopback', 'private', 'public'] as const;
type Scope = (typeof SCOPES)[number];

export interface AddressOrigin {
  /** What one operator can easily have all of: see `originOf`. */
  readonly group: string;
  readonly scope: Scope;
}

/**
 * Where an address lies; undefined when `text` is no `host:port`. A group is a public IPv4 /16 or IPv6 /32, a private
 * /24 or /64, the domain above a host's name, and on loopback every port for itself: a network on one machine is no
 * attack on itself.
 */
export function originOf(text: string): AddressOrigin | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  const v4 = ipv4Octets(address.host);
  if (v4 !== undefined) return originOfV4(v4, address);
  const v6 = ipv6Groups(address.host);
  return v6 === undefined ? originOfName(address) : originOfV6(v6, address);
}

/** The group of an address; what is none is a group of its own. */
export function groupOf(text: string): string {
  return originOf(text)?.group ?? text;
}

function loopback({ host, port }: HostAndPort): AddressOrigin {
  return { group: formatAddress(host, port), scope: 'loopback' };
}

function originOfV4(octets: readonly number[], address: HostAndPort): AddressOrigin {
  const [a = 0, b = 0, c = 0] = octets;
  if (a === 127 || a === 0) return loopback(address);
  // RFC 1918, RFC 3927, RFC 6598.
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128);
  return isPrivate ? { group: `${a}.${b}.${c}`, scope: 'private' } : { group: `${a}.${b}`, scope: 'public' };
}

function originOfV6(groups: readonly number[], address: HostAndPort): AddressOrigin {
  const [first = 0, second = 0] = groups;
  const [mapped = 0, high = 0, low = 0] = groups.slice(5);
  const isZeroUpToMapped = groups.slice(0, 5).every((group) => group === 0);
  if (isZeroUpToMapped && mapped === 0 && high === 0 && low <= 1) return loopback(address);
  if (isZeroUpToMapped && mapped === 0xffff) {
    return originOfV4([high >> 8, high & 255, low >> 8, low & 255], address);
  }
  const hex = (count: number): string =>
    groups
      .slice(0, count)
      .map((group) => group.toString(16))
      .join(':');
  // RFC 4193, RFC 4291 §2.5.6.
  const isPrivate = (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
  if (isPrivate) return { group: hex(4), scope: 'private' };
  // RFC 3056: the IPv4 address behind 6to4 says who it is.
  if (first === 0x2002) return { group: `${second >> 8}.${second & 255}`, scope: 'public' };
  return { group: hex(2), scope: 'public' };
}

function originOfName(address: HostAndPort): AddressOrigin {
  const labels = address.host
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
  if (labels.at(-1) === 'localhost') return loopback(address);
  return { group: labels.length > 2 ? labels.slice(1).join('.') : labels.join('.'), scope: 'public' };
}

/**
 * Whether somebody at one place can know another from experience. Nobody far away makes this node dial into its own
 * machine or its own site.
 */
export function isTellable(told: AddressOrigin, teller: AddressOrigin): boolean {
  return SCOPES.indexOf(told.scope) >= SCOPES.indexOf(teller.scope);
}
