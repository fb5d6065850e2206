/**
 * A verifier written from docs/protocol.md alone: it imports nothing of the program. Where it had to know something that
 * the page did not say, the page was mended.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';

const ZERO = Buffer.alloc(32);
const HEADER_BYTES = 294;

// Section 1.
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function tag(name: string): Buffer {
  return Buffer.from(`counterfoil/2/${name}\0`, 'latin1');
}

/** OpenSSL's yes is final; honest signatures need no more. */
function isSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  });
  return verify(null, message, key, signature);
}

// Section 2.
const u8 = (value: number): Buffer => Buffer.of(value);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u32(bytes.length), bytes]);
}

function list(items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(items.length), ...items]);
}

const fromHex = (value: string): Buffer => Buffer.from(value, 'hex');

// Section 3.
export function merkleRoot(items: readonly Uint8Array[]): Buffer {
  if (items.length === 0) return ZERO;
  const [only] = items;
  if (items.length === 1 && only !== undefined) return sha256(u8(0), only);
  let half = 1;
  while (half * 2 < items.length) half *= 2;
  return sha256(u8(1), merkleRoot(items.slice(0, half)), merkleRoot(items.slice(half)));
}

// Section 4.
interface GenesisJson {
  readonly created: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly authorities: readonly { readonly id: string; readonly public_key: string; readonly organisation: string }[];
  readonly organisations: readonly {
    readonly id: string;
    readonly title: string;
    readonly roles: readonly string[];
    readonly keys: readonly string[];
    readonly namespace: string | null;
  }[];
}

export interface Trust {
  readonly chainId: Buffer;
  readonly setHash: Buffer;
  readonly keys: readonly Buffer[];
  readonly quorum: number;
  /** Of block 0. */
  readonly genesisHash: Buffer;
}

const ROLES = ['organiser', 'issuer', 'venue', 'gate', 'arbiter', 'marketplace'];

/** Everything that is believed follows from the bytes of the genesis document. */
export function trustIn(document: Uint8Array): Trust {
  const genesis = JSON.parse(Buffer.from(document).toString('utf8')) as GenesisJson;
  const { parameters, authorities } = genesis;
  const p = (name: string): number => parameters[name] ?? Number.NaN;
  const set = Buffer.concat([
    ...[u64(0), u64(1), u64(0), u8(0)],
    list(authorities.map((one) => Buffer.concat([text(one.id), fromHex(one.public_key), text(one.organisation)]))),
    ...['block_transactions_max', 'block_bytes_max', 'checkpoint_interval', 'rotation_interval'].map((n) => u32(p(n))),
    ...['block_interval_ms', 'transaction_life_ms_max'].map((n) => u64(p(n))),
    u32(p('window_max')),
  ]);
  const setHash = sha256(tag('EPOCH'), set);
  const n = authorities.length;
  const f = Math.floor((n - 1) / 3);
  const header = Buffer.concat([
    ...[u8(2), ZERO, u64(0), u64(0), u64(0), ZERO, u64(Date.parse(genesis.created)), u8(0)],
    ...[ZERO, u32(0), genesisStateRoot(genesis, set), ZERO, ZERO, setHash, ZERO],
  ]);
  return {
    chainId: sha256(document),
    setHash,
    keys: authorities.map((one) => fromHex(one.public_key)),
    quorum: Math.ceil((n + f + 1) / 2),
    genesisHash: blockHash(header),
  };
}

// Section 9.
interface Leaf {
  readonly key: Buffer;
  readonly hash: Buffer;
}

function leafOf(recordTag: number, id: string, record: Buffer): Leaf {
  const key = sha256(u8(recordTag), Buffer.from(id, 'utf8'));
  return { key, hash: sha256(u8(0), key, sha256(u8(1), record)) };
}

