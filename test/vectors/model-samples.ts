import { toHex, utf8 } from '../../src/lib/bytes.ts';
import { authoritySetHash, authoritySetLayout } from '../../src/model/authorities.ts';
import { blockHash, blockLayout, headerLayout, transactionsRoot } from '../../src/model/block.ts';
import { ballotSigningBytes, certificateLayout, voteLayout } from '../../src/model/certificate.ts';
import { type Codec, encode } from '../../src/model/codec.ts';
import { type Evidence, evidenceHash, evidenceLayout } from '../../src/model/evidence.ts';
import { EventId, GateId, Height, OrganisationId, TicketId, TierId, Timestamp, View } from '../../src/model/ids.ts';
import { type Message, type MessageKind, messageLayout } from '../../src/model/message.ts';
import type { Operation, OperationKind } from '../../src/model/operation.ts';
import { NO_TRANSFERS } from '../../src/model/operation.ts';
import { receiptBytes } from '../../src/model/receipt.ts';
import { operationHash, transactionSigningBytes } from '../../src/model/transaction.ts';
import { checkpointSigningBytes, newViewSigningBytes, viewChangeSigningBytes } from '../../src/model/view-change.ts';
import * as signed from '../unit/model/consortium.ts';

/** One value of everything that is hashed, signed or sent, made from keys that everybody knows. */
export const members = signed.consortium(4);

const OPERATIONS: { readonly [Kind in OperationKind]: Extract<Operation, { kind: Kind }> } = {
  'event.create': {
    kind: 'event.create',
    event: EventId('derby-2027'),
    title: 'Derby – Südkurve',
    startsAt: Timestamp(1_800_000_000_000),
    capacity: 40_000,
  },
  'tier.create': {
    kind: 'tier.create',
    event: EventId('derby-2027'),
    tier: TierId('block-a'),
    title: 'Block A',
    price: 4_250,
    currency: 'EUR',
    capacity: 500,
    validFrom: Timestamp(1_799_990_000_000),
    validThrough: null,
    transfer: NO_TRANSFERS,
  },
  'role.grant': {
    kind: 'role.grant',
    event: EventId('derby-2027'),
    organisation: OrganisationId('venue'),
    role: 'gate',
  },
  'role.revoke': {
    kind: 'role.revoke',
    event: EventId('derby-2027'),
    organisation: OrganisationId('venue'),
    role: 'issuer',
  },
  issue: {
    kind: 'issue',
    event: EventId('derby-2027'),
    tier: TierId('block-a'),
    tickets: [
      {
        ticket: TicketId('t-1'),
        seat: 'A-7',
        gate: GateId('north'),
        holder: signed.hashFor('holder'),
        data: utf8('x'),
      },
      { ticket: TicketId('t-2'), seat: null, gate: null, holder: null, data: new Uint8Array() },
    ],
  },
  validate: { kind: 'validate', tickets: [TicketId('t-1'), TicketId('t-2')] },
  consume: { kind: 'consume', ticket: TicketId('t-1'), gate: GateId('north') },
  admit: { kind: 'admit', ticket: TicketId('t-2'), gate: GateId('north') },
  dispute: {
    kind: 'dispute',
    ticket: TicketId('t-2'),
    reason: 'DOUBLE_SALE',
    note: 'sold twice',
    gate: GateId('north'),
  },
  transfer: {
    kind: 'transfer',
    ticket: TicketId('t-1'),
    holder: signed.hashFor('new holder'),
    price: 4_600,
    channel: 'RESALE',
  },
  hold: { kind: 'hold', ticket: TicketId('t-1'), note: 'payment unclear' },
  release: { kind: 'release', ticket: TicketId('t-1'), note: '' },
  revoke: { kind: 'revoke', ticket: TicketId('t-1'), reason: 'CHARGEBACK', note: '' },
  'case.open': {
    kind: 'case.open',
    ticket: TicketId('t-2'),
    reason: 'FRAUD',
    note: 'reported late',
    evidence: signed.hashFor('evidence'),
  },
  resolve: {
    kind: 'resolve',
    ticket: TicketId('t-2'),
    outcome: 'REISSUED',
    note: 'replaced',
    replacement: {
      event: EventId('derby-2027'),
      tier: TierId('block-a'),
      ticket: TicketId('t-3'),
      seat: 'A-8',
      gate: null,
      data: new Uint8Array(),
    },
  },
};

const operations = Object.values(OPERATIONS);
const transactions = operations.map((operation, nonce) => signed.transaction(members, nonce, operation));
const proposed = signed.block(members, transactions);
const prepare = signed.onHeader(members, proposed.header, { phase: 'PREPARE' });
const commit = signed.onHeader(members, proposed.header);
const vote = signed.vote(members, 0, prepare);
const prepared = signed.certificate(members, prepare);
const committed = signed.certificate(members, commit, [0, 2, 3]);
const wishes = [0, 1, 3].map((seat) =>
  signed.viewChange(members, seat, seat === 0 ? {} : { claim: signed.claimOf(prepared) }),
);
const viewChange = wishes[1] ?? signed.viewChange(members, 1);
const newView = signed.newView(members, { viewChanges: wishes, anchor: prepared });
const checkpoint = signed.checkpoint(members, 2);
const child = signed.header(members, { height: Height(2), previous: blockHash(proposed.header) });
const rival = signed.vote(members, 0, { ...prepare, digest: signed.hashFor('a rival') });

