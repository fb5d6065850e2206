import type { Header } from '../../model/block.ts';
import type { Vote } from '../../model/certificate.ts';
import type { Evidence } from '../../model/evidence.ts';
import type { Hash } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import { compareRank, type ViewChange } from '../../model/view-change.ts';

interface Statements {
  readonly votes: Map<string, Vote>;
  readonly viewChanges: Map<string, ViewChange>;
}

/** Every signed statement that went over the wire: what auditors would find in the archives of all nodes together. */
export class Archive {
  readonly #bySeat = new Map<number, Statements>();

  see(message: Message): void {
    if (message.kind === 'vote' || message.kind === 'pre-prepare') {
      const { vote } = message;
      const key = `${vote.phase}/${vote.view}/${vote.height}/${vote.digest}`;
      this.#of(vote.signer).votes.set(key, vote);
    } else if (message.kind === 'view-change') {
      const { viewChange } = message;
      this.#of(viewChange.signer).viewChanges.set(viewChange.signature, viewChange);
    }
  }

  #of(seat: number): Statements {
    let statements = this.#bySeat.get(seat);
    if (statements === undefined) {
      statements = { votes: new Map(), viewChanges: new Map() };
      this.#bySeat.set(seat, statements);
    }
    return statements;
  }

  /** Contradictions within what each seat has said; whoever takes them must still check the signatures. */
  convict(headerOf: (digest: Hash) => Header | undefined): Evidence[] {
    const evidence: Evidence[] = [];
    for (const { votes, viewChanges } of this.#bySeat.values()) {
      evidence.push(...doubleVotes([...votes.values()]));
      evidence.push(...amnesias([...votes.values()], [...viewChanges.values()]));
      evidence.push(...branches([...votes.values()], headerOf));
    }
    return evidence;
  }
}

function doubleVotes(votes: readonly Vote[]): Evidence[] {
  const first = new Map<string, Vote>();
  const found: Evidence[] = [];
  for (const vote of votes) {
    const slot = `${vote.phase}/${vote.view}/${vote.height}`;
    const other = first.get(slot);
    if (other === undefined) first.set(slot, vote);
    else if (other.digest !== vote.digest) found.push({ kind: 'double-vote', first: other, second: vote });
  }
  return found;
}

function amnesias(votes: readonly Vote[], viewChanges: readonly ViewChange[]): Evidence[] {
  return votes
    .filter(({ phase }) => phase === 'COMMIT')
    .flatMap((commit) =>
      viewChanges
        .filter(({ newView, claim }) => newView > commit.view && (claim === null || compareRank(claim, commit) < 0))
        .map((viewChange): Evidence => ({ kind: 'amnesia', commit, viewChange })),
    );
}

function branches(votes: readonly Vote[], headerOf: (digest: Hash) => Header | undefined): Evidence[] {
  const prepares = votes.filter(({ phase }) => phase === 'PREPARE');
  const found: Evidence[] = [];
  for (const upper of prepares) {
    for (const lower of prepares) {
      if (lower.view !== upper.view || lower.height >= upper.height) continue;
      const headers: Header[] = [];
      let digest = upper.digest;
      for (let height: number = upper.height; height > lower.height; height -= 1) {
        const header = headerOf(digest);
        if (header === undefined) break;
        headers.push(header);
        digest = header.previous;
      }
      if (headers.length === upper.height - lower.height && digest !== lower.digest) {
        found.push({ kind: 'branch', lower, upper, headers });
      }
    }
  }
  return found;
}
