import { ipv6Groups } from '../lib/address.ts';

const MAPPED_V4 = /^::ffff:([0-9.]+)$/;

/** Whom a rate is charged to: an IPv4 address, or the /64 that one IPv6 customer commonly holds. */
export function chargedAddress(address: string): string {
  const mapped = MAPPED_V4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const groups = ipv6Groups(address.split('%')[0] ?? '');
  if (groups === undefined) return address;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}