const EVIDENCE: { readonly [Kind in Evidence['kind']]: Extract<Evidence, { kind: Kind }> } = {
  'double-vote': { kind: 'double-vote', first: vote, second: rival },
  'double-view-change': { kind: 'double-view-change', first: viewChange, second: signed.viewChange(members, 1) },
  'double-new-view': { kind: 'double-new-view', first: newView, second: signed.newView(members) },
  amnesia: {
    kind: 'amnesia',
    commit: signed.vote(members, 0, commit),
    viewChange: wishes[0] ?? viewChange,
  },
  branch: {
    kind: 'branch',
    lower: rival,
    upper: signed.vote(members, 0, signed.onHeader(members, child, { phase: 'PREPARE' })),
    headers: [child],
  },
};

export const MESSAGES: { readonly [Kind in MessageKind]: Extract<Message, { kind: Kind }> } = {
  'pre-prepare': { kind: 'pre-prepare', ...proposed, vote },
  vote: { kind: 'vote', vote },
  'view-change': { kind: 'view-change', viewChange, certificate: prepared },
  'new-view': { kind: 'new-view', newView },
  checkpoint: { kind: 'checkpoint', checkpoint },
  status: {
    kind: 'status',
    status: {
      epoch: members.authorities.epoch,
      view: View(3),
      mode: 'changing',
      finalHeight: Height(7),
      finalHash: signed.hashFor('block 7'),
      highest: { view: View(2), height: Height(9) },
      suspects: null,
      missing: [Height(8), Height(9)],
      now: Timestamp(1_790_000_000_123),
    },
  },
  final: {
    kind: 'final',
    header: proposed.header,
    path: [child],
    certificate: signed.certificate(members, signed.onHeader(members, child)),
  },
  certificate: { kind: 'certificate', certificate: committed },
  'body-request': { kind: 'body-request', digest: prepare.digest },
  body: { kind: 'body', block: proposed },
  'blocks-request': { kind: 'blocks-request', from: Height(1), count: 64 },
  blocks: { kind: 'blocks', blocks: [proposed], certificate: committed },
  'new-view-request': { kind: 'new-view-request', epoch: members.authorities.epoch, view: View(4) },
  transactions: { kind: 'transactions', transactions: transactions.slice(-2) },
  evidence: { kind: 'evidence', evidence: EVIDENCE['double-vote'] },
  'memory-request': { kind: 'memory-request', asked: Timestamp(1_790_000_000_123) },
  memory: {
    kind: 'memory',
    asked: Timestamp(1_790_000_000_123),
    memory: { prepare: vote, commit: null, viewChange, final: committed, highest: prepared },
  },
};

const hex = <T>(layout: Codec<T>, value: T): string => toHex(encode(layout, value));

function each<T, U>(record: Readonly<Record<string, T>>, of: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]));
}

const { chainId } = members;

export const SAMPLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'model-messages': each(MESSAGES, (message) => hex(messageLayout, message)),
  'model-evidence': each(EVIDENCE, (evidence) => hex(evidenceLayout, evidence)),
  'model-records': {
    'authority set': hex(authoritySetLayout, members.authorities),
    header: hex(headerLayout, proposed.header),
    block: hex(blockLayout, proposed),
    vote: hex(voteLayout, vote),
    certificate: hex(certificateLayout, committed),
    'receipt, accepted': toHex(
      receiptBytes({
        transaction: transactions[0]?.id ?? chainId,
        accepted: true,
        code: null,
        subject: 'derby-2027',
        firstScan: null,
        replayOf: null,
        changes: [],
      }),
    ),
    'receipt, refused': toHex(
      receiptBytes({
        transaction: transactions[7]?.id ?? chainId,
        accepted: false,
        code: 'ALREADY_CONSUMED',
        subject: 't-2',
        firstScan: {
          at: Timestamp(1_790_000_000_000),
          height: Height(1),
          gate: GateId('north'),
          organisation: OrganisationId('venue'),
          transaction: chainId,
        },
        replayOf: chainId,
        changes: [],
      }),
    ),
  },
  'model-signing-bytes': {
    PREPARE: toHex(ballotSigningBytes(chainId, prepare)),
    COMMIT: toHex(ballotSigningBytes(chainId, commit)),
    VIEWCHANGE: toHex(viewChangeSigningBytes(chainId, viewChange)),
    'VIEWCHANGE without a claim': toHex(viewChangeSigningBytes(chainId, signed.viewChange(members, 1))),
    NEWVIEW: toHex(newViewSigningBytes(chainId, newView)),
    CHECKPOINT: toHex(checkpointSigningBytes(chainId, checkpoint)),
    ...Object.fromEntries(
      transactions.map(({ body }) => [`TX ${body.operation.kind}`, toHex(transactionSigningBytes(body))]),
    ),
  },
  'model-hashes': {
    block: blockHash(proposed.header),
    'transactions root': transactionsRoot(proposed.body),
    'authority set': authoritySetHash(members.authorities),
    evidence: evidenceHash(EVIDENCE['double-vote']),
    ...Object.fromEntries(transactions.map(({ id, body }) => [`transaction ${body.operation.kind}`, id])),
    ...Object.fromEntries(
      operations.map((operation) => [`operation ${operation.kind}`, operationHash({ operation, statements: null })]),
    ),
  },
};

export const EVIDENCE_SAMPLES: readonly Evidence[] = Object.values(EVIDENCE);
