/** Chains of real blocks, as many as wanted: production execution, real signatures, repeatable from a seed. */

import { devnetGenesis, devnetKeys } from '../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../src/devnet/keys.ts';
import { planDevnet } from '../../src/devnet/plan.ts';
import { foundLedger, type Genesis } from '../../src/ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { defined } from '../../src/lib/assert.ts';
import { utf8 } from '../../src/lib/bytes.ts';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import { type AuthoritySet, authoritySetHash, primaryIndex, quorumOf } from '../../src/model/authorities.ts';
import { type Block, blockHash, HEADER_VERSION, type Header } from '../../src/model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate } from '../../src/model/certificate.ts';
import { sha256 } from '../../src/model/hash.ts';
import { type Hash, Height, Timestamp, View } from '../../src/model/ids.ts';
import { Executor } from '../../src/node/executor.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import type { Signer } from '../../src/node/ports.ts';
import { Chain, type ChainEntry } from '../../src/store/chain.ts';
import type { JournalPosition } from '../../src/store/journal.ts';
import type { KeyValue, StoreError } from '../../src/store/key-value.ts';
import { TicketTraffic } from './ticket-traffic.ts';

export interface ChainPlan {
  readonly seed: number;
  /** Transactions of one block. */
  readonly transactions: number;
  /** Authorities, named as in a devnet; 4 unless told otherwise. */
  readonly authorities?: number;
  /** Largest number of blocks that one certificate makes final; 3 unless told otherwise. */
  readonly blocksPerCertificateMax?: number;
}

/** The writes that may wait for the store before the generator does. */
const BLOCKS_IN_FLIGHT = 32;
const CREATED = Timestamp(Date.UTC(2026, 5, 12));
const BLOCK_MS = 1_000;
/** One block in so many begins a new view. */
const BLOCKS_PER_VIEW = 8;

/** Extends one chain in any store. The keys are a devnet's, so a node can be started on what it leaves. */
export class ChainGenerator {
  readonly genesis: Genesis;
  /** The document's bytes. */
  readonly genesisBytes: Uint8Array;
  readonly set: AuthoritySet;
  readonly chain: Chain;
  readonly #executor: Executor;
  readonly #traffic: TicketTraffic;
  readonly #random: Prng;
  readonly #signers: readonly Signer[];
  readonly #plan: ChainPlan;
  #view = 0;
  #writes = Promise.resolve();

  /** Opens the chain of this plan in a store, or begins it there. */
  static async open(store: KeyValue, plan: ChainPlan): Promise<ChainGenerator> {
    const { genesis, bytes } = generatedGenesis(plan);
    const { header, changes, pageWrites } = foundLedger(genesis);
    const stored = {
      header,
      hash: blockHash(header),
      body: [],
      receipts: [],
      certificate: null,
      certifiedHeight: Height(0),
    };
    const chain = await new Promise<Chain>((resolve, reject) => {
      Chain.open(store, genesis.chainId, { stored, changes, pageWrites }, (begun) =>
        begun.ok ? resolve(begun.value) : reject(begun.error),
      );
    });
    return new ChainGenerator(plan, { genesis, bytes, chain });
  }

