/** A short chain whose tickets have met all kinds of fates, always the same to the last byte, and proofs of them. */
import { devnetGenesis, devnetKeys } from '../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../src/devnet/keys.ts';
import { planDevnet } from '../../src/devnet/plan.ts';
import { foundLedger, type Genesis } from '../../src/ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { defined } from '../../src/lib/assert.ts';
import { utf8 } from '../../src/lib/bytes.ts';
import { authoritySetHash, quorumOf } from '../../src/model/authorities.ts';
import { type Block, blockHash, HEADER_VERSION, type Header } from '../../src/model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate } from '../../src/model/certificate.ts';
import { sha256 } from '../../src/model/hash.ts';
import {
  EventId,
  GateId,
  type Hash,
  Height,
  hashOfBytes,
  OrganisationId,
  type Signature,
  TicketId,
  TierId,
  Timestamp,
  View,
} from '../../src/model/ids.ts';
import { NO_TRANSFERS, type Operation } from '../../src/model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../src/model/transaction.ts';
import { Executor } from '../../src/node/executor.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import { Chain } from '../../src/store/chain.ts';
import type { KeyValueReads } from '../../src/store/key-value.ts';
import { proveChange, proveTicket } from '../../src/store/proofs.ts';
import { readHistory } from '../../src/store/tickets.ts';
import { type Bundle, writeBundle } from '../../src/verifier/bundle.ts';
import { memoryStore } from './stores.ts';

const CREATED = Timestamp(Date.UTC(2026, 5, 12));
const BLOCK_MS = 1_000;
const LIFE_MS = 60_000;
const CUP = EventId('harbour-cup-2026');
const STAND = TierId('stand');
const NORTH = GateId('north');

export interface Wish {
  readonly by: string;
  readonly operation: Operation;
  readonly statements?: string;
}

export interface ProofChain {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly store: KeyValueReads;
  readonly headers: readonly Header[];
  /** What the authority of a seat would sign for any ballot. */
  readonly sign: (seat: number, ballot: Ballot) => Signature;
}

/** The chain of these blocks, in runs that share a certificate, on the genesis of a devnet. */
export async function chainOf(
  runs: readonly (readonly (readonly Wish[])[])[],
  authorities = 4,
  seats?: readonly number[],
): Promise<ProofChain> {
  const { genesis, bytes } = genesisOf(authorities);
  const store = memoryStore();
  const { header, changes, pageWrites, set } = foundLedger(genesis);
  const founded = { body: [], receipts: [], certificate: null, certifiedHeight: Height(0) };
  const stored = { header, hash: blockHash(header), ...founded };
  const chain = await new Promise<Chain>((resolve, reject) => {
    Chain.open(store, genesis.chainId, { stored, changes, pageWrites }, (opened) =>
      opened.ok ? resolve(opened.value) : reject(opened.error),
    );
  });
  const executor = new Executor(chain, set, genesis);
  const signers = genesis.authorities.map(({ id }) => createSigner(devnetKeyPair(devnetKeys(id).authority).secretKey));
  const sign = (seat: number, ballot: Ballot): Signature =>
    defined(signers[seat], `seat ${seat} has a key`).sign(ballotSigningBytes(genesis.chainId, ballot));
  const certify = ({ height, epoch, ...of }: Header): Certificate => {
    const digest = blockHash({ height, epoch, ...of });
    const ballot: Ballot = { phase: 'COMMIT', epoch, view: View(0), height, digest };
    const voters = seats ?? Array.from({ length: quorumOf(signers.length) }, (_, seat) => seat);
    return { ...ballot, signers: voters, signatures: voters.map((seat) => sign(seat, ballot)) };
  };
  const headers: Header[] = [];
  for (const run of runs) {
    const blocks: Block[] = [];
    let previous = chain.headHash;
    for (const wishes of run) {
      const block = propose(executor, genesis, previous, wishes);
      blocks.push(block);
      previous = blockHash(block.header);
    }
    headers.push(...blocks.map((block) => block.header));
    const certificate = certify(defined(headers.at(-1), 'a run has a block'));
    await new Promise<void>((resolve, reject) => {
      const outcome = { visible: () => undefined, durable: resolve, failed: reject };
      executor.commit(blocks, certificate, undefined, outcome);
    });
  }
  return { genesis, genesisBytes: bytes, store, headers, sign };
}

export function genesisOf(authorities: number, created = CREATED): { genesis: Genesis; bytes: Uint8Array } {
  const network = planDevnet(authorities, 7_180);
  if (!network.ok) throw new Error(network.error);
  const bytes = writeGenesis(devnetGenesis(network.value, created));
  const parsed = parseGenesis(bytes);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return { genesis: parsed.value, bytes };
}

function propose(executor: Executor, genesis: Genesis, previous: Hash, wishes: readonly Wish[]): Block {
  const parent = defined(executor.header(previous), 'the parent is known');
  const timestamp = Timestamp(parent.timestamp + BLOCK_MS);
  const set = foundLedger(genesis).set;
  const candidates = wishes.map((wish, nonce) =>
    seal(genesis, wish, { nonce: 1_000 * parent.height + nonce, timestamp }),
  );
  const built = defined(executor.build(previous, candidates, timestamp, true), 'the parent is there');
  const { body, roots } = defined(built.proposal, 'an empty block is a block');
  if (built.skipped.length > 0) throw new Error(`the wishes are valid: ${built.skipped.map(({ fault }) => fault)}`);
  const header: Header = {
    version: HEADER_VERSION,
    chainId: genesis.chainId,
    height: Height(parent.height + 1),
    epoch: set.epoch,
    view: View(0),
    previous,
    timestamp,
    proposer: 0,
    ...roots,
    authoritiesHash: authoritySetHash(set),
  };
  executor.adopt(header, body);
  return { header, body };
}

