import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto';
import { fromHex, toHex, utf8 } from '../../lib/bytes.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { isHex, PublicKey } from '../../model/ids.ts';
import { KEY_KINDS, type KeyKind, type KeyPair, publicKeyOf, SECRET_KEY_BYTES } from './key-pair.ts';

export interface KeyFileFault {
  readonly code:
    | 'KEY_MISSING'
    | 'KEY_EXISTS'
    | 'KEY_READABLE_BY_OTHERS'
    | 'KEY_ENCRYPTED'
    | 'WRONG_PASSPHRASE'
    | 'KEY_MALFORMED'
    | 'KEY_KIND';
  /** A sentence for people; never holds anything secret. */
  readonly reason: string;
}

/** What a key file says without its passphrase. */
export interface KeyFileHeader {
  readonly kind: KeyKind;
  readonly publicKey: PublicKey;
  readonly isEncrypted: boolean;
}

export interface Key extends KeyPair {
  readonly kind: KeyKind;
}

/** How the secret is kept: in the open only when somebody asked for that. */
export type Protection =
  | { readonly kind: 'no-passphrase' }
  | {
      readonly kind: 'passphrase';
      readonly passphrase: string;
      readonly randomBytes: (count: number) => Uint8Array;
      /** Cost of a guess, as log2 of scrypt's N; 17 unless told otherwise. */
      readonly costLog2?: number;
    };

