import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { defined } from '../../../src/lib/assert.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { type AuthoritySet, authoritySetHash, primaryIndex, quorumOf } from '../../../src/model/authorities.ts';
import {
  type Block,
  type Body,
  blockHash,
  HEADER_VERSION,
  type Header,
  transactionsRoot,
} from '../../../src/model/block.ts';
import {
  type Ballot,
  ballotSigningBytes,
  type Certificate,
  type Jurisdiction,
  type SignatureCheck,
  type Vote,
} from '../../../src/model/certificate.ts';
import { sha256 } from '../../../src/model/hash.ts';
import {
  Epoch,
  GateId,
  type Hash,
  Height,
  hashOfBytes,
  OrganisationId,
  TicketId,
  Timestamp,
  View,
  ZERO_HASH,
} from '../../../src/model/ids.ts';
import type { Operation } from '../../../src/model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../../src/model/transaction.ts';
import {
  type Checkpoint,
  checkpointSigningBytes,
  type NewView,
  newViewSigningBytes,
  type ViewChange,
  viewChangeSigningBytes,
} from '../../../src/model/view-change.ts';
import { createSigner } from '../../../src/node/keys/key-pair.ts';
import { createSignatureCheck, memoizedCheck } from '../../../src/node/keys/signatures.ts';
import type { Signer } from '../../../src/node/ports.ts';

/** Authorities with their keys at hand: what they say here is signed by them, also when no honest one would say it. */
export interface Consortium extends Jurisdiction {
  readonly signers: readonly Signer[];
}

const check: SignatureCheck = memoizedCheck(createSignatureCheck(), 10_000).check;

export function hashFor(text: string): Hash {
  return hashOfBytes(sha256(utf8(text)));
}

export function consortium(size: number, epoch = 0, startView = 0): Consortium {
  const keys = Array.from({ length: size }, (_, seat) => devnetKeyPair(`authority ${seat}`));
  const authorities: AuthoritySet = {
    epoch: Epoch(epoch),
    firstHeight: Height(1),
    startView: View(startView),
    mode: 'bft',
    authorities: keys.map(({ publicKey }, seat) => ({ id: `node-${seat}`, publicKey, organisation: `member-${seat}` })),
    parameters: {
      blockTransactionsMax: 500,
      blockBytesMax: 1_048_576,
      checkpointInterval: 100,
      rotationInterval: 1_000,
      blockIntervalMs: 60_000,
      transactionLifeMsMax: 600_000,
      windowMax: 4,
    },
  };
  const signers = keys.map(({ secretKey }) => createSigner(secretKey));
  return { chainId: hashFor('a chain'), authorities, check, signers };
}

export function signerOf(members: Consortium, seat: number): Signer {
  return defined(members.signers[seat], `no seat ${seat}`);
}

export function ballot(members: Consortium, fields: Partial<Ballot> = {}): Ballot {
  const { epoch, startView } = members.authorities;
  return { phase: 'COMMIT', epoch, view: startView, height: Height(1), digest: hashFor('a block'), ...fields };
}

export function vote(members: Consortium, seat: number, on: Ballot): Vote {
  const { phase, epoch, view, height, digest } = on;
  const signature = signerOf(members, seat).sign(ballotSigningBytes(members.chainId, on));
  return { phase, epoch, view, height, digest, signer: seat, signature };
}

/** Seats of a quorum, lowest first. */
export function quorum(members: Consortium): readonly number[] {
  return [...Array(quorumOf(members.authorities.authorities.length)).keys()];
}

export function certificate(members: Consortium, on: Ballot, seats: readonly number[] = quorum(members)): Certificate {
  const { phase, epoch, view, height, digest } = on;
  const signatures = seats.map((seat) => vote(members, seat, on).signature);
  return { phase, epoch, view, height, digest, signers: seats, signatures };
}

