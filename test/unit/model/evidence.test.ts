import { describe, expect, it } from 'vitest';
import { blockHash, type Header } from '../../../src/model/block.ts';
import type { Vote } from '../../../src/model/certificate.ts';
import { type Evidence, evidenceHash, isEvidenceValid, offenderOf } from '../../../src/model/evidence.ts';
import { Epoch, Height, Timestamp, View } from '../../../src/model/ids.ts';
import { verifyMessage } from '../../../src/model/verified.ts';
import {
  ballot,
  certificate,
  chain,
  claimOf,
  consortium,
  hashFor,
  header,
  newView,
  onHeader,
  viewChange,
  vote,
} from './consortium.ts';

const members = consortium(4);
const convicts = (evidence: Evidence, jurisdiction = members): boolean => isEvidenceValid(evidence, jurisdiction);

const prepare = (seat: number, text: string, fields: Partial<Vote> = {}): Vote =>
  vote(members, seat, ballot(members, { phase: 'PREPARE', view: View(1), digest: hashFor(text), ...fields }));

const doubleVote: Evidence = { kind: 'double-vote', first: prepare(2, 'a'), second: prepare(2, 'b') };

const held = certificate(members, ballot(members, { phase: 'PREPARE', view: View(1), height: Height(7) }));
const commit = vote(members, 3, ballot(members, { view: View(1), height: Height(7) }));

describe('evidence of a double vote', () => {
  it('convicts its signer, in either order and either phase', () => {
    expect(convicts(doubleVote)).toBe(true);
    expect(offenderOf(doubleVote, members)).toBe(2);
    expect(convicts({ kind: 'double-vote', first: doubleVote.second as Vote, second: doubleVote.first as Vote })).toBe(
      true,
    );
    const commits = { first: prepare(2, 'a', { phase: 'COMMIT' }), second: prepare(2, 'b', { phase: 'COMMIT' }) };
    expect(convicts({ kind: 'double-vote', ...commits })).toBe(true);
    expect(verifyMessage({ kind: 'evidence', evidence: doubleVote }, members).ok).toBe(true);
  });

  it('is not a vote sent twice, or votes of other phases, views, heights or seats', () => {
    const first = prepare(2, 'a');
    const honest = [
      first,
      prepare(2, 'b', { phase: 'COMMIT' }),
      prepare(2, 'b', { view: View(2) }),
      prepare(2, 'b', { height: Height(2) }),
      prepare(1, 'b'),
    ];
    for (const second of honest) expect(convicts({ kind: 'double-vote', first, second })).toBe(false);
  });

  it('is not forged, or brought from another chain or epoch', () => {
    const first = prepare(2, 'a');
    const forged = { ...prepare(1, 'b'), signer: 2 };
    expect(convicts({ kind: 'double-vote', first, second: forged })).toBe(false);
    expect(convicts({ kind: 'double-vote', first, second: { ...first, digest: hashFor('b') } })).toBe(false);
    expect(convicts(doubleVote, { ...members, chainId: hashFor('another chain') })).toBe(false);
    expect(convicts(doubleVote, consortium(4, 1))).toBe(false);
    const unknown = { first: { ...prepare(2, 'a'), signer: 30 }, second: { ...prepare(2, 'b'), signer: 30 } };
    expect(convicts({ kind: 'double-vote', ...unknown })).toBe(false);
  });
});

describe('evidence of two view changes', () => {
  const first = viewChange(members, 1, { newView: View(2) });

  it('convicts who asks for one view with different claims', () => {
    const second = viewChange(members, 1, { newView: View(2), claim: claimOf(held) });
    expect(convicts({ kind: 'double-view-change', first, second })).toBe(true);
    const hint = viewChange(members, 1, { newView: View(2), finalHeight: Height(1) });
    expect(convicts({ kind: 'double-view-change', first, second: hint })).toBe(true);
  });

  it('is not the same one sent again, another view, seat or epoch, or one that was altered', () => {
    const others = [
      first,
      viewChange(members, 1, { newView: View(3) }),
      viewChange(members, 2, { newView: View(2), finalHeight: Height(1) }),
      viewChange(members, 1, { newView: View(2), epoch: Epoch(1) }),
      { ...first, finalHeight: Height(1) },
    ];
    for (const second of others) expect(convicts({ kind: 'double-view-change', first, second })).toBe(false);
  });
});

describe('evidence of two new views', () => {
  const first = newView(members, { view: View(2) });

  it('convicts the primary of that view', () => {
    const viewChanges = [1, 2, 3].map((seat) => viewChange(members, seat, { newView: View(2) }));
    const evidence: Evidence = {
      kind: 'double-new-view',
      first,
      second: newView(members, { view: View(2), viewChanges }),
    };
    expect(convicts(evidence)).toBe(true);
    expect(offenderOf(evidence, members)).toBe(2);
  });

  it('is not the same one, one of another view, or one that somebody else signed', () => {
    const others = [
      first,
      newView(members, { view: View(6) }),
      newView(members, { view: View(2), viewChanges: [] }, 1),
      newView(members, { view: View(2), viewChanges: [], epoch: Epoch(1) }),
    ];
    for (const second of others) expect(convicts({ kind: 'double-new-view', first, second })).toBe(false);
  });
});