function seal(
  genesis: Genesis,
  { by, operation, statements }: Wish,
  { nonce, timestamp }: { readonly nonce: number; readonly timestamp: Timestamp },
): Transaction {
  const signer = createSigner(devnetKeyPair(devnetKeys(by).operator).secretKey);
  const body = {
    chainId: genesis.chainId,
    organisation: OrganisationId(by),
    signer: signer.publicKey,
    expiresAt: Timestamp(timestamp + LIFE_MS),
    nonce,
    idempotencyKey: null,
    operation,
    statements: statements ?? null,
  };
  return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
}

function issue(tickets: readonly string[], isPlain = false): Wish {
  const operation: Operation = {
    kind: 'issue',
    event: CUP,
    tier: STAND,
    tickets: tickets.map((ticket, index) => ({
      ticket: TicketId(ticket),
      seat: isPlain ? null : `row-${index}`,
      gate: isPlain ? null : NORTH,
      holder: isPlain ? null : hashOfBytes(sha256(utf8(ticket))),
      data: new Uint8Array(),
    })),
  };
  return { by: 'boxoffice', operation };
}

function scan(kind: 'admit' | 'consume', ticket: string): Wish {
  return { by: 'venue', operation: { kind, ticket: TicketId(ticket), gate: NORTH } };
}

function validate(...tickets: string[]): Wish {
  return { by: 'boxoffice', operation: { kind: 'validate', tickets: tickets.map((ticket) => TicketId(ticket)) } };
}

/** The event, its tier, and who may issue and admit. */
export const FOUNDING: readonly Wish[] = [
  {
    by: 'federation',
    operation: {
      kind: 'event.create',
      event: CUP,
      title: 'Harbour Cup 2026 – Südkurve',
      startsAt: Timestamp(CREATED + 86_400_000),
      capacity: 500_000,
    },
  },
  {
    by: 'federation',
    operation: {
      kind: 'tier.create',
      event: CUP,
      tier: STAND,
      title: 'Main stand',
      price: 4_500,
      currency: 'EUR',
      capacity: 500_000,
      validFrom: null,
      validThrough: null,
      transfer: NO_TRANSFERS,
    },
  },
  ...(['issuer', 'gate'] as const).map((role): Wish => {
    const organisation = OrganisationId(role === 'issuer' ? 'boxoffice' : 'venue');
    return { by: 'federation', operation: { kind: 'role.grant', event: CUP, organisation, role } };
  }),
];

function named(ticket: string): string {
  return `<http://localhost/id/ticket/${ticket}> <http://schema.org/name> "Seat of honour, \\"Südkurve\\"" .\n`;
}

/**
 * Five tickets: A-1 is issued, activated and admitted; A-2 waits; A-3 is activated with a statement about it and then
 * disputed; A-4 is issued and admitted in one scan; B-1 comes alone, with a statement. The second run has three blocks and one certificate.
 */
export const FATES: readonly (readonly (readonly Wish[])[])[] = [
  [FOUNDING],
  [
    [issue(['A-1', 'A-2', 'A-3', 'A-4'])],
    [validate('A-1'), { ...validate('A-3'), statements: named('A-3') }],
    [scan('consume', 'A-1'), scan('consume', 'A-2')],
  ],
  [[{ ...issue(['B-1'], true), statements: named('B-1') }, scan('admit', 'A-4'), scan('admit', 'A-1')]],
  [
    [
      {
        by: 'boxoffice',
        operation: { kind: 'dispute', ticket: TicketId('A-3'), reason: 'FRAUD', note: 'sold twice', gate: null },
      },
    ],
  ],
];

/** Many tickets in a few blocks: the way to one of them in the state tree is as long as in a real network. */
export function manyTickets(count: number): readonly (readonly (readonly Wish[])[])[] {
  const perBlock = 2_500;
  const blocks = Array.from({ length: Math.ceil(count / perBlock) }, (_, block) => [
    ...Array.from({ length: perBlock / 500 }, (_, batch) => {
      const first = block * perBlock + batch * 500;
      return issue(
        Array.from({ length: 500 }, (_, index) => `T-${first + index}`),
        true,
      );
    }),
  ]);
  return [[FOUNDING], ...blocks.map((block) => [block]), FATES[1] ?? []];
}

export interface Wanted {
  readonly history?: boolean;
  readonly graphs?: boolean;
}

/** The proof of a ticket as a store gives it. */
export function bundleOf({ store, genesis }: ProofChain, ticket: string, wanted: Wanted = {}): Bundle {
  const id = TicketId(ticket);
  const proof = proveTicket(store, id);
  if (!proof.ok) throw new Error(proof.error);
  if (!wanted.history || proof.value.record === null) return proof.value;
  const made = readHistory(store, id, { after: 0, limit: 1_000 });
  const history = [...new Set(made.map(({ transaction }) => transaction))].map((transaction) => {
    const change = proveChange(store, transaction, wanted.graphs ? genesis.iriBase : null);
    if (!change.ok) throw new Error(change.error);
    return change.value;
  });
  return { ...proof.value, history };
}

export function bytesOfBundle(chain: ProofChain, ticket: string, wanted: Wanted = {}): Uint8Array {
  return writeBundle(bundleOf(chain, ticket, wanted));
}
