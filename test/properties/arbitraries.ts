import fc, { type Arbitrary } from 'fast-check';
import type { Authority, AuthoritySet } from '../../src/model/authorities.ts';
import { type Block, HEADER_VERSION, type Header } from '../../src/model/block.ts';
import { type Ballot, type Certificate, PHASES, type Vote } from '../../src/model/certificate.ts';
import { isCleanText } from '../../src/model/codec.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import {
  Epoch,
  EventId,
  GateId,
  Hash,
  Height,
  OrganisationId,
  PublicKey,
  Signature,
  TicketId,
  TierId,
  Timestamp,
  View,
} from '../../src/model/ids.ts';
import type { Message, Status } from '../../src/model/message.ts';
import {
  CASE_OUTCOMES,
  DISPUTE_REASONS,
  type NewTicket,
  type Operation,
  REVOCATION_REASONS,
  ROLES,
  TRANSFER_CHANNELS,
} from '../../src/model/operation.ts';
import { REFUSALS, type Receipt } from '../../src/model/receipt.ts';
import { STANDINGS, TICKET_STATES, type TicketChange } from '../../src/model/ticket.ts';
import { sealTransaction, type Transaction, type TransactionBody } from '../../src/model/transaction.ts';
import type { Checkpoint, Claim, NewView, ViewChange } from '../../src/model/view-change.ts';

/** Values of every layout: of the right form, and otherwise whatever comes. */
const hex = (bytes: number): Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => Buffer.from(raw).toString('hex'));
export const natural: Arbitrary<number> = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
const u32: Arbitrary<number> = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const byte: Arbitrary<number> = fc.integer({ min: 0, max: 255 });
const seat: Arbitrary<number> = fc.integer({ min: 0, max: 30 });
const orNull = <T>(of: Arbitrary<T>): Arbitrary<T | null> => fc.option(of, { nil: null });
const few = <T>(of: Arbitrary<T>, maxLength = 3): Arbitrary<T[]> => fc.array(of, { maxLength });

export const hash = hex(32).map(Hash);
export const publicKey = hex(32).map(PublicKey);
export const signature = hex(64).map(Signature);
export const height = natural.map(Height);
export const view = natural.map(View);
export const epoch = natural.map(Epoch);
export const timestamp = natural.map(Timestamp);
export const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
/** Clean text of at most `bytesMax` bytes: no code point has more than four. */
const text = (bytesMax: number): Arbitrary<string> =>
  fc.string({ unit: 'binary', maxLength: bytesMax / 4 }).filter(isCleanText);

const newTicket: Arbitrary<NewTicket> = fc.record({
  ticket: name.map(TicketId),
  seat: orNull(name),
  gate: orNull(name.map(GateId)),
  holder: orNull(hash),
  data: fc.uint8Array({ maxLength: 40 }),
});
const transferPolicy = fc.record({
  allowed: fc.boolean(),
  transfersMax: byte,
  until: orNull(timestamp),
  resalePercentMax: u32,
});
const replacement = fc.record({
  event: name.map(EventId),
  tier: name.map(TierId),
  ticket: name.map(TicketId),
  seat: orNull(name),
  gate: orNull(name.map(GateId)),
  data: fc.uint8Array({ maxLength: 40 }),
});
const roleChange = {
  event: name.map(EventId),
  organisation: name.map(OrganisationId),
  role: fc.constantFrom(...ROLES),
};
const scan = { ticket: name.map(TicketId), gate: name.map(GateId) };
const kind = <const Kind extends string>(value: Kind): Arbitrary<Kind> => fc.constant(value);