function stateRoot(leaves: readonly Leaf[], depth: number): Buffer {
  const [only] = leaves;
  if (only === undefined) return ZERO;
  if (leaves.length === 1) return only.hash;
  const isRight = ({ key }: Leaf): boolean => (((key[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) === 1;
  const left = leaves.filter((leaf) => !isRight(leaf));
  return sha256(u8(1), stateRoot(left, depth + 1), stateRoot(leaves.filter(isRight), depth + 1));
}

function genesisStateRoot({ organisations }: GenesisJson, set: Buffer): Buffer {
  const leaves = organisations.flatMap(({ id, title, roles, keys, namespace }) => [
    leafOf(
      5,
      id,
      Buffer.concat([
        text(id),
        text(title),
        list(roles.map((role) => u8(ROLES.indexOf(role)))),
        list(keys.map(fromHex)),
        namespace === null ? u8(0) : Buffer.concat([u8(1), text(namespace)]),
      ]),
    ),
    ...keys.map((key) => leafOf(6, key, text(id))),
  ]);
  return stateRoot([leafOf(8, '', set), ...leaves], 0);
}

// Section 6.
export interface Header {
  readonly bytes: Buffer;
  readonly hash: Buffer;
  readonly chainId: Buffer;
  readonly height: number;
  readonly epoch: number;
  readonly previous: Buffer;
  readonly time: number;
  readonly transactionsRoot: Buffer;
  readonly transactionCount: number;
  readonly authoritiesHash: Buffer;
}

function blockHash(header: Uint8Array): Buffer {
  return sha256(tag('HEADER'), header);
}

export function readHeader(bytes: Buffer): Header {
  if (bytes.length !== HEADER_BYTES || bytes[0] !== 2) throw new Error('not a header of version 2');
  const number = (at: number): number => Number(bytes.readBigUInt64BE(at));
  return {
    bytes,
    hash: blockHash(bytes),
    chainId: bytes.subarray(1, 33),
    height: number(33),
    epoch: number(41),
    previous: bytes.subarray(57, 89),
    time: number(89),
    transactionsRoot: bytes.subarray(98, 130),
    transactionCount: bytes.readUInt32BE(130),
    authoritiesHash: bytes.subarray(230, 262),
  };
}

/** A block: its header, and its transactions as they stand in the body. */
export function readBlock(bytes: Buffer): { readonly header: Header; readonly transactions: readonly Buffer[] } {
  const header = readHeader(bytes.subarray(0, HEADER_BYTES));
  const transactions: Buffer[] = [];
  let at = HEADER_BYTES + 4;
  for (let left = bytes.readUInt32BE(HEADER_BYTES); left > 0; left -= 1) {
    const end = at + 4 + bytes.readUInt32BE(at);
    transactions.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (at !== bytes.length) throw new Error('bytes after the body');
  return { header, transactions };
}

// Section 7.
export function isFinal({ chainId, keys, quorum, setHash }: Trust, header: Header, certificate: Buffer): boolean {
  const ballot = certificate.subarray(1, 57);
  const height = Number(ballot.readBigUInt64BE(16));
  const epoch = Number(ballot.readBigUInt64BE(0));
  const isOfHeader = header.hash.equals(ballot.subarray(24)) && header.height === height && header.epoch === epoch;
  if (certificate[0] !== 1 || !isOfHeader || !header.authoritiesHash.equals(setHash)) return false;
  const map = certificate.readUInt32BE(57);
  const seats = Array.from({ length: 32 }, (_, seat) => seat).filter((seat) => ((map >>> seat) & 1) === 1);
  if (seats.length < quorum || certificate.length !== 61 + 64 * seats.length) return false;
  const message = Buffer.concat([tag('COMMIT'), chainId, ballot]);
  return seats.every((seat, index) => {
    const key = keys[seat];
    return key !== undefined && isSigned(key, message, certificate.subarray(61 + 64 * index, 125 + 64 * index));
  });
}

// Section 5.
export function checkTransaction({ chainId }: Trust, bytes: Buffer): { readonly id: Buffer; readonly valid: boolean } {
  const signed = Buffer.concat([tag('TX'), bytes.subarray(0, -64)]);
  const signerAt = 32 + 4 + bytes.readUInt32BE(32);
  const signer = bytes.subarray(signerAt, signerAt + 32);
  const valid = bytes.subarray(0, 32).equals(chainId) && isSigned(signer, signed, bytes.subarray(-64));
  return { id: sha256(signed), valid };
}
