/** A verifier of proofs written from docs/proofs.md and docs/protocol.md alone: it imports nothing of the program. */
import { createHash, createPublicKey, verify } from 'node:crypto';

const ZERO = Buffer.alloc(32);

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const tag = (name: string): Buffer => Buffer.from(`counterfoil/2/${name}\0`, 'latin1');

function isSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
}

class Refused extends Error {}

function insist(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Refused(what);
}

// The format.
const KEYS = {
  proof: ['format', 'ticket', 'record', 'siblings', 'absence', 'block', 'handovers', 'history'],
  absence: ['key', 'leaf'],
  block: ['header', 'path', 'view', 'seats', 'signatures'],
  change: ['block', 'index', 'transaction', 'transaction_path', 'receipt', 'receipt_path', 'graphs'],
  graphs: ['graph', 'stated', 'path'],
} as const;

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown, kind: keyof typeof KEYS): Json {
  insist(typeof value === 'object' && value !== null && !Array.isArray(value), `${kind} is an object`);
  insist(Object.keys(value).join() === KEYS[kind].join(), `${kind} has these keys in this order`);
  return value as Json;
}

function bytes(value: unknown, multipleOf = 1): Buffer {
  insist(typeof value === 'string' && /^(?:[0-9a-f]{2})*$/.test(value), 'lower-case hex');
  const read = Buffer.from(value, 'hex');
  insist(read.length % multipleOf === 0, `a multiple of ${multipleOf} bytes`);
  return read;
}

function whole(value: unknown): number {
  insist(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0, 'a whole number');
  return value;
}

function text(value: unknown): string {
  insist(typeof value === 'string' && value !== '', 'a text');
  insist(Buffer.from(value, 'utf8').toString('utf8') === value, 'well-formed Unicode');
  return value;
}

function list(value: unknown): readonly unknown[] {
  insist(Array.isArray(value), 'a list');
  return value;
}

const pieces = (all: Buffer, length: number): readonly Buffer[] =>
  Array.from({ length: all.length / length }, (_, at) => all.subarray(at * length, (at + 1) * length));

function u32(value: number): Buffer {
  const written = Buffer.alloc(4);
  written.writeUInt32BE(value);
  return written;
}

function u64(value: number): Buffer {
  const written = Buffer.alloc(8);
  written.writeBigUInt64BE(BigInt(value));
  return written;
}

const named = (value: string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value, 'utf8')]);

// Protocol, section 4.
interface Trust {
  readonly chainId: Buffer;
  readonly setHash: Buffer;
  readonly keys: readonly Buffer[];
  readonly quorum: number;
}

interface Genesis {
  readonly parameters: Readonly<Record<string, number>>;
  readonly authorities: readonly { readonly id: string; readonly public_key: string; readonly organisation: string }[];
}

function trustIn(document: Buffer): Trust {
  const json: unknown = JSON.parse(document.toString('utf8'));
  insist(`${JSON.stringify(json, null, 2)}\n` === document.toString('utf8'), 'a genesis document in its one form');
  const { parameters, authorities } = json as Genesis;
  const p = (name: string): number => parameters[name] ?? 0;
  const members = authorities.map((one) => [named(one.id), bytes(one.public_key), named(one.organisation)]);
  const set = Buffer.concat([
    ...[u64(0), u64(1), u64(0), Buffer.of(0), u32(authorities.length), ...members.flat()],
    ...['block_transactions_max', 'block_bytes_max', 'checkpoint_interval', 'rotation_interval'].map((n) => u32(p(n))),
    ...[u64(p('block_interval_ms')), u64(p('transaction_life_ms_max')), u32(p('window_max'))],
  ]);
  const n = authorities.length;
  return {
    chainId: sha256(document),
    setHash: sha256(tag('EPOCH'), set),
    keys: authorities.map((one) => bytes(one.public_key)),
    quorum: Math.ceil((n + Math.floor((n - 1) / 3) + 1) / 2),
  };
}

// Step 3, and the signatures of step 7.
interface Header {
  readonly hash: Buffer;
  readonly height: number;
  readonly previous: Buffer;
  readonly transactionsRoot: Buffer;
  readonly count: number;
  readonly stateRoot: Buffer;
  readonly receiptsRoot: Buffer;
  readonly graphRoot: Buffer;
}

function header(read: Buffer, { chainId, setHash }: Trust): Header {
  insist(read.length === 294 && read[0] === 2, 'a header of version 2');
  insist(read.subarray(1, 33).equals(chainId), 'of this chain');
  insist(read.subarray(41, 49).equals(Buffer.alloc(8)) && read.subarray(230, 262).equals(setHash), 'of this set');
  const height = Number(read.readBigUInt64BE(33));
  insist(height > 0, 'not genesis');
  return {
    hash: sha256(tag('HEADER'), read),
    height,
    previous: read.subarray(57, 89),
    transactionsRoot: read.subarray(98, 130),
    count: read.readUInt32BE(130),
    stateRoot: read.subarray(134, 166),
    receiptsRoot: read.subarray(166, 198),
    graphRoot: read.subarray(198, 230),
  };
}