export const operation: Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: kind('event.create'),
    event: name.map(EventId),
    title: text(256),
    startsAt: timestamp,
    capacity: u32,
  }),
  fc.record({
    kind: kind('tier.create'),
    event: name.map(EventId),
    tier: name.map(TierId),
    title: text(256),
    price: natural,
    currency: fc.stringMatching(/^[A-Z]{3}$/),
    capacity: u32,
    validFrom: orNull(timestamp),
    validThrough: orNull(timestamp),
    transfer: transferPolicy,
  }),
  fc.record({ kind: kind('role.grant'), ...roleChange }),
  fc.record({ kind: kind('role.revoke'), ...roleChange }),
  fc.record({ kind: kind('issue'), event: name.map(EventId), tier: name.map(TierId), tickets: few(newTicket) }),
  fc.record({ kind: kind('validate'), tickets: few(name.map(TicketId)) }),
  fc.record({ kind: kind('consume'), ...scan }),
  fc.record({ kind: kind('admit'), ...scan }),
  fc.record({
    kind: kind('dispute'),
    ticket: name.map(TicketId),
    reason: fc.constantFrom(...DISPUTE_REASONS),
    note: text(256),
    gate: orNull(name.map(GateId)),
  }),
  fc.record({
    kind: kind('transfer'),
    ticket: name.map(TicketId),
    holder: hash,
    price: orNull(natural),
    channel: fc.constantFrom(...TRANSFER_CHANNELS),
  }),
  fc.record({ kind: kind('hold'), ticket: name.map(TicketId), note: text(256) }),
  fc.record({ kind: kind('release'), ticket: name.map(TicketId), note: text(256) }),
  fc.record({
    kind: kind('revoke'),
    ticket: name.map(TicketId),
    reason: fc.constantFrom(...REVOCATION_REASONS),
    note: text(256),
  }),
  fc.record({
    kind: kind('case.open'),
    ticket: name.map(TicketId),
    reason: fc.constantFrom(...DISPUTE_REASONS),
    note: text(256),
    evidence: orNull(hash),
  }),
  fc.record({
    kind: kind('resolve'),
    ticket: name.map(TicketId),
    outcome: fc.constantFrom(...CASE_OUTCOMES),
    note: text(256),
    replacement: orNull(replacement),
  }),
);

const transactionBody: Arbitrary<TransactionBody> = fc.record({
  chainId: hash,
  organisation: name.map(OrganisationId),
  signer: publicKey,
  expiresAt: timestamp,
  nonce: natural,
  idempotencyKey: orNull(text(64)),
  operation,
  statements: orNull(text(256).filter((value) => value !== '')),
});
export const transaction: Arbitrary<Transaction> = fc
  .tuple(transactionBody, signature)
  .map(([body, signed]) => sealTransaction(body, signed));

const scanned = fc.record({
  at: timestamp,
  height,
  gate: name.map(GateId),
  organisation: name.map(OrganisationId),
  transaction: hash,
});
const change: Arbitrary<TicketChange> = fc.record({
  ticket: name.map(TicketId),
  version: u32,
  state: fc.constantFrom(...TICKET_STATES),
  standing: fc.constantFrom(...STANDINGS),
  epoch: u32,
  holder: orNull(hash),
});
export const receipt: Arbitrary<Receipt> = fc.record({
  transaction: hash,
  accepted: fc.boolean(),
  code: orNull(fc.constantFrom(...REFUSALS)),
  subject: orNull(name),
  firstScan: orNull(scanned),
  replayOf: orNull(hash),
  changes: few(change),
});

export const header: Arbitrary<Header> = fc.record({
  version: fc.constant(HEADER_VERSION),
  chainId: hash,
  height,
  epoch,
  view,
  previous: hash,
  timestamp,
  proposer: byte,
  transactionsRoot: hash,
  transactionCount: u32,
  stateRoot: hash,
  receiptsRoot: hash,
  graphRoot: hash,
  authoritiesHash: hash,
  nextAuthoritiesHash: hash,
});
export const body = few(transaction);
export const block: Arbitrary<Block> = fc.record({ header, body });

