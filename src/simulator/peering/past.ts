import { type Genesis, genesisSet } from '../../ledger/genesis.ts';
import { defined } from '../../lib/assert.ts';
import { authoritySetHash, primaryIndex, quorumOf } from '../../model/authorities.ts';
import { type Block, blockHash, HEADER_VERSION, type Header } from '../../model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate } from '../../model/certificate.ts';
import { EventId, type Hash, Height, OrganisationId, Timestamp, View } from '../../model/ids.ts';
import type { Operation } from '../../model/operation.ts';
import { sealTransaction, type Transaction, transactionSigningBytes } from '../../model/transaction.ts';
import { Executor } from '../../node/executor.ts';
import { beginChain } from '../../node/recovery.ts';
import type { Chain } from '../../store/chain.ts';
import { MemoryKeyValue } from '../../store/memory.ts';
import { TABLES } from '../../store/schema.ts';
import { authorityName, BEGINNING, LIFE_MS } from '../full/genesis.ts';
import type { FullKeys } from '../full/keys.ts';

/** Between the times of two blocks of the past. */
export const PAST_BLOCK_MS = 500;

export interface Network {
  readonly genesis: Genesis;
  readonly keys: FullKeys;
}

/** A transaction that is valid at any height, with a signature of its organisation. */
export function foundEvent({ genesis, keys }: Network, number: number, now: number): Transaction {
  const signer = keys.signerOf('federation');
  const operation: Operation = {
    kind: 'event.create',
    event: EventId(`event-${number}`),
    title: `Event ${number}`,
    startsAt: BEGINNING,
    capacity: 1_000,
  };
  const body = {
    chainId: genesis.chainId,
    organisation: OrganisationId('federation'),
    signer: signer.publicKey,
    expiresAt: Timestamp(Math.floor(now + LIFE_MS / 2)),
    nonce: number,
    idempotencyKey: null,
    operation,
    statements: null,
  };
  return sealTransaction(body, signer.sign(transactionSigningBytes(body)));
}

/** Signed by a quorum, or by whichever seats are named. */
export function certify(
  { genesis, keys }: Network,
  header: Header,
  { seats, ...changes }: Partial<Ballot> & { readonly seats?: readonly number[] } = {},
): Certificate {
  const { chainId, authorities } = genesis;
  const ballot: Ballot = {
    phase: 'COMMIT',
    epoch: header.epoch,
    view: header.view,
    height: header.height,
    digest: blockHash(header),
    ...changes,
  };
  const signers = seats ?? Array.from({ length: quorumOf(authorities.length) }, (_, seat) => seat);
  const message = ballotSigningBytes(chainId, ballot);
  return { ...ballot, signers, signatures: signers.map((seat) => keys.signerOf(authorityName(seat)).sign(message)) };
}

/** Seats whose signatures make nothing final: one less than a quorum. */
export function tooFew({ genesis }: Network): readonly number[] {
  return Array.from({ length: quorumOf(genesis.authorities.length) - 1 }, (_, seat) => seat);
}

/** A chain that was made before the simulation begins, so that there is something to catch up with. */
export function makePast(network: Network, blocks: number): MemoryKeyValue {
  const queue: (() => void)[] = [];
  const settle = (): void => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) task();
  };
  const store = new MemoryKeyValue({ tables: Object.values(TABLES), schedule: (task) => void queue.push(task) });
  let chain: Chain | undefined;
  beginChain(store, network.genesis, (begun) => {
    if (!begun.ok) throw begun.error;
    chain = begun.value;
  });
  settle();
  const made = defined(chain, 'memory opens at once');
  const maker = new Maker(network, made);
  while (made.head.height < blocks) {
    maker.append(Math.min(1 + (made.head.height % 3), blocks - made.head.height));
    settle();
  }
  return store;
}

class Maker {
  readonly #network: Network;
  readonly #chain: Chain;
  readonly #executor: Executor;

  constructor(network: Network, chain: Chain) {
    this.#network = network;
    this.#chain = chain;
    this.#executor = new Executor(chain, genesisSet(network.genesis), network.genesis);
  }

  /** So many blocks under one certificate, but that checkpoints have their own. */
  append(count: number): void {
    const { checkpointInterval } = genesisSet(this.#network.genesis).parameters;
    const blocks: Block[] = [];
    let parent = this.#chain.headHash;
    for (let index = 0; index < count; index += 1) {
      const block = this.#propose(parent);
      blocks.push(block);
      parent = blockHash(block.header);
      if (block.header.height % checkpointInterval === 0) break;
    }
    const last = defined(blocks.at(-1), 'there is a block').header;
    const outcome = {
      visible: () => undefined,
      durable: () => undefined,
      failed: (error: Error) => {
        throw error;
      },
    };
    this.#executor.commit(blocks, certify(this.#network, last), undefined, outcome);
  }

  #propose(previous: Hash): Block {
    const { genesis } = this.#network;
    const set = genesisSet(genesis);
    const height = Height(defined(this.#executor.header(previous), 'the parent is known').height + 1);
    const timestamp = Timestamp(BEGINNING + height * PAST_BLOCK_MS);
    // Every third block is empty, as those of an idle network are.
    const candidates = height % 3 === 0 ? [] : [foundEvent(this.#network, height, timestamp)];
    const built = defined(this.#executor.build(previous, candidates, timestamp, true), 'the parent is there');
    const { body, roots } = defined(built.proposal ?? undefined, 'an empty block is a block');
    const header = {
      version: HEADER_VERSION,
      chainId: genesis.chainId,
      height,
      epoch: set.epoch,
      view: View(0),
      previous,
      timestamp,
      proposer: primaryIndex(set, View(0)),
      ...roots,
      authoritiesHash: authoritySetHash(set),
    };
    this.#executor.adopt(header, body);
    return { header, body };
  }
}
