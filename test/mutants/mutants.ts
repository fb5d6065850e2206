import { RESTORED } from '../simulation/restored-scenario.ts';
import { ALARM_CASES } from './alarm-mutants.ts';
import { type Case, CRASHES, ONE_LIAR, STORMY } from './case.ts';
import type { Mutant } from './mutate.ts';

/** Assertions of the core would stop some mistakes before any checker sees them: the checkers must do without. */
const NO_ASSERTION_OF_ANCHOR = {
  file: 'consensus/proposals.ts',
  find: "assert(height >= anchor.height && (height > anchor.height || digest === anchor.digest), 'no vote below the anchor');",
  replace: 'void anchor;',
};
const NO_ASSERTION_OF_SLOT = {
  file: 'consensus/proposals.ts',
  find: "assert(!replica.decided.has(slotKey(phase, height)), 'one vote for each slot');",
  replace: '',
};
const NO_ASSERTION_OF_ORDER = {
  file: 'consensus/proposals.ts',
  find: "assert(tip === null || height > tip.height, 'PREPAREs of a view ascend');",
  replace: 'void tip;',
};

function quorum(name: string, formula: string): Mutant {
  return {
    name,
    changes: [
      {
        file: 'consensus/replica.ts',
        find: 'quorum: quorumOf(seats),',
        replace: `quorum: quorumOf(seats) * 0 + ${formula},`,
      },
      {
        file: 'model/certificate.ts',
        find: 'signers.length >= quorumOf(set.authorities.length) &&',
        replace: `signers.length >= quorumOf(1) * 0 + ${formula.replaceAll('seats', 'set.authorities.length')} &&`,
      },
      {
        file: 'model/verified.ts',
        find: 'viewChanges.length < quorumOf(authorities.authorities.length)',
        replace: `viewChanges.length < quorumOf(1) * 0 + ${formula.replaceAll('seats', 'authorities.authorities.length')}`,
      },
    ],
  };
}

const SAFETY = /lemma|agreement/;
const TWICE = /one statement for each slot|no vote in a past view|views never go back|ascend|one branch|amnesia/;

