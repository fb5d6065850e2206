import type { Replica } from '../consensus/replica.ts';
import { assert } from '../lib/assert.ts';
import { quorumOf } from '../model/authorities.ts';
import { type Block, blockHash, type Header } from '../model/block.ts';
import type { Vote } from '../model/certificate.ts';
import type { Hash } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { compareRank, type ViewChange } from '../model/view-change.ts';

/** Something that must never happen, happened. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

interface Tally {
  readonly vote: Vote;
  readonly signers: Set<number>;
}

/** What one honest seat has said, across all its restarts. */
interface Record {
  readonly slots: Map<string, Hash>;
  readonly prepared: Map<number, Vote>;
  readonly viewChanges: Map<number, ViewChange>;
  readonly commits: Vote[];
  highestView: number;
}

/** Sees everything, and checks the invariants of docs/consensus.md that no single node can. */
export class Checker {
  readonly #seats: number;
  readonly #quorum: number;
  readonly #liars: ReadonlySet<number>;
  readonly #headers = new Map<Hash, Header>();
  readonly #final = new Map<number, Hash>();
  readonly #records = new Map<number, Record>();
  readonly #tallies = new Map<string, Tally>();
  /** Certificates that exist, or would if every liar signed them. */
  readonly #prepared: Vote[] = [];
  readonly #committed: Vote[] = [];
  /** False where the faults exceed what the protocol tolerates: agreement is then observed, not demanded. */
  readonly #isStrict: boolean;
  /** The first invariant that broke, and the first height with two final blocks. */
  conflict: string | null = null;
  fork: string | null = null;

  constructor(seats: number, liars: ReadonlySet<number>, isStrict: boolean) {
    this.#seats = seats;
    this.#quorum = quorumOf(seats);
    this.#liars = liars;
    this.#isStrict = isStrict;
  }

  get certificates(): { readonly prepared: number; readonly committed: number } {
    return { prepared: this.#prepared.length, committed: this.#committed.length };
  }

  #fail(invariant: string, detail: string): void {
    this.conflict ??= `${invariant}: ${detail}`;
    if (this.#isStrict) throw new Violation(invariant, detail);
  }

  see(header: Header): void {
    this.#headers.set(blockHash(header), header);
  }

  headerOf(digest: Hash): Header | undefined {
    return this.#headers.get(digest);
  }

  /** Whether `a` is `b` or an ancestor of it. */
  #isAncestor(a: { height: number; digest: Hash }, b: { height: number; digest: Hash }): boolean {
    let { digest } = b;
    for (let height = b.height; height > a.height; height -= 1) {
      const header = this.#headers.get(digest);
      if (header === undefined) return false;
      digest = header.previous;
    }
    return digest === a.digest;
  }

  /** Invariants 1, 2, 9 and 11. */
  finalised(name: string, blocks: readonly Block[]): void {
    for (const { header } of blocks) {
      this.see(header);
      const digest = blockHash(header);
      const known = this.#final.get(header.height);
      if (known !== undefined && known !== digest) {
        this.fork ??= `height ${header.height}`;
        this.#fail('agreement', `${name} made another block final at height ${header.height}`);
      }
      if (header.proposer !== header.view % this.#seats) this.#fail('made by its primary', `height ${header.height}`);
      this.#final.set(header.height, digest);
    }
  }

  /** An honest node's statement, durable and about to leave. Invariants 3, 4, 7, 8 and 14. */
  signed(seat: number, message: Message): void {
    const record = this.#recordOf(seat);
    switch (message.kind) {
      case 'pre-prepare':
        this.see(message.header);
        this.#vote(seat, record, message.vote);
        break;
      case 'vote':
        this.#vote(seat, record, message.vote);
        break;
      case 'view-change':
        this.#viewChange(seat, record, message.viewChange);
        break;
      case 'new-view':
        this.#once(seat, record, `new-view/${message.newView.view}`, message.newView.signature);
        break;
      default:
    }
  }

  #recordOf(seat: number): Record {
    let record = this.#records.get(seat);
    if (record === undefined) {
      record = { slots: new Map(), prepared: new Map(), viewChanges: new Map(), commits: [], highestView: 0 };
      this.#records.set(seat, record);
    }
    return record;
  }