describe('evidence of amnesia', () => {
  const leaving = (fields: Parameters<typeof viewChange>[2]) => viewChange(members, 3, { newView: View(2), ...fields });

  it('convicts who commits and later claims nothing, or less', () => {
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({}) })).toBe(true);
    const lower = { ...claimOf(held), height: Height(6) };
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ claim: lower }) })).toBe(true);
    const higherInEarlierView = { ...claimOf(held), view: View(0), height: Height(9) };
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ claim: higherInEarlierView }) })).toBe(true);
    const muchLater = leaving({ newView: View(9) });
    expect(convicts({ kind: 'amnesia', commit, viewChange: muchLater })).toBe(true);
  });

  it('is not a claim of at least what was committed, or a view change before the COMMIT', () => {
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ claim: claimOf(held) }) })).toBe(false);
    const higher = { ...claimOf(held), height: Height(8) };
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ claim: higher }) })).toBe(false);
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ newView: View(1) }) })).toBe(false);
    const laterView = { ...claimOf(held), view: View(2), height: Height(1) };
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ newView: View(3), claim: laterView }) })).toBe(
      false,
    );
  });

  it('is not a PREPARE, another seat or another epoch', () => {
    const prepared = vote(members, 3, { ...commit, phase: 'PREPARE' });
    expect(convicts({ kind: 'amnesia', commit: prepared, viewChange: leaving({}) })).toBe(false);
    expect(convicts({ kind: 'amnesia', commit, viewChange: viewChange(members, 1, { newView: View(2) }) })).toBe(false);
    expect(convicts({ kind: 'amnesia', commit, viewChange: leaving({ epoch: Epoch(1) }) })).toBe(false);
  });
});

describe('evidence of leaving a branch', () => {
  const headers = chain(members, 5);
  const at = (height: number): Header => headers[height - 1] ?? header(members);
  const rival = header(members, { height: Height(2), previous: blockHash(at(1)), timestamp: Timestamp(1) });
  const preparesOn = (of: Header, seat = 1, fields: Partial<Vote> = {}): Vote =>
    vote(members, seat, onHeader(members, of, { phase: 'PREPARE', ...fields }));
  const downFrom5to2 = [at(5), at(4), at(3)];
  const leaves = (lower: Vote, upper: Vote, path: readonly Header[] = downFrom5to2): boolean =>
    convicts({ kind: 'branch', lower, upper, headers: path });

  it('convicts who prepares a block and then, higher in the same view, one that does not extend it', () => {
    expect(leaves(preparesOn(rival), preparesOn(at(5)))).toBe(true);
  });

  it('is not votes along one branch', () => {
    expect(leaves(preparesOn(at(2)), preparesOn(at(5)))).toBe(false);
    expect(leaves(preparesOn(at(4)), preparesOn(at(5)), [at(5)])).toBe(false);
  });

  it('is not votes of other views, phases, seats, or the same height', () => {
    expect(leaves(preparesOn(rival, 1, { view: View(1) }), preparesOn(at(5)))).toBe(false);
    expect(leaves(preparesOn(rival, 1, { phase: 'COMMIT' }), preparesOn(at(5)))).toBe(false);
    expect(leaves(preparesOn(rival, 2), preparesOn(at(5)))).toBe(false);
    expect(leaves(preparesOn(rival), preparesOn(at(2)), [])).toBe(false);
    expect(leaves(preparesOn(at(5)), preparesOn(rival))).toBe(false);
  });

  it('needs headers that lead from the upper block down to the lower height, and no further', () => {
    expect(leaves(preparesOn(rival), preparesOn(at(5)), [])).toBe(false);
    expect(leaves(preparesOn(rival), preparesOn(at(5)), downFrom5to2.slice(0, 2))).toBe(false);
    expect(leaves(preparesOn(rival), preparesOn(at(5)), [...downFrom5to2, at(2)])).toBe(false);
    expect(leaves(preparesOn(rival), preparesOn(at(5)), [at(5), at(3), at(4)])).toBe(false);
    const tall = header(members, { height: Height(9), previous: blockHash(at(4)) });
    const misplaced = preparesOn(tall, 1, { height: Height(5) });
    expect(leaves(preparesOn(rival), misplaced, [tall, at(4), at(3)])).toBe(false);
  });
});

describe('an honest authority', () => {
  it('is not convicted by anything it says in two views of work', () => {
    const headers = chain(members, 3);
    const seat = 1;
    const votes: Vote[] = [];
    for (const view of [0, 1].map(View)) {
      for (const of of view === 0 ? headers : headers.slice(2)) {
        votes.push(vote(members, seat, onHeader(members, of, { phase: 'PREPARE', view })));
        votes.push(vote(members, seat, onHeader(members, of, { phase: 'COMMIT', view })));
      }
    }
    const last = headers.at(-1) ?? header(members);
    const kept = (view: number) =>
      certificate(members, onHeader(members, last, { phase: 'PREPARE', view: View(view) }));
    const wishes = [1, 2].map((view) =>
      viewChange(members, seat, { newView: View(view), claim: claimOf(kept(view - 1)) }),
    );
    const paths = [[], headers.slice(1, 2), headers.slice(2), [...headers.slice(1)].reverse(), [...headers].reverse()];
    for (const first of votes) {
      for (const second of votes) {
        expect(convicts({ kind: 'double-vote', first, second })).toBe(false);
        for (const path of paths)
          expect(convicts({ kind: 'branch', lower: first, upper: second, headers: path })).toBe(false);
      }
      for (const wish of wishes) expect(convicts({ kind: 'amnesia', commit: first, viewChange: wish })).toBe(false);
    }
    for (const first of wishes)
      for (const second of wishes) expect(convicts({ kind: 'double-view-change', first, second })).toBe(false);
  });
});

describe('the hash of evidence', () => {
  it('tells one accusation from another', () => {
    const other: Evidence = { kind: 'double-vote', first: prepare(2, 'a'), second: prepare(2, 'c') };
    expect(evidenceHash(doubleVote)).not.toBe(evidenceHash(other));
  });
});