export function header(members: Consortium, fields: Partial<Header> = {}): Header {
  const { chainId, authorities } = members;
  return {
    version: HEADER_VERSION,
    chainId,
    height: Height(1),
    epoch: authorities.epoch,
    view: authorities.startView,
    previous: chainId,
    timestamp: Timestamp(1_790_000_000_000),
    proposer: primaryIndex(authorities, authorities.startView),
    transactionsRoot: ZERO_HASH,
    transactionCount: 0,
    stateRoot: hashFor('a state'),
    receiptsRoot: ZERO_HASH,
    graphRoot: ZERO_HASH,
    authoritiesHash: authoritySetHash(authorities),
    nextAuthoritiesHash: ZERO_HASH,
    ...fields,
  };
}

/** Headers that follow each other, from height 1 on. */
export function chain(members: Consortium, length: number): readonly Header[] {
  const headers: Header[] = [];
  while (headers.length < length) {
    const last = headers.at(-1);
    headers.push(
      last === undefined
        ? header(members)
        : header(members, {
            height: Height(last.height + 1),
            previous: blockHash(last),
            timestamp: Timestamp(last.timestamp + 1),
          }),
    );
  }
  return headers;
}

export function onHeader(members: Consortium, of: Header, fields: Partial<Ballot> = {}): Ballot {
  return ballot(members, { height: of.height, digest: blockHash(of), ...fields });
}

export function viewChange(members: Consortium, seat: number, fields: Partial<ViewChange> = {}): ViewChange {
  const unsigned = {
    epoch: members.authorities.epoch,
    newView: View(members.authorities.startView + 1),
    finalHeight: Height(0),
    finalHash: members.chainId,
    claim: null,
    signer: seat,
    ...fields,
  };
  return { ...unsigned, signature: signerOf(members, seat).sign(viewChangeSigningBytes(members.chainId, unsigned)) };
}

export function claimOf({ view, height, digest, phase }: Certificate): NonNullable<ViewChange['claim']> {
  return { view, height, digest, phase };
}

export function newView(members: Consortium, fields: Partial<NewView> = {}, seat?: number): NewView {
  const view = fields.view ?? View(members.authorities.startView + 1);
  const unsigned = {
    epoch: members.authorities.epoch,
    view,
    viewChanges: quorum(members).map((voter) => viewChange(members, voter, { newView: view })),
    anchor: null,
    ...fields,
  };
  const primary = signerOf(members, seat ?? primaryIndex(members.authorities, view));
  return { ...unsigned, signature: primary.sign(newViewSigningBytes(members.chainId, unsigned)) };
}

export function checkpoint(members: Consortium, seat: number, fields: Partial<Checkpoint> = {}): Checkpoint {
  const unsigned = {
    epoch: members.authorities.epoch,
    height: Height(100),
    digest: hashFor('block 100'),
    stateRoot: hashFor('state 100'),
    signer: seat,
    ...fields,
  };
  return { ...unsigned, signature: signerOf(members, seat).sign(checkpointSigningBytes(members.chainId, unsigned)) };
}

export const ADMISSION: Operation = { kind: 'admit', ticket: TicketId('t-1'), gate: GateId('north') };

/** A transaction of a client, signed by it. */
export function transaction(members: Consortium, nonce: number, operation: Operation = ADMISSION): Transaction {
  const client = createSigner(devnetKeyPair('client').secretKey);
  const body = {
    chainId: members.chainId,
    organisation: OrganisationId('venue'),
    signer: client.publicKey,
    expiresAt: Timestamp(1_790_000_060_000),
    nonce,
    idempotencyKey: nonce % 2 === 0 ? null : `scan-${nonce}`,
    operation,
    statements: null,
  };
  return sealTransaction(body, client.sign(transactionSigningBytes(body)));
}

export function block(members: Consortium, body: Body, fields: Partial<Header> = {}): Block {
  const roots = { transactionsRoot: transactionsRoot(body), transactionCount: body.length };
  return { header: header(members, { ...roots, ...fields }), body };
}