const FORMAT = 'counterfoil-key';
const VERSION = 1;
const CIPHER = 'aes-256-gcm';
/** OWASP's parameters for scrypt: 128 MiB and a third of a second for each guess. */
const COST_LOG2 = 17;
/** A file cannot ask for more memory than this, nor be cheap to guess. */
const COST_LOG2_MIN = 14;
const COST_LOG2_MAX = 18;
const BLOCK_SIZE = 8;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Envelope {
  readonly cost_log2: number;
  readonly salt: string;
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/** A key file read but not yet opened. */
interface SealedKey {
  readonly header: KeyFileHeader;
  readonly secret: { readonly plain: Uint8Array } | { readonly envelope: Envelope };
}

/** The text of a key file. */
export function formatKey(key: Key, protection: Protection): string {
  const secret =
    protection.kind === 'no-passphrase'
      ? { secret_key: toHex(key.secretKey) }
      : { encrypted_secret_key: seal(key, protection) };
  const { kind, publicKey } = key;
  return `${JSON.stringify({ format: FORMAT, version: VERSION, kind, public_key: publicKey, ...secret }, null, 2)}\n`;
}

function seal(key: Key, protection: Extract<Protection, { kind: 'passphrase' }>): Envelope {
  const salt = toHex(protection.randomBytes(SALT_BYTES));
  const nonce = toHex(protection.randomBytes(NONCE_BYTES));
  const opened = { cost_log2: protection.costLog2 ?? COST_LOG2, salt, nonce };
  const cipher = createCipheriv(CIPHER, derive(protection.passphrase, opened), hexOf(nonce));
  cipher.setAAD(boundBytes(key, opened));
  const ciphertext = Buffer.concat([cipher.update(key.secretKey), cipher.final()]);
  return { ...opened, ciphertext: toHex(ciphertext), tag: toHex(cipher.getAuthTag()) };
}

/** Every field that means something is under the tag: none can be exchanged for another. */
function boundBytes(
  header: Pick<KeyFileHeader, 'kind' | 'publicKey'>,
  opened: Pick<Envelope, 'cost_log2' | 'salt' | 'nonce'>,
): Uint8Array {
  const { cost_log2, salt, nonce } = opened;
  return utf8(JSON.stringify([FORMAT, VERSION, header.kind, header.publicKey, cost_log2, salt, nonce]));
}

/** RFC 7914. The same passphrase typed on another keyboard has other code points: both are brought to one form first. */
function derive(passphrase: string, { cost_log2, salt }: Pick<Envelope, 'cost_log2' | 'salt'>): Uint8Array {
  const N = 2 ** cost_log2;
  const maxmem = 2 * 128 * N * BLOCK_SIZE;
  return scryptSync(passphrase.normalize('NFKC'), hexOf(salt), 32, { N, r: BLOCK_SIZE, p: 1, maxmem });
}

function hexOf(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array();
}

function malformed(reason: string): { readonly ok: false; readonly error: KeyFileFault } {
  return err({ code: 'KEY_MALFORMED', reason });
}

/** What the text of a key file says without its passphrase. */
export function parseKeyHeader(text: string): Result<KeyFileHeader, KeyFileFault> {
  const sealed = parseSealedKey(text);
  return sealed.ok ? ok(sealed.value.header) : sealed;
}

/**
 * The key that the text of a key file holds. Takes a third of a second when it is encrypted.
 *
 * @param passphrase ignored when it is not
 * @param kind what the key must be for; any when left out
 */
export function parseKey(text: string, passphrase?: string, kind?: KeyKind): Result<Key, KeyFileFault> {
  const sealed = parseSealedKey(text);
  if (!sealed.ok) return sealed;
  const found = sealed.value.header.kind;
  return kind === undefined || found === kind
    ? openKey(sealed.value, passphrase)
    : err({ code: 'KEY_KIND', reason: `a key of kind ${found}, not ${kind}` });
}

function parseSealedKey(text: string): Result<SealedKey, KeyFileFault> {
  const document = parseJson(text);
  if (document === undefined) return malformed('a key file is a JSON object');
  if (document['format'] !== FORMAT) return malformed(`a key file says "format": "${FORMAT}"`);
  if (document['version'] !== VERSION) return malformed(`only version ${VERSION} of key files is known here`);
  const kind = KEY_KINDS.find((known) => known === document['kind']);
  if (kind === undefined) return malformed(`"kind" is one of ${KEY_KINDS.join(', ')}`);
  const publicKey = document['public_key'];
  if (!isHexField(publicKey, 32)) return malformed('"public_key" is 64 characters of lower-case hex');
  const secret = parseSecret(document);
  if (secret === undefined) return malformed('the secret part is incomplete or out of bounds');
  const known = new Set(['format', 'version', 'kind', 'public_key', 'secret_key', 'encrypted_secret_key']);
  if (Object.keys(document).some((name) => !known.has(name))) return malformed('a field that key files do not have');
  const header = { kind, publicKey: PublicKey(publicKey), isEncrypted: 'envelope' in secret };
  return ok({ header, secret });
}

function parseSecret(document: Record<string, unknown>): SealedKey['secret'] | undefined {
  const { secret_key: plain, encrypted_secret_key: envelope } = document;
  if (isHexField(plain, SECRET_KEY_BYTES) && envelope === undefined) return { plain: hexOf(plain) };
  if (plain !== undefined || !isRecord(envelope)) return undefined;
  const { cost_log2, salt, nonce, ciphertext, tag, ...others } = envelope;
  const isCost = typeof cost_log2 === 'number' && Number.isInteger(cost_log2);
  if (!isCost || cost_log2 < COST_LOG2_MIN || cost_log2 > COST_LOG2_MAX || Object.keys(others).length > 0)
    return undefined;
  if (!isHexField(salt, SALT_BYTES) || !isHexField(nonce, NONCE_BYTES)) return undefined;
  if (!isHexField(ciphertext, SECRET_KEY_BYTES) || !isHexField(tag, TAG_BYTES)) return undefined;
  return { envelope: { cost_log2, salt, nonce, ciphertext, tag } };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHexField(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && isHex(value, bytes);
}

function openKey(sealed: SealedKey, passphrase: string | undefined): Result<Key, KeyFileFault> {
  const secretKey = secretOf(sealed, passphrase);
  if (!secretKey.ok) return secretKey;
  const { kind, publicKey } = sealed.header;
  if (publicKeyOf(secretKey.value) !== publicKey) return malformed('the secret key is not that of the public key');
  return ok({ kind, publicKey, secretKey: secretKey.value });
}

function secretOf({ header, secret }: SealedKey, passphrase: string | undefined): Result<Uint8Array, KeyFileFault> {
  if ('plain' in secret) return ok(secret.plain);
  if (passphrase === undefined) return err({ code: 'KEY_ENCRYPTED', reason: 'this key needs its passphrase' });
  const { envelope } = secret;
  const decipher = createDecipheriv(CIPHER, derive(passphrase, envelope), hexOf(envelope.nonce));
  decipher.setAAD(boundBytes(header, envelope)).setAuthTag(hexOf(envelope.tag));
  try {
    return ok(new Uint8Array(Buffer.concat([decipher.update(hexOf(envelope.ciphertext)), decipher.final()])));
  } catch {
    return err({ code: 'WRONG_PASSPHRASE', reason: 'the passphrase is wrong, or the file was changed' });
  }
}