/** What a good harness kills. */
export const CASES: readonly Case[] = [
  {
    breaks: SAFETY,
    mutant: {
      name: 'M1: votes below the anchor',
      changes: [
        NO_ASSERTION_OF_ANCHOR,
        {
          file: 'consensus/proposals.ts',
          find: '  if (!descends(replica, path, anchor)) return false;\n',
          replace: '',
        },
        {
          file: 'consensus/proposals.ts',
          find: '  if (replica.tip === null && replica.anchor.height > replica.final.height) {\n    proposeAnchor(replica);\n    return;\n  }\n',
          replace: '  void proposeAnchor;\n',
        },
        {
          file: 'consensus/proposals.ts',
          find: '  const last = tip ?? anchor;',
          replace: '  const last = tip ?? final; void anchor;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: STORMY },
  },
  {
    breaks: /no vote in a past view|amnesia|lemma|agreement/,
    mutant: {
      name: 'M2: decides a COMMIT after its VIEW-CHANGE',
      changes: [
        {
          file: 'consensus/commit.ts',
          find: '  if (!canVote(replica)) return false;',
          replace: "  if (!canVote(replica) && replica.mode !== 'changing') return false;",
        },
        {
          file: 'consensus/commit.ts',
          find: "if (phase !== 'PREPARE' || view !== replica.view || height",
          replace: "if (phase !== 'PREPARE' || height",
        },
        {
          file: 'consensus/commit.ts',
          find: "ballot: decide(replica, 'COMMIT', height, digest) }",
          replace: "ballot: { ...decide(replica, 'COMMIT', height, digest), view } }",
        },
        {
          file: 'consensus/proposals.ts',
          find: "  assert(canVote(replica), 'a vote is of an active view');\n",
          replace: '',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: STORMY },
  },
  {
    breaks: SAFETY,
    mutant: {
      name: 'M3: chooses the anchor by height before view',
      changes: [
        {
          file: 'consensus/view-change.ts',
          find: 'anchor === null || compareRank(certificate, anchor) > 0)',
          replace: 'anchor === null || certificate.height > anchor.height)',
        },
        {
          file: 'model/verified.ts',
          find: 'best === null || compareRank(claim, best) > 0 ? claim : best',
          replace: 'best === null || claim.height > best.height ? claim : best',
        },
        {
          file: 'model/verified.ts',
          find: 'compareRank(claim, highest) === 0 && claim.digest !== highest.digest',
          replace: 'claim.view < 0',
        },
      ],
    },
    options: {
      n: 4,
      window: 2,
      scenario: {
        ...STORMY,
        faultsMs: 4_000,
        transactions: 40,
        byzantine: [{ seat: 0, strategies: ['partial-votes'] }],
        twins: [],
        lost: [],
        dead: [],
        wiped: [],
        wrongClocks: [],
      },
    },
  },
  {
    breaks: SAFETY,
    mutant: {
      name: 'M4: takes a PREPARE certificate for final',
      changes: [
        {
          file: 'consensus/commit.ts',
          find: "if (certificate.phase !== 'COMMIT' || certificate.height <=",
          replace: 'if (certificate.height <=',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: STORMY },
  },
  { mutant: quorum('quorum f+1', '(Math.floor((seats - 1) / 3) + 1)'), options: { n: 4, window: 1, scenario: STORMY } },
  {
    mutant: quorum('quorum 2f', 'Math.max(1, 2 * Math.floor((seats - 1) / 3))'),
    options: { n: 4, window: 1, scenario: STORMY },
  },
  {
    mutant: quorum('quorum 2f+1 where n is not 3f+1', '(2 * Math.floor((seats - 1) / 3) + 1)'),
    options: { n: 6, window: 1, scenario: { ...STORMY, ...ONE_LIAR } },
  },
  {
    mutant: {
      name: 'counts votes, not voters',
      changes: [
        {
          file: 'consensus/votes.ts',
          find: "    accuse(replica, { kind: 'double-vote', first: held, second: vote });\n    return;",
          replace: '    receipts.set(held, (receipts.get(held) ?? 0) + 1);',
        },
        {
          file: 'consensus/votes.ts',
          find: '  return heldVote(replica, vote.signer, vote)?.digest !== vote.digest;',
          replace: '  return true;',
        },
        {
          file: 'consensus/votes.ts',
          find: '    if (heldVote(replica, seat, ballot)?.digest === ballot.digest) count += 1;',
          replace:
            '    const held = heldVote(replica, seat, ballot);\n    if (held?.digest === ballot.digest) count += 1 + (receipts.get(held) ?? 0);',
        },
        {
          file: 'consensus/votes.ts',
          find: '/** How many seats voted for exactly this. */',
          replace: 'const receipts = new WeakMap<Vote, number>();',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: { ...STORMY, duplicateRate: 0.3 } },
  },
  {
    mutant: {
      name: 'votes twice in one view',
      changes: [
        { file: 'consensus/evidence.ts', find: '    replica.suspicion.equivocation = true;\n', replace: '' },
        NO_ASSERTION_OF_SLOT,
        NO_ASSERTION_OF_ORDER,
        {
          file: 'consensus/proposals.ts',
          find: "    accuse(replica, { kind: 'double-vote', first: held.vote, second: vote });\n    return;",
          replace: '    replica.tip = null;',
        },
        {
          file: 'consensus/wants.ts',
          find: "  if (held.digest !== vote.digest) return !isAccused(replica, 'double-vote', vote.signer);",
          replace: '  if (held.digest !== vote.digest) return true;',
        },
      ],
    },
    options: {
      n: 4,
      window: 1,
      scenario: { byzantine: [{ seat: 0, strategies: ['propose-twice', 'back-everything'] }], twins: [], lost: [] },
    },
  },
  {
    mutant: {
      name: 'ignores the view of a vote',
      changes: [
        {
          file: 'consensus/pbft.ts',
          find: '  addVote(replica, vote);\n  detectBranch',
          replace: '  addVote(replica, { ...vote, view: replica.view });\n  detectBranch',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: STORMY },
  },
  {
    mutant: {
      name: 'ignores the height of a vote',
      changes: [
        {
          file: 'consensus/replica.ts',
          find: "  return 2 * height + (phase === 'COMMIT' ? 1 : 0);",
          replace: "  return 2 * Math.min(height, 1) + (phase === 'COMMIT' ? 1 : 0);",
        },
      ],
    },
    options: { n: 4, window: 4, scenario: STORMY },
  },
  {
    mutant: {
      name: 'accepts a proposal from anyone',
      changes: [
        {
          file: 'consensus/wants.ts',
          find: '  if (vote.view < replica.view || vote.signer !== primaryOf(replica, vote.view)) return false;',
          replace: '  if (vote.view < replica.view) return false;',
        },
        {
          file: 'model/verified.ts',
          find: "  if (vote.signer !== primaryIndex(jurisdiction.authorities, vote.view)) return badForm('a proposal of a backup');\n",
          replace: '',
        },
        {
          file: 'consensus/block-tree.ts',
          find: "  if (header.proposer !== primaryIndex(authorities, header.view)) return 'not made by the primary of its view';\n",
          replace: '  void primaryIndex;\n',
        },
      ],
    },
    options: {
      n: 4,
      window: 1,
      scenario: { byzantine: [{ seat: 2, strategies: ['usurp', 'back-everything'] }], twins: [], lost: [] },
    },
  },
  {
    mutant: {
      name: 'does not validate a prepared block again in a view change',
      changes: [
        {
          file: 'consensus/proposals.ts',
          find: "  if (path.state !== 'valid' || block?.overlay !== 'ready') return;\n  if (!isPrepareAllowed(replica, path.blocks)) return;\n  const support = journalBlocks(replica, path.blocks);\n  const ballot = decide(replica, 'PREPARE', anchor",
          replace:
            "  if (block === undefined || (path.state !== 'valid' && path.state !== 'held')) return;\n  const support = journalBlocks(replica, path.blocks);\n  const ballot = decide(replica, 'PREPARE', anchor",
        },
      ],
    },
    options: { n: 4, window: 1, scenario: { ...STORMY, ...CRASHES } },
  },
  {
    mutant: {
      name: 'drops the prepared certificate',
      changes: [
        {
          file: 'consensus/view.ts',
          find: '  const { highest, final, config } = replica;',
          replace: '  const { final, config } = replica;\n  const highest = replica.final.certificate;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: STORMY },
  },
  {
    mutant: {
      name: 'forgets its votes in a crash',
      changes: [{ file: 'consensus/recover.ts', find: '      memory.votes.push(record.vote);\n', replace: '' }],
    },
    options: { n: 4, window: 1, scenario: { ...CRASHES, ...ONE_LIAR } },
  },
  {
    mutant: { name: 'the host sends before the journal is durable', changes: [] },
    options: { n: 4, window: 1, scenario: { ...CRASHES, ...ONE_LIAR, sendsBeforeSync: true, syncMsMax: 40 } },
  },
  {
    mutant: {
      name: 'truncates without a snapshot',
      changes: [
        { file: 'consensus/checkpoint.ts', find: '    votes: ownVotes,', replace: '    votes: ownVotes.slice(0, 0),' },
        {
          file: 'consensus/checkpoint.ts',
          find: '    highest,\n    viewChange:',
          replace: '    highest: null,\n    viewChange:',
        },
        {
          file: 'consensus/checkpoint.ts',
          find: '    tip,\n    votes',
          replace: '    tip: tip === null ? tip : null,\n    votes',
        },
      ],
    },
    options: { n: 4, window: 2, scenario: { ...CRASHES, ...ONE_LIAR, checkpointInterval: 2 } },
  },
  {
    breaks: TWICE,
    mutant: {
      name: 'votes after a start before the others were heard',
      changes: [
        {
          file: 'consensus/hearing.ts',
          find: '  replica.hearing = { asked: replica.now, heard: new Set(), height: Height(0) };\n',
          replace: '',
        },
        {
          file: 'consensus/own-signatures.ts',
          find: "  if (config.self < 0 || mode === 'halted') return;",
          replace: '  if (mode !== null) return;',
        },
      ],
    },
    options: { n: 4, window: 1, scenario: RESTORED },
  },
  {
    mutant: {
      name: 'enters a view without a durable record',
      changes: [
        {
          file: 'consensus/recover.ts',
          find: '      reach(memory, record.view);\n      memory.anchor = { view: record.view, reference: record.anchor };\n      return;\n    case',
          replace: '      return;\n    case',
        },
        { file: 'consensus/recover.ts', find: '      reach(memory, record.vote.view);\n', replace: '' },
        {
          file: 'consensus/recover.ts',
          find: "    assert(vote.view === view, 'the votes that are kept are of the newest view');",
          replace: '    if (vote.view !== view) continue;',
        },
        {
          file: 'consensus/recover.ts',
          find: "  assert(wasEntered || memory.votes.length === 0, 'the journal has the entry into a view before its first vote');",
          replace: '',
        },
      ],
    },
    // Whoever starts asks the others first: it takes a liar, and many crashes, before what was forgotten is signed again.
    options: {
      n: 4,
      window: 1,
      scenario: { ...STORMY, ...CRASHES, ...ONE_LIAR, crashes: 30, restartMsMax: 20, lossRate: 0.1, executionMs: 0 },
    },
  },
  ...ALARM_CASES,
];
