import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { concat, utf8 } from '../lib/bytes.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const VERSION = 0xa0;

/** 1.3.101.112 (RFC 8410 §3) and 2.5.4.3, commonName. */
const ID_ED25519 = Uint8Array.of(0x2b, 0x65, 0x70);
const ID_COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03);
/** RFC 5280 §4.1.2.5: the value for "no well-defined expiration". Peers compare keys; a clock must not lock them out. */
const NOT_BEFORE = '700101000000Z';
const NOT_AFTER = '99991231235959Z';

/** One DER element. Contents are below 64 KiB here. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concat(...contents);
  const { length } = body;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), body);
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), body);
  return concat(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), body);
}

/** Twenty octets at most, positive and not zero (RFC 5280 §4.1.2.2). */
function serialNumber(): Uint8Array {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/**
 * A self-signed X.509 v3 certificate of an Ed25519 key (RFC 5280, RFC 8410), as PEM.
 * Written out by hand: the layout is fixed and has no extensions, so a certificate library would only add weight.
 */
export function selfSignedCertificate(privateKey: KeyObject, commonName: string): string {
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ID_ED25519));
  const attribute = der(SEQUENCE, der(OBJECT_IDENTIFIER, ID_COMMON_NAME), der(UTF8_STRING, utf8(commonName)));
  const name = der(SEQUENCE, der(SET, attribute));
  const validity = der(SEQUENCE, der(UTC_TIME, utf8(NOT_BEFORE)), der(GENERALIZED_TIME, utf8(NOT_AFTER)));
  const key = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const version = der(VERSION, der(INTEGER, Uint8Array.of(2)));
  const body = der(SEQUENCE, version, der(INTEGER, serialNumber()), algorithm, name, validity, name, key);
  const signature = sign(null, body, privateKey);
  return pem(der(SEQUENCE, body, algorithm, der(BIT_STRING, Uint8Array.of(0), signature)));
}

/** RFC 7468 §5. */
export function pem(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
