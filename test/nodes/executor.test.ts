import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import { authoritySetHash } from '../../src/model/authorities.ts';
import { type Block, blockHash, HEADER_VERSION, type Header } from '../../src/model/block.ts';
import type { Certificate } from '../../src/model/certificate.ts';
import { Epoch, type Hash, Height, hashOfBytes, Signature, Timestamp, View } from '../../src/model/ids.ts';
import { sealTransaction, type Transaction } from '../../src/model/transaction.ts';
import { Executor } from '../../src/node/executor.ts';
import { beginChain } from '../../src/node/recovery.ts';
import type { Chain } from '../../src/store/chain.ts';
import { MemoryKeyValue } from '../../src/store/memory.ts';
import { admit, createCup, createStand, grant, issue, revoke, validate } from '../support/small-office.ts';
import { SmallWorld } from '../support/small-world.ts';
import { ALL_TABLES } from '../support/stores.ts';

const WORLD = new SmallWorld({ nodes: 1 });
const { genesis, jurisdiction } = WORLD;
const SET = jurisdiction.authorities;
const START = WORLD.now();

/** An executor over a store that is written when the test says so. */
class Bench {
  readonly tasks: (() => void)[] = [];
  readonly chain: Chain;
  readonly executor: Executor;

  constructor() {
    const store = new MemoryKeyValue({ tables: ALL_TABLES, schedule: (task) => void this.tasks.push(task) });
    let chain: Chain | undefined;
    beginChain(store, genesis, (begun) => {
      if (begun.ok) chain = begun.value;
    });
    this.settle();
    if (chain === undefined) throw new Error('a chain begins');
    this.chain = chain;
    this.executor = new Executor(chain, SET, genesis);
  }

  settle(): void {
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task();
  }

  build(parent: Hash, candidates: readonly Transaction[], view = 0): Block | undefined {
    const built = this.executor.build(parent, candidates, Timestamp(START + view), true);
    const header = this.executor.header(parent);
    if (built?.proposal == null || header === undefined) return undefined;
    const block = { header: headerOn(header, parent, built.proposal, view), body: built.proposal.body };
    this.executor.adopt(block.header, block.body);
    return block;
  }