  #once(seat: number, record: Record, slot: string, content: string): void {
    const said = record.slots.get(slot);
    if (said !== undefined && said !== content) this.#fail('one statement for each slot', `seat ${seat}, ${slot}`);
    record.slots.set(slot, content as Hash);
  }

  #vote(seat: number, record: Record, vote: Vote): void {
    const { phase, view, height, digest } = vote;
    if (record.slots.get(`${phase}/${view}/${height}`) === digest) return;
    if (view < record.highestView) this.#fail('no vote in a past view', `seat ${seat}, ${phase} in view ${view}`);
    record.highestView = view;
    this.#once(seat, record, `${phase}/${view}/${height}`, digest);
    if (phase === 'PREPARE') {
      const last = record.prepared.get(view);
      if (last !== undefined && last.digest !== digest) {
        if (last.height >= height) this.#fail('PREPAREs of a view ascend', `seat ${seat}, view ${view}`);
        if (!this.#isAncestor(last, vote))
          this.#fail('PREPAREs of a view are one branch', `seat ${seat}, view ${view}`);
      }
      record.prepared.set(view, vote);
    } else {
      record.commits.push(vote);
    }
    this.#count(vote, seat);
  }

  #viewChange(seat: number, record: Record, viewChange: ViewChange): void {
    const { newView, claim } = viewChange;
    const slot = `view-change/${newView}`;
    const content = JSON.stringify([viewChange.finalHash, claim]);
    // Said again.
    if (record.slots.get(slot) === content) return;
    this.#once(seat, record, slot, content);
    if (newView < record.highestView) this.#fail('views never go back', `seat ${seat}, VIEW-CHANGE to ${newView}`);
    record.highestView = newView;
    for (const commit of record.commits) {
      if (commit.view >= newView || (claim !== null && compareRank(claim, commit) >= 0)) continue;
      this.#fail('no honest amnesia', `seat ${seat} committed ${commit.view}/${commit.height}`);
    }
  }

  /** Honest votes that reach a quorum together with every liar make a certificate that may exist. */
  #count(vote: Vote, seat: number): void {
    const key = `${vote.phase}/${vote.view}/${vote.height}/${vote.digest}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { vote, signers: new Set() };
      this.#tallies.set(key, tally);
    }
    if (tally.signers.has(seat)) return;
    tally.signers.add(seat);
    if (tally.signers.size !== Math.max(1, this.#quorum - this.#liars.size)) return;
    (vote.phase === 'PREPARE' ? this.#prepared : this.#committed).push(vote);
    this.#checkLemma(vote);
  }

  /** Invariant 8: what a COMMIT certificate holds is below every later PREPARE certificate. */
  #checkLemma(added: Vote): void {
    const committed = added.phase === 'COMMIT' ? [added] : this.#committed;
    const prepared = added.phase === 'PREPARE' ? [added] : this.#prepared;
    for (const commit of committed) {
      for (const prepare of prepared) {
        const order = compareRank(prepare, commit);
        if (order >= 0 && !this.#isAncestor(commit, prepare)) this.#fail('the lemma', describe(commit, prepare));
        if (order < 0 && prepare.view === commit.view && !this.#isAncestor(prepare, commit)) {
          this.#fail('the lemma', describe(commit, prepare));
        }
      }
    }
  }
}

function describe(commit: Vote, prepare: Vote): string {
  const place = ({ view, height, digest }: Vote): string => `view ${view} height ${height} ${digest.slice(0, 8)}`;
  assert(commit.phase === 'COMMIT', 'a COMMIT is described first');
  return `committed ${place(commit)}, prepared ${place(prepare)}`;
}

/** Invariant 13: whatever others send, a replica holds no more than docs/consensus.md allows ("Bounds"). */
export function checkBuffers(name: string, replica: Replica): void {
  const { config, votes, tree, certificates, proposals, early, viewChanges, checkpoints } = replica;
  const seats = config.authorities.authorities.length;
  const window = config.authorities.parameters.windowMax;
  const bound = (what: string, size: number, sizeMax: number): void => {
    if (size > sizeMax) throw new Violation('buffers are bounded', `${name}: ${size} ${what}, at most ${sizeMax}`);
  };
  bound('blocks', tree.size, 16 * window);
  bound('certificates', certificates.size, 16 * window);
  // Two windows above the final block, and the anchor.
  const heights = 2 * window + 1;
  bound('proposals', proposals.size, heights);
  bound('early proposals', early.size, seats);
  bound('view changes', viewChanges.size, seats);
  for (const { current, future, past } of votes) {
    bound('votes of a seat', current.size, 2 * heights);
    bound('votes of a seat for a later view', future?.votes.size ?? 0, 2 * heights);
    bound('votes of a seat in earlier views', past.length, 2 * window);
  }
  for (const held of checkpoints) bound('checkpoints of a seat', held.length, 2);
}
