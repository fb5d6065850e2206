import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, ipv4Octets, ipv6Groups, parseAddress } from '../../../src/lib/address.ts';

const v6ish = fc
  .array(fc.constantFrom('0', '1', 'ffff', '2001', 'db8', '', ':', '1.2.3.4', 'g', '12345', '256.1.1.1'), {
    maxLength: 10,
  })
  .map((parts) => parts.join(':'));

describe('addresses', () => {
  it('read as IPv6 exactly what the system does', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), v6ish), (text) => {
        expect(ipv6Groups(text) !== undefined).toBe(isIPv6(text));
        expect(ipv6Groups(text)?.length ?? 8).toBe(8);
      }),
      { numRuns: 2_000 },
    );
  });

  it('read as IPv4 exactly what the system does', () => {
    const octet = fc.constantFrom('0', '00', '1', '01', '99', '199', '255', '256', '300', '');
    const v4ish = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), v4ish), (text) => {
        expect(ipv4Octets(text) !== undefined).toBe(isIPv4(text));
      }),
    );
  });

  it('expand the short forms', () => {
    expect(ipv6Groups('::')).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(ipv6Groups('2001:db8::1')).toEqual([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);
    expect(ipv6Groups('::ffff:10.1.2.3')).toEqual([0, 0, 0, 0, 0, 0xffff, 0x0a01, 0x0203]);
  });

  it('come back from what they format', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('localhost', 'node-1.example.org'));
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        expect(parseAddress(formatAddress(name, port))).toEqual({ host: name, port });
      }),
    );
  });
});