  commit(blocks: readonly Block[]): void {
    this.executor.commit(blocks, certificateOf(blocks), undefined, {
      visible: () => undefined,
      durable: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
  }
}

function headerOn(
  parent: Header,
  previous: Hash,
  { timestamp, roots }: { timestamp: Timestamp; roots: object },
  view: number,
): Header {
  return {
    version: HEADER_VERSION,
    chainId: genesis.chainId,
    height: Height(parent.height + 1),
    epoch: SET.epoch,
    view: View(Math.max(view, parent.view)),
    previous,
    timestamp,
    proposer: 0,
    ...(roots as Pick<Header, 'stateRoot'>),
    authoritiesHash: authoritySetHash(SET),
  } as Header;
}

/** The executor takes finality as proven. */
function certificateOf(blocks: readonly Block[]): Certificate {
  const { header } = blocks[blocks.length - 1] as Block;
  const ballot = { phase: 'COMMIT', epoch: Epoch(0), view: header.view, height: header.height } as const;
  return { ...ballot, digest: blockHash(header), signers: [0], signatures: [Signature('ab'.repeat(64))] };
}

function founding(): readonly Transaction[] {
  return [
    WORLD.transaction('federation', createCup),
    WORLD.transaction('federation', createStand),
    WORLD.transaction('federation', grant('boxoffice', 'issuer')),
    WORLD.transaction('federation', grant('venue', 'gate')),
  ];
}

function someTransaction(random: Prng): Transaction {
  const ticket = `t${random.below(12)}`;
  const dice = random.below(4);
  if (dice === 0) return WORLD.transaction('boxoffice', issue(ticket));
  if (dice === 1) return WORLD.transaction('boxoffice', validate(ticket));
  return WORLD.transaction('venue', admit(ticket), random.chance(0.3) ? { key: `k${random.below(5)}` } : {});
}

describe('executing blocks in memory', () => {
  it('gives, on any tree of blocks, what executing each branch alone from genesis gives', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createPrng(seed);
        const bench = new Bench();
        const other = new Bench();
        const first = bench.build(bench.chain.headHash, founding()) as Block;
        expect(other.executor.validate(blockHash(first.header), first)).toBe('valid');
        /** Every block that is held, with the way to it from genesis. */
        let branches: (readonly Block[])[] = [[first]];
        for (let step = 1; step < 14; step += 1) {
          const branch = random.pick(branches);
          const tip = blockHash((branch.at(-1) as Block).header);
          if (random.chance(0.7)) {
            const candidates = Array.from({ length: random.below(4) }, () => someTransaction(random));
            const block = bench.build(tip, candidates, step) as Block;
            expect(other.executor.validate(blockHash(block.header), block)).toBe('valid');
            branches.push([...branch, block]);
          } else {
            const chosen = branch.filter(({ header }) => header.height > bench.chain.head.height);
            if (chosen.length === 0) continue;
            for (const one of [bench, other]) {
              one.commit(chosen);
              if (random.chance(0.5)) one.settle();
            }
            // As consensus does: what is not on the branch is dropped, in the same step.
            const losers = branches.filter((one) => !isOn(one, branch));
            const digests = losers.map((one) => blockHash((one.at(-1) as Block).header));
            for (const { executor } of [bench, other]) executor.drop(digests);
            branches = branches.filter((one) => isOn(one, branch));
          }
          expect(other.chain.head).toEqual(bench.chain.head);
        }
        for (const branch of branches) expect(aloneRoots(branch)).toEqual(branch.map(({ header }) => header.stateRoot));
        bench.settle();
        expect(bench.chain.stateRoot()).toBe(bench.chain.head.stateRoot);
      }),
      { numRuns: 20 },
    );
  });

  function isOn(one: readonly Block[], final: readonly Block[]): boolean {
    return one.length >= final.length && final.every((block, index) => one[index] === block);
  }

  function aloneRoots(branch: readonly Block[]): readonly Hash[] {
    const alone = new Bench();
    return branch.map((block) => {
      expect(alone.executor.validate(blockHash(block.header), block)).toBe('valid');
      alone.commit([block]);
      alone.settle();
      return alone.chain.stateRoot();
    });
  }

  it('says invalid only of what a function of the block and its parent says', () => {
    const bench = new Bench();
    const block = bench.build(bench.chain.headHash, founding()) as Block;
    const fresh = new Bench();
    const judge = (header: Header, body = block.body) => fresh.executor.validate(blockHash(header), { header, body });
    const wrongRoot = hashOfBytes(new Uint8Array(32).fill(9));
    expect(judge({ ...block.header, stateRoot: wrongRoot })).toBe('invalid');
    expect(judge({ ...block.header, receiptsRoot: wrongRoot })).toBe('invalid');
    expect(judge({ ...block.header, timestamp: Timestamp(genesis.created) })).toBe('invalid');
    expect(judge({ ...block.header, previous: wrongRoot })).toBe('aborted');
    expect(judge(block.header, block.body.slice(1))).toBe('aborted');
    expect(judge(block.header)).toBe('valid');
    const twice = bench.build(blockHash(block.header), []) as Block;
    const first = block.body[0] as Transaction;
    expect(fresh.executor.build(blockHash(block.header), [first], START, true)?.skipped).toEqual([
      { transaction: first, fault: 'ALREADY_FINAL' },
    ]);
    expect(judge(twice.header, twice.body)).toBe('valid');
  });

  it('leaves out what no block takes, and says why', () => {
    const bench = new Bench();
    const block = bench.build(bench.chain.headHash, [...founding()]) as Block;
    bench.commit([block]);
    const revoked = WORLD.transaction('federation', revoke('boxoffice', 'issuer'));
    const late = WORLD.transaction('boxoffice', issue('t1'));
    const expired = WORLD.transaction('venue', admit('t1'), { lifeMs: -1 });
    const built = bench.executor.build(bench.chain.headHash, [revoked, late, expired], START, false);
    expect(built?.proposal?.body).toEqual([revoked]);
    expect(built?.skipped.map(({ fault }) => fault)).toEqual(['NOT_PERMITTED', 'EXPIRED']);
    expect(bench.executor.build(bench.chain.headHash, [expired], START, false)?.proposal).toBeNull();
    expect(bench.executor.build(hashOfBytes(new Uint8Array(32)), [], START, true)).toBeUndefined();
  });

  it('knows what is on its way, on the branch that is asked and on any', () => {
    const bench = new Bench();
    const head = bench.chain.headHash;
    const [cup, stand] = founding() as [Transaction, Transaction];
    const left = bench.build(head, [cup], 1) as Block;
    const right = bench.build(head, [cup, stand], 2) as Block;
    expect([...bench.executor.idsInFlight(blockHash(left.header))]).toEqual([cup.id]);
    expect([...bench.executor.idsInFlight(blockHash(right.header))]).toEqual([cup.id, stand.id]);
    expect(bench.executor.isInFlight(stand.id)).toBe(true);
    bench.executor.drop([blockHash(right.header)]);
    expect(bench.executor.isInFlight(stand.id)).toBe(false);
    const judge = bench.executor.judge(START);
    expect(judge(cup)).toBeUndefined();
    bench.commit([left]);
    expect(bench.executor.judge(START)(cup)).toBe('ALREADY_FINAL');
    expect(bench.executor.isInFlight(cup.id)).toBe(false);
    expect(bench.executor.judge(START)(sealTransaction({ ...cup.body, nonce: 99 }, cup.signature))).toBeUndefined();
  });
});
