import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../../src/lib/bytes.ts';
import { Height, PublicKey, Signature } from '../../../src/model/ids.ts';
import { HELLO_BYTES_MAX } from '../../../src/model/limits.ts';
import { REFUSALS } from '../../../src/network/transport.ts';
import {
  decodeFrame,
  decodeHello,
  encodeError,
  encodeHello,
  encodeMessage,
  encodePing,
  type Hello,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  proofBytes,
} from '../../../src/network/wire.ts';
import { CHAIN, OTHER_CHAIN } from './harness.ts';

const HELLO: Hello = {
  protocolMajor: PROTOCOL_MAJOR,
  protocolMinor: PROTOCOL_MINOR,
  networkId: 'league-2031',
  genesisHash: CHAIN,
  role: 'authority',
  listenAddress: '[2001:db8::1]:30303',
  headHeight: Height(12),
  headHash: OTHER_CHAIN,
  version: '0.1.0',
  authorityProof: { publicKey: PublicKey('ab'.repeat(32)), signature: Signature('cd'.repeat(64)) },
};

const payloadOf = (hello: Hello): Uint8Array => encodeHello(hello).subarray(1);

describe('a hello', () => {
  test.each([
    HELLO,
    { ...HELLO, role: 'observer' } as const,
    { ...HELLO, role: 'follower', listenAddress: null, authorityProof: null } as const,
  ])('is read as it was written', (hello) => {
    const frame = decodeFrame(encodeHello(hello));
    expect(frame).toMatchObject({ ok: true, value: { kind: 'hello' } });
    expect(decodeHello(payloadOf(hello))).toEqual({ ok: true, value: hello });
  });

  test('with every text at its limit is within its bound', () => {
    const longest = {
      ...HELLO,
      networkId: 'n'.repeat(64),
      version: 'v'.repeat(64),
      listenAddress: `${'h'.repeat(253)}:65535`,
    };
    expect(payloadOf(longest).length).toBeLessThan(HELLO_BYTES_MAX);
    expect(decodeHello(payloadOf(longest)).ok).toBe(true);
  });

  test('is refused at every length but its own', () => {
    const payload = payloadOf(HELLO);
    for (let length = 0; length < payload.length; length += 1) {
      expect(decodeHello(payload.subarray(0, length))).toEqual({ ok: false, error: 'MALFORMED_HELLO' });
    }
    expect(decodeHello(concat(payload, Uint8Array.of(0)))).toEqual({ ok: false, error: 'MALFORMED_HELLO' });
    expect(decodeHello(concat(payload, new Uint8Array(HELLO_BYTES_MAX)))).toEqual({
      ok: false,
      error: 'MALFORMED_HELLO',
    });
  });

  test('of another protocol major is told so, whatever follows', () => {
    expect(decodeHello(Uint8Array.of(PROTOCOL_MAJOR - 1, 0, 0xff, 0xff))).toEqual({
      ok: false,
      error: 'PROTOCOL_MISMATCH',
    });
  });

  test('with one bit turned is refused or says something else: nothing of it is ignored', () => {
    const payload = payloadOf(HELLO);
    for (let bit = 0; bit < 8 * payload.length; bit += 1) {
      const turned = payload.slice();
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const hello = decodeHello(turned);
      if (hello.ok) expect(payloadOf(hello.value)).toEqual(turned);
    }
  });
});

describe('a frame', () => {
  test('carries a message as a copy on both sides', () => {
    const message = Uint8Array.of(1, 2, 3);
    const encoded = encodeMessage(message);
    message[0] = 9;
    const decoded = decodeFrame(encoded);
    encoded[1] = 9;
    expect(decoded).toEqual({ ok: true, value: { kind: 'message', frame: Uint8Array.of(1, 2, 3) } });
  });

  test('carries an empty message', () => {
    expect(decodeFrame(encodeMessage(new Uint8Array(0)))).toEqual({
      ok: true,
      value: { kind: 'message', frame: new Uint8Array(0) },
    });
  });

  test('carries pings and pongs', () => {
    for (const kind of ['ping', 'pong'] as const) {
      expect(decodeFrame(encodePing(kind, 0xfffffffe))).toEqual({ ok: true, value: { kind, nonce: 0xfffffffe } });
    }
  });

  test('carries every reason to refuse, at a place that never changes', () => {
    for (const refusal of REFUSALS) {
      expect(decodeFrame(encodeError(refusal))).toEqual({ ok: true, value: { kind: 'error', refusal } });
    }
    expect(encodeError('WRONG_NETWORK')).toEqual(Uint8Array.of(1, 0));
    expect(encodeError('FLOOD')).toEqual(Uint8Array.of(1, 10));
    expect(encodeError('STOPPING')).toEqual(Uint8Array.of(1, 14));
    expect(encodeError('SEAT_TAKEN')).toEqual(Uint8Array.of(1, 15));
  });

  test.each([
    ['empty', []],
    ['of an unknown kind', [5]],
    ['an error without a code', [1]],
    ['an error with an unknown code', [1, 200]],
    ['an error with bytes behind it', [1, 0, 0]],
    ['a ping that is too short', [2, 0, 0, 0]],
    ['a pong that is too long', [3, 0, 0, 0, 0, 0]],
  ])('is malformed: %s', (_, bytes) => {
    expect(decodeFrame(Uint8Array.from(bytes))).toEqual({ ok: false, error: { code: 'MALFORMED_FRAME' } });
  });
});

test('whatever bytes come, reading them ends in an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const frame = decodeFrame(bytes);
      if (frame.ok && frame.value.kind === 'message') expect(encodeMessage(frame.value.frame)).toEqual(bytes);
      const hello = decodeHello(bytes);
      if (hello.ok) expect(payloadOf(hello.value)).toEqual(bytes);
    }),
  );
});

test('what an authority signs differs by chain, side, node and channel, and by nothing that could be confused', () => {
  const key = new Uint8Array(32).fill(1);
  const binding = new Uint8Array(32).fill(2);
  const messages = [
    proofBytes(CHAIN, 'outbound', key, binding),
    proofBytes(OTHER_CHAIN, 'outbound', key, binding),
    proofBytes(CHAIN, 'inbound', key, binding),
    proofBytes(CHAIN, 'outbound', binding, binding),
    proofBytes(CHAIN, 'outbound', key, key),
  ];
  expect(new Set(messages.map(String)).size).toBe(messages.length);
  expect(messages.map(({ length }) => length)).toEqual([117, 117, 117, 117, 117]);
  expect(new TextDecoder().decode(messages[0]?.subarray(0, 20))).toBe('counterfoil/2/HELLO\0');
});