  private constructor(
    plan: ChainPlan,
    opened: { readonly genesis: Genesis; readonly bytes: Uint8Array; readonly chain: Chain },
  ) {
    this.#plan = plan;
    this.genesis = opened.genesis;
    this.genesisBytes = opened.bytes;
    this.chain = opened.chain;
    this.set = foundLedger(opened.genesis).set;
    this.#executor = new Executor(this.chain, this.set, this.genesis);
    // Another sequence for every height that it may begin at.
    this.#random = createPrng(plan.seed + 7_919 * this.chain.head.height);
    this.#traffic = new TicketTraffic(this.genesis, this.#random, this.chain.head.height);
    this.#signers = this.genesis.authorities.map(({ id }) =>
      createSigner(devnetKeyPair(devnetKeys(id).authority).secretKey),
    );
  }

  /** Appends `count` blocks, and settles when they are durable. @returns the entries if `keep` */
  async grow(count: number, keep: 'keep' | 'forget' = 'forget'): Promise<readonly ChainEntry[]> {
    const kept: ChainEntry[] = [];
    let inFlight = 0;
    for (let made = 0; made < count; ) {
      const most = Math.min(count - made, this.#plan.blocksPerCertificateMax ?? 3);
      const entries = this.#append(1 + this.#random.below(most));
      made += entries.length;
      inFlight += entries.length;
      if (keep === 'keep') kept.push(...entries);
      if (inFlight < BLOCKS_IN_FLIGHT) continue;
      await this.#writes;
      inFlight = 0;
    }
    await this.#writes;
    return kept;
  }

  /** Appends blocks under one certificate. */
  #append(count: number): readonly ChainEntry[] {
    const blocks: Block[] = [];
    let parent = this.chain.headHash;
    for (let index = 0; index < count; index += 1) {
      const block = this.#propose(parent);
      blocks.push(block);
      parent = blockHash(block.header);
    }
    const certificate = this.certify(defined(blocks.at(-1), 'there is a block').header);
    let entries: readonly ChainEntry[] = [];
    const written = new Promise<void>((resolve, reject) => {
      const failed = (error: StoreError): void => reject(error);
      const outcome = { visible: () => undefined, durable: resolve, failed };
      entries = this.#executor.commit(blocks, certificate, this.#witness(certificate.height), outcome);
    });
    this.#writes = this.#writes.then(() => written);
    return entries;
  }

  #propose(previous: Hash): Block {
    const parent = defined(this.#executor.header(previous), 'the parent is known');
    const height = Height(parent.height + 1);
    const timestamp = Timestamp(parent.timestamp + 1 + this.#random.below(BLOCK_MS));
    if (this.#random.below(BLOCKS_PER_VIEW) === 0) this.#view += 1 + this.#random.below(2);
    this.#view = Math.max(this.#view, parent.view);
    const candidates = this.#traffic.transactions(this.#plan.transactions, timestamp);
    const built = defined(this.#executor.build(previous, candidates, timestamp, true), 'the parent is there');
    const { body, roots } = defined(built.proposal, 'an empty block is a block');
    const [skipped] = built.skipped;
    if (skipped !== undefined) throw new Error(`the traffic is valid: ${skipped.fault}`);
    const header = {
      version: HEADER_VERSION,
      chainId: this.genesis.chainId,
      height,
      epoch: this.set.epoch,
      view: View(this.#view),
      previous,
      timestamp,
      proposer: primaryIndex(this.set, View(this.#view)),
      ...roots,
      authoritiesHash: authoritySetHash(this.set),
    };
    this.#executor.adopt(header, body);
    return { header, body };
  }

  /** Votes of a quorum for any header, also one that breaks the rules. */
  certify(header: Header, changes: Partial<Ballot> = {}): Certificate {
    const ballot: Ballot = {
      phase: 'COMMIT',
      epoch: this.set.epoch,
      view: View(this.#view),
      height: header.height,
      digest: blockHash(header),
      ...changes,
    };
    const message = ballotSigningBytes(this.genesis.chainId, ballot);
    const absent = this.#signers.length - quorumOf(this.#signers.length);
    const away = new Set(Array.from({ length: absent }, () => this.#random.below(this.#signers.length)));
    const signers = this.#signers.flatMap((_, seat) => (away.has(seat) ? [] : [seat]));
    const signatures = signers.map((seat) => defined(this.#signers[seat], 'the seat has a key').sign(message));
    return { ...ballot, signers, signatures };
  }

  #witness(height: number): JournalPosition {
    return {
      publicKey: sha256(utf8('key')),
      incarnation: sha256(utf8('run')).slice(0, 16),
      segment: 1,
      offset: height,
    };
  }
}

function generatedGenesis(plan: ChainPlan): { readonly genesis: Genesis; readonly bytes: Uint8Array } {
  const network = planDevnet(plan.authorities ?? 4, 7_180);
  if (!network.ok) throw new Error(network.error);
  const bytes = writeGenesis(devnetGenesis(network.value, CREATED));
  const parsed = parseGenesis(bytes);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return { genesis: parsed.value, bytes };
}

/** Appends to a fresh store the blocks of a plan. */
export async function generateChain(
  store: KeyValue,
  plan: ChainPlan & { readonly blocks: number },
): Promise<ChainGenerator> {
  const generator = await ChainGenerator.open(store, plan);
  await generator.grow(plan.blocks);
  return generator;
}