const ballot: { readonly [Key in keyof Ballot]: Arbitrary<Ballot[Key]> } = {
  phase: fc.constantFrom(...PHASES),
  epoch,
  view,
  height,
  digest: hash,
};
export const vote: Arbitrary<Vote> = fc.record({ ...ballot, signer: seat, signature });
export const certificate: Arbitrary<Certificate> = fc
  .tuple(fc.record(ballot), fc.uniqueArray(fc.tuple(seat, signature), { selector: ([one]) => one, maxLength: 31 }))
  .map(([on, voters]) => {
    const ascending = voters.sort(([a], [b]) => a - b);
    return { ...on, signers: ascending.map(([one]) => one), signatures: ascending.map(([, signed]) => signed) };
  });

const claim: Arbitrary<Claim> = fc.record({ view, height, digest: hash, phase: fc.constantFrom(...PHASES) });
export const viewChange: Arbitrary<ViewChange> = fc.record({
  epoch,
  newView: view,
  signer: byte,
  finalHeight: height,
  finalHash: hash,
  claim: orNull(claim),
  signature,
});
export const newView: Arbitrary<NewView> = fc.record({
  epoch,
  view,
  viewChanges: few(viewChange),
  anchor: orNull(certificate),
  signature,
});
export const checkpoint: Arbitrary<Checkpoint> = fc.record({
  epoch,
  height,
  digest: hash,
  stateRoot: hash,
  signer: byte,
  signature,
});

export const evidence: Arbitrary<Evidence> = fc.oneof(
  fc.record({ kind: kind('double-vote'), first: vote, second: vote }),
  fc.record({ kind: kind('double-view-change'), first: viewChange, second: viewChange }),
  fc.record({ kind: kind('double-new-view'), first: newView, second: newView }),
  fc.record({ kind: kind('amnesia'), commit: vote, viewChange }),
  fc.record({ kind: kind('branch'), lower: vote, upper: vote, headers: few(header) }),
);

const authority: Arbitrary<Authority> = fc.record({ id: name, publicKey, organisation: name });
export const authoritySet: Arbitrary<AuthoritySet> = fc.record({
  epoch,
  firstHeight: height,
  startView: view,
  mode: kind('bft'),
  authorities: few(authority, 5),
  parameters: fc.record({
    blockTransactionsMax: u32,
    blockBytesMax: u32,
    checkpointInterval: u32,
    rotationInterval: u32,
    blockIntervalMs: natural,
    transactionLifeMsMax: natural,
    windowMax: u32,
  }),
});

const status: Arbitrary<Status> = fc.record({
  epoch,
  view,
  mode: fc.constantFrom('active', 'changing', 'observer', 'halted'),
  finalHeight: height,
  finalHash: hash,
  highest: orNull(fc.record({ view, height })),
  suspects: orNull(view),
  missing: few(height),
  now: timestamp,
});

export const message: Arbitrary<Message> = fc.oneof(
  fc.record({ kind: kind('pre-prepare'), header, body: orNull(body), vote }),
  fc.record({ kind: kind('vote'), vote }),
  fc.record({ kind: kind('view-change'), viewChange, certificate: orNull(certificate) }),
  fc.record({ kind: kind('new-view'), newView }),
  fc.record({ kind: kind('checkpoint'), checkpoint }),
  fc.record({ kind: kind('status'), status }),
  fc.record({ kind: kind('final'), header, path: few(header), certificate }),
  fc.record({ kind: kind('certificate'), certificate }),
  fc.record({ kind: kind('body-request'), digest: hash }),
  fc.record({ kind: kind('body'), block }),
  fc.record({ kind: kind('blocks-request'), from: height, count: byte }),
  fc.record({ kind: kind('blocks'), blocks: few(block), certificate: orNull(certificate) }),
  fc.record({ kind: kind('new-view-request'), epoch, view }),
  fc.record({ kind: kind('transactions'), transactions: few(transaction) }),
  fc.record({ kind: kind('evidence'), evidence }),
  fc.record({ kind: kind('memory-request'), asked: timestamp }),
  fc.record({
    kind: kind('memory'),
    asked: timestamp,
    memory: fc.record({
      prepare: orNull(vote),
      commit: orNull(vote),
      viewChange: orNull(viewChange),
      final: orNull(certificate),
      highest: orNull(certificate),
    }),
  }),
);
