import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { certifiedIdentity, createIdentity } from '../../../src/network/identity.ts';
import { Cleanup, createAuthority, createIdentities, until } from './harness.ts';
import { hostAndPort, listenRaw, strangeCertificate, tlsOutcome } from './raw-peer.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const NOW = Date.UTC(2030, 0, 1);
/** RFC 8032 §7.1, test 1. */
const SECRET = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

describe('the certificate of a node', () => {
  test('carries the public key of the RFC 8032 vector, and is an identity for OpenSSL and for us', () => {
    const identity = createIdentity(Buffer.from(SECRET, 'hex'));
    const certificate = new X509Certificate(String(identity.tls.cert));
    expect(identity.id).toBe(PUBLIC);
    expect(certificate.subject).toBe(`CN=${PUBLIC}`);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certifiedIdentity(certificate, NOW)).toEqual({ ok: true, value: PUBLIC });
  });

  test('is a new one at each start, of the same identity', () => {
    const serials = [1, 2].map(() => {
      const { tls } = createIdentity(Buffer.from(SECRET, 'hex'));
      return new X509Certificate(String(tls.cert)).serialNumber;
    });
    expect(serials[0]).not.toBe(serials[1]);
  });
});

describe('an identity is refused', () => {
  const refusal = (cert: string, nowMs = NOW): string => {
    const identity = certifiedIdentity(new X509Certificate(cert), nowMs);
    return identity.ok ? identity.value : identity.error.reason;
  };

  test('without a certificate', () => {
    expect(certifiedIdentity(undefined, NOW)).toMatchObject({ ok: false, error: { code: 'BAD_IDENTITY' } });
  });

  test.each([
    ['rsa', 'its key is rsa, not ed25519'],
    ['ec', 'its key is ec, not ed25519'],
  ] as const)('with an %s key', (kind, reason) => {
    expect(refusal(strangeCertificate(kind).cert)).toBe(reason);
  });

  test('with a certificate of another time', () => {
    const { cert } = strangeCertificate('ed25519', { notAfter: '20290101000000Z' });
    expect(refusal(cert)).toBe('its certificate is not valid now');
    expect(refusal(cert, Date.UTC(2028, 0, 1))).toMatch(/^[0-9a-f]{64}$/);
  });

  test('with a certificate that another key signed', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(refusal(strangeCertificate('ed25519', { signedBy: privateKey }).cert)).toBe(
      'its certificate is not signed by its own key',
    );
  });
});

describe('a listening node', () => {
  const listening = async () => {
    const [identity = createIdentity(randomBytes(32))] = createIdentities(1);
    const node = await cleanup.node({ identity, authority: createAuthority() });
    node.mesh.setAuthorities([node.contact()]);
    return node;
  };

  test('lets nobody in without an Ed25519 certificate', async () => {
    const node = await listening();
    const strangers = [{}, strangeCertificate('rsa'), strangeCertificate('ec')];
    for (const tls of strangers) await tlsOutcome(node.address, tls);
    await until(() => node.refusals.length === strangers.length, 'all are refused');
    expect(node.refusals).toEqual(strangers.map(() => 'BAD_IDENTITY by us'));
    expect(node.mesh.pendingConnections).toBe(0);
  });

  test('speaks nothing older than TLS 1.3', async () => {
    const node = await listening();
    const [identity] = createIdentities(1);
    const outcome = await tlsOutcome(node.address, { ...identity?.tls, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    expect(outcome).toBe('failed');
  });

  test('resumes no session, so that each connection shows its certificate', async () => {
    const node = await listening();
    const [identity] = createIdentities(1);
    const sessions: Buffer[] = [];
    const open = async (session?: Buffer): Promise<TLSSocket> => {
      const socket = connect({
        ...hostAndPort(node.address),
        ...identity?.tls,
        rejectUnauthorized: false,
        ...(session === undefined ? {} : { session }),
      });
      socket.on('session', (ticket) => sessions.push(ticket));
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
      return cleanup.add(socket, (opened) => opened.destroy());
    };
    const first = await open();
    // Tickets come after the handshake; an answer to a request comes after the tickets.
    first.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise<void>((resolve) => first.once('data', () => resolve()));
    for (const session of [...sessions]) expect((await open(session)).isSessionReused()).toBe(false);
    expect(sessions.length).toBeGreaterThan(0);
  });
});

test.each(['rsa', 'ec'] as const)('a dialling node leaves a listener with an %s certificate alone', async (kind) => {
  const opened: unknown[] = [];
  const stranger = await listenRaw(strangeCertificate(kind), (ws) => opened.push(ws));
  cleanup.add(stranger, ({ close }) => close());
  const [identity = createIdentity(randomBytes(32))] = createIdentities(1);
  const node = await cleanup.node({ identity, authority: createAuthority() });
  node.mesh.setAuthorities([node.contact(), { publicKey: createAuthority().publicKey, address: stranger.address }]);
  await until(() => node.refusals.length > 0, 'the dial fails');
  expect(node.refusals[0]).toBe('UNREACHABLE by them');
  expect(opened).toEqual([]);
});