function finalBlock(value: unknown, trust: Trust): Header {
  const part = object(value, 'block');
  const own = header(bytes(part['header']), trust);
  const path = pieces(bytes(part['path'], 294), 294);
  insist(path.length <= 31, 'a path of at most 31');
  let last = own;
  for (const one of path) {
    const next = header(one, trust);
    insist(next.height === last.height + 1 && next.previous.equals(last.hash), 'a child of the one before');
    last = next;
  }
  const seats = list(part['seats']).map(whole);
  const signatures = pieces(bytes(part['signatures'], 64), 64);
  insist(seats.length === trust.quorum && signatures.length === trust.quorum, 'exactly a quorum');
  insist(
    seats.every((seat, index) => index === 0 || seat > (seats[index - 1] ?? seat)),
    'ascending seats',
  );
  const votes = Buffer.concat([u64(0), u64(whole(part['view'])), u64(last.height), last.hash]);
  const message = Buffer.concat([tag('COMMIT'), trust.chainId, votes]);
  for (const [index, seat] of seats.entries()) {
    const key = trust.keys[seat];
    insist(key !== undefined && isSigned(key, message, signatures[index] ?? ZERO), `the signature of seat ${seat}`);
  }
  return own;
}

// Step 4.
function checkState(proof: Json, ticket: string, root: Buffer): Buffer | null {
  const place = sha256(Buffer.of(4), Buffer.from(ticket, 'utf8'));
  const record = proof['record'] === null ? null : bytes(proof['record']);
  insist((record === null) !== (proof['absence'] === null), 'a record or its absence');
  const leafOf = (key: Buffer, recordHash: Buffer): Buffer => sha256(Buffer.of(0), key, recordHash);
  let hash = record === null ? ZERO : leafOf(place, sha256(record));
  if (record === null) {
    const { key, leaf } = object(proof['absence'], 'absence');
    insist(bytes(key).equals(place), 'the key of this ticket');
    const [other, recordHash] = leaf === null ? [] : pieces(bytes(leaf, 64), 32);
    insist(leaf === null || (other !== undefined && recordHash !== undefined), 'a leaf');
    if (other !== undefined && recordHash !== undefined) {
      insist(!other.equals(place), 'a leaf of another key');
      hash = leafOf(other, recordHash);
    }
  }
  const siblings = pieces(bytes(proof['siblings'], 32), 32);
  for (const [depth, sibling] of [...siblings.entries()].toReversed()) {
    const isRight = (((place[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) === 1;
    hash = isRight ? sha256(Buffer.of(1), sibling, hash) : sha256(Buffer.of(1), hash, sibling);
  }
  insist(hash.equals(root), 'the state root');
  return record;
}

// Step 5.
function rootFrom(item: Buffer, place: { readonly index: number; readonly count: number }, path: unknown): Buffer {
  const way = [...pieces(bytes(path, 32), 32)];
  const walk = (from: number, to: number): Buffer => {
    if (to - from === 1) return sha256(Buffer.of(0), item);
    let half = 1;
    while (half * 2 < to - from) half *= 2;
    const sibling = way.pop();
    insist(sibling !== undefined, 'a path that is long enough');
    return place.index < from + half
      ? sha256(Buffer.of(1), walk(from, from + half), sibling)
      : sha256(Buffer.of(1), sibling, walk(from + half, to));
  };
  insist(place.index < place.count, 'a place in the block');
  const root = walk(0, place.count);
  insist(way.length === 0, 'a path that is no longer');
  return root;
}

/** Reads one encoding from `at` on. */
class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(read: Buffer, at: number) {
    this.#bytes = read;
    this.at = at;
  }

  skip(length: number): Buffer {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  u32(): number {
    return this.skip(4).readUInt32BE();
  }

  name(): string {
    return this.skip(this.u32()).toString('utf8');
  }

  maybe(inner: () => void): void {
    if (this.skip(1)[0] === 1) inner();
  }
}

/** The versions that a receipt says a ticket got: version, then state, standing, epoch and holder as they are encoded. */
function changesIn(receipt: Buffer, ticket: string): readonly { readonly version: number; readonly rest: Buffer }[] {
  const cursor = new Cursor(receipt, 33);
  cursor.maybe(() => cursor.skip(1));
  cursor.maybe(() => cursor.name());
  cursor.maybe(() => {
    cursor.skip(16);
    cursor.name();
    cursor.name();
    cursor.skip(32);
  });
  cursor.maybe(() => cursor.skip(32));
  const found: { version: number; rest: Buffer }[] = [];
  for (let left = cursor.u32(); left > 0; left -= 1) {
    const of = cursor.name();
    const version = cursor.u32();
    const from = cursor.at;
    cursor.skip(6);
    cursor.maybe(() => cursor.skip(32));
    if (of === ticket) found.push({ version, rest: receipt.subarray(from, cursor.at) });
  }
  insist(cursor.at === receipt.length, 'a receipt and no more');
  return found;
}

function checkChange(value: unknown, ticket: string, trust: Trust) {
  const part = object(value, 'change');
  const block = finalBlock(part['block'], trust);
  const place = { index: whole(part['index']), count: block.count };
  const transaction = bytes(part['transaction']);
  insist(rootFrom(transaction, place, part['transaction_path']).equals(block.transactionsRoot), 'in the block');
  const message = Buffer.concat([tag('TX'), transaction.subarray(0, -64)]);
  const signerAt = 36 + transaction.readUInt32BE(32);
  insist(isSigned(transaction.subarray(signerAt, signerAt + 32), message, transaction.subarray(-64)), 'its signature');
  const receipt = bytes(part['receipt']);
  insist(receipt.subarray(0, 32).equals(sha256(message)), 'the receipt of this transaction');
  insist(rootFrom(receipt, place, part['receipt_path']).equals(block.receiptsRoot), 'among the receipts');
  if (part['graphs'] !== null) {
    const { graph, stated, path } = object(part['graphs'], 'graphs');
    const hashOf = (document: unknown): Buffer => sha256(Buffer.from(text(document), 'utf8'));
    const leaf = Buffer.concat([hashOf(graph), stated === null ? ZERO : hashOf(stated)]);
    insist(rootFrom(leaf, place, path).equals(block.graphRoot), 'among the graphs');
  }
  return { height: block.height, changes: changesIn(receipt, ticket) };
}

/** Why a proof proves nothing; undefined when it holds. */
export function whyNot(proofBytes: Buffer, genesis: Buffer): string | undefined {
  try {
    check(proofBytes, genesis);
    return undefined;
  } catch (error) {
    if (error instanceof Refused || error instanceof SyntaxError || error instanceof RangeError) return error.message;
    throw error;
  }
}

function check(proofBytes: Buffer, genesis: Buffer): void {
  const json: unknown = JSON.parse(proofBytes.toString('utf8'));
  insist(Buffer.from(`${JSON.stringify(json)}\n`).equals(proofBytes), 'the one form of a proof');
  const proof = object(json, 'proof');
  const trust = trustIn(genesis);
  insist(proof['format'] === 'counterfoil-proof/1', 'a known format');
  insist(list(proof['handovers']).length === 0, 'no hand-over of authority');
  const ticket = text(proof['ticket']);
  const block = finalBlock(proof['block'], trust);
  const record = checkState(proof, ticket, block.stateRoot);
  insist(record === null || record.subarray(1).indexOf(named(ticket)) === 0, 'the record of this ticket');
  if (proof['history'] === null) return;
  insist(record !== null, 'a history of something');
  let version = 0;
  let height = 0;
  let newest: Buffer = ZERO;
  for (const part of list(proof['history'])) {
    const change = checkChange(part, ticket, trust);
    insist(change.height >= height && change.height <= block.height && change.changes.length > 0, 'in order');
    height = change.height;
    for (const one of change.changes) {
      version += 1;
      insist(one.version === version, `version ${version}`);
      newest = one.rest;
    }
  }
  insist(agrees(record, { version, height, newest }), 'a history up to the record');
}

interface Newest {
  readonly version: number;
  readonly height: number;
  /** State, standing, epoch and holder. */
  readonly newest: Buffer;
}

function agrees(record: Buffer, { version, height, newest }: Newest): boolean {
  const cursor = new Cursor(record, 1);
  for (let names = 0; names < 3; names += 1) cursor.name();
  cursor.maybe(() => cursor.name());
  cursor.maybe(() => cursor.name());
  const stateAndStanding = cursor.skip(2);
  const holderFrom = cursor.at;
  cursor.maybe(() => cursor.skip(32));
  const holder = record.subarray(holderFrom, cursor.at);
  cursor.name();
  const versionInRecord = cursor.u32();
  const epoch = cursor.skip(4);
  cursor.skip(1);
  const since = Number(cursor.skip(8).readBigUInt64BE());
  const rest = Buffer.concat([stateAndStanding, epoch, holder]);
  return versionInRecord === version && since === height && rest.equals(newest);
}
