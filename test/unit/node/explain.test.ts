import { describe, expect, it } from 'vitest';
import { Timestamp } from '../../../src/model/ids.ts';
import { type AuthorityFacts, CAUSES, type Cause, type ChainFacts, explain } from '../../../src/node/explain.ts';
import { createCup, openWorld, validate } from '../../support/small-office.ts';
import { SmallWorld } from '../../support/small-world.ts';

const NOW = Timestamp(1_781_287_200_000);

function other(id: string, more: Partial<AuthorityFacts> = {}): AuthorityFacts {
  const heardAt = Timestamp(NOW - 200);
  const calm = { connected: true, heardAt, clockOffsetMs: 3, isPrimary: false, isHalted: false, isObserver: false };
  return { id, ...calm, ...more };
}

const PRIMARY = other('federation', { isPrimary: true });
const CALM: ChainFacts = {
  now: NOW,
  lastFinalAt: Timestamp(NOW - 100),
  finalHeight: 40,
  heightAhead: null,
  prunedBelow: null,
  contradiction: null,
  noSnapshot: null,
  waiting: 0,
  oldestWaitMs: 0,
  mode: 'active',
  view: 0,
  haltReason: null,
  failure: null,
  observerReason: null,
  twinAddress: null,
  isSeatTaken: false,
  voters: 4,
  quorum: 3,
  weakQuorum: 2,
  authorities: 4,
  others: [PRIMARY, other('venue'), other('city')],
  following: null,
  patienceMs: 500,
  precisionMs: 500,
  silenceMs: 2_000,
};
const WORK = { waiting: 2, oldestWaitMs: 3_000, lastFinalAt: Timestamp(NOW - 3_000) };
const OFF = { clockOffsetMs: 900 };
const FOLLOWING = { peers: 2, refusal: null, blocksPerSecond: null, sources: 2, unseen: ['venue', 'city'] };
const CONTRADICTION = { height: 60, trusted: 'aa11', theirs: 'bb22' };

/** Each cause with the least that brings it about. */
const STORIES: Readonly<
  Record<Cause, { readonly facts: Partial<ChainFacts>; readonly moving: boolean; readonly says: string }>
> = {
  MOVING: { facts: {}, moving: true, says: 'the last one came 0.1 s ago' },
  IDLE: {
    facts: { lastFinalAt: Timestamp(NOW - 60_000) },
    moving: true,
    says: 'Nothing waits; the last block came 60 s ago',
  },
  DISK_FULL: {
    facts: { failure: { code: 'DISK_FULL', message: 'the journal cannot be written' } },
    moving: false,
    says: 'Make room and restart it. Reads go on.',
  },
  FAILED: {
    facts: { failure: { code: 'FAILED', message: 'the journal cannot be written' } },
    moving: false,
    says: 'Mend the cause and restart it',
  },
  HALTED: {
    facts: { haltReason: 'DIVERGED', mode: 'halted' },
    moving: false,
    says: 'until data/ (never the journal) was removed',
  },
  TWIN_KEY: {
    facts: { twinAddress: '10.0.0.9:40112' },
    moving: true,
    says: 'Somebody at 10.0.0.9:40112 holds the keys',
  },
  OBSERVER: {
    facts: { observerReason: 'the journal is gone' },
    moving: true,
    says: 'without a vote: the journal is gone',
  },
  CLOCK_OFF: {
    facts: { others: [PRIMARY, other('venue', OFF), other('city', OFF)] },
    moving: true,
    says: 'is 0.9 s behind the other authorities',
  },
  CHECKPOINT_CONTRADICTED: {
    facts: { contradiction: CONTRADICTION, heightAhead: 90 },
    moving: false,
    says: 'at height 60 they have bb22, and trusted_checkpoint is aa11',
  },
  LAGGING: { facts: { heightAhead: 90 }, moving: false, says: 'This node is at height 40, others are at 90' },
  NO_PEERS: {
    facts: {
      voters: 0,
      following: {
        ...{ peers: 0, sources: 0, blocksPerSecond: null, unseen: [] },
        refusal: { address: '10.0.0.9:7281', reason: 'WRONG_GENESIS' },
      },
    },
    moving: false,
    says: 'No other node is connected, so nothing new is heard of. 10.0.0.9:7281 refuses it: WRONG_GENESIS.',
  },
  NO_QUORUM: { facts: { voters: 2 }, moving: false, says: '2 of 4 authorities are here and a block needs 3' },
  NO_QUORUM_SEEN: {
    facts: { ...WORK, voters: 2, others: [], following: FOLLOWING },
    moving: false,
    says: 'This follower sees 2 of 4 authorities, and 3 decide. Not connected with it: venue, city.',
  },
  SILENT_PRIMARY: {
    facts: {
      ...WORK,
      others: [other('federation', { isPrimary: true, connected: false }), other('venue'), other('city')],
    },
    moving: false,
    says: 'The primary federation is silent',
  },
  VIEW_CHANGE: { facts: { ...WORK, mode: 'changing', view: 3 }, moving: false, says: 'agreeing on view 3' },
  WAITING: { facts: WORK, moving: false, says: '2 transactions wait, the last block came 3.0 s ago' },
};

describe('why a follower is behind', () => {
  const following = { peers: 3, refusal: null, blocksPerSecond: 800, sources: 2, unseen: [] };
  const behind = { ...CALM, voters: 0, heightAhead: 900, following };

  it('is told with the pace at which it catches up', () => {
    expect(explain(behind)).toMatchObject({ code: 'LAGGING', moving: false });
    expect(explain(behind).reason).toContain('a quorum has signed 900');
    expect(explain(behind).reason).toContain('from 2 peers, 800 blocks a second');
  });

  it('is that nobody serves what is missing, when that is so', () => {
    expect(explain({ ...behind, following: { ...following, sources: 0 } }).reason).toContain(
      'none of its peers serves',
    );
  });

  it('is that all have removed what is missing, with what helps', () => {
    const without = { ...behind, prunedBelow: 300 };
    for (const facts of [without, { ...without, following: null, voters: 4 }]) {
      const { reason } = explain(facts);
      expect(reason).toContain('Its peers have removed block 41, and keep those from 300 on');
      expect(reason).toContain('sync = "snapshot"');
    }
    expect(explain(behind).reason).not.toContain('removed');
  });

  it('is that it executes everything although it would rather have a snapshot, with the reason', () => {
    const without = { ...behind, noSnapshot: 'nobody serves one' };
    for (const facts of [without, { ...without, following: null, voters: 4 }]) {
      expect(explain(facts).reason).toContain('It executes every block, without a snapshot: nobody serves one.');
    }
    expect(explain(behind).reason).not.toContain('snapshot');
  });

  it('is not asked of one that is at the head, whatever quorum it sees', () => {
    expect(explain({ ...behind, heightAhead: null })).toMatchObject({ code: 'MOVING', moving: true });
  });
});

describe('a follower that sees fewer authorities than decide', () => {
  const blind = { ...CALM, voters: 2, others: [], following: FOLLOWING };

  it('says so when work waits and nothing becomes final, with those it does not see', () => {
    // A steady clock tells parts of a millisecond.
    const { moving, code, waitingFor } = explain({ ...blind, ...WORK, oldestWaitMs: WORK.oldestWaitMs - 0.4 });
    expect({ moving, code }).toEqual({ moving: false, code: 'NO_QUORUM_SEEN' });
    const [since, why] = [NOW - WORK.oldestWaitMs, 'not connected with this follower'];
    expect(waitingFor).toEqual(['venue', 'city'].map((authority) => ({ authority, since, why })));
  });

  it('claims no more than that work waits when it sees enough of them', () => {
    expect(explain({ ...blind, ...WORK, voters: 3 })).toMatchObject({ moving: false, code: 'WAITING', waitingFor: [] });
  });

  it('only hints at it while nothing waits, and not at all while blocks come', () => {
    const quiet = explain({ ...blind, lastFinalAt: Timestamp(NOW - 52_000) });
    expect(quiet).toMatchObject({ moving: true, code: 'IDLE' });
    expect(quiet.reason).toContain('sees 2 of 4 authorities, and 3 decide. Not connected with it: venue, city.');
    const busy = explain({ ...blind, ...WORK, lastFinalAt: Timestamp(NOW - 100) });
    expect(busy).toMatchObject({ moving: true, code: 'MOVING' });
    expect(busy.reason).not.toContain('sees');
  });
});

describe('a trusted checkpoint that the peers contradict', () => {
  it('is told by whoever is behind, instead of that it catches up', () => {
    const behind = { ...CALM, heightAhead: 900, contradiction: CONTRADICTION };
    for (const facts of [behind, { ...behind, voters: 4, others: [], following: FOLLOWING }]) {
      expect(explain(facts)).toMatchObject({ moving: false, code: 'CHECKPOINT_CONTRADICTED' });
      expect(explain(facts).reason).not.toContain('catching up');
      expect(explain({ ...facts, contradiction: null }).code).toBe('LAGGING');
    }
  });
});

describe('votes that are lost', () => {
  const observing = [PRIMARY, other('venue'), other('city', { isObserver: true })];
  const edge = '3 of 4 vote and 3 decide';

  it('are named while the chain moves on without them, with what that leaves', () => {
    const { code, reason, waitingFor } = explain({ ...CALM, voters: 3, others: observing });
    expect(code).toBe('MOVING');
    expect(reason).toContain(`city observes: its vote is lost. ${edge}`);
    expect(waitingFor).toEqual([{ authority: 'city', since: NOW - 200, why: 'it observes: its vote is lost' }]);
    const halted = [PRIMARY, other('venue'), other('city', { isHalted: true })];
    expect(explain({ ...CALM, voters: 3, others: halted }).reason).toContain(`Halted: city. ${edge}`);
  });

  it('are named where they are missed, and by one that lost its own', () => {
    const { code, reason } = explain({ ...CALM, voters: 2, others: observing });
    expect(code).toBe('NO_QUORUM');
    expect(reason).toContain('city observes: its vote is lost.');
    const own = explain({ ...CALM, voters: 3, observerReason: 'the journal is gone' });
    expect(own).toMatchObject({ code: 'OBSERVER', reason: expect.stringContaining(`the journal is gone. ${edge}`) });
  });

  it('are no matter of the edge while more vote than decide', () => {
    const { reason } = explain({ ...CALM, authorities: 5, voters: 4, others: observing });
    expect(reason).toContain('city observes');
    expect(reason).not.toContain('decide');
  });
});

describe('an explanation', () => {
  it.each(CAUSES)('of %s says what it is', (cause) => {
    const { facts, moving, says } = STORIES[cause];
    const explained = explain({ ...CALM, ...facts });
    expect(explained).toMatchObject({ code: cause, moving });
    expect(explained.reason).toContain(says);
  });

  it('names whom it waits for, and since when', () => {
    const away = other('city', { connected: false, heardAt: Timestamp(NOW - 9_000) });
    const { waitingFor, reason } = explain({ ...CALM, others: [PRIMARY, other('venue'), away] });
    expect(waitingFor).toEqual([{ authority: 'city', since: NOW - 9_000, why: 'not connected' }]);
    expect(reason).toContain('Not connected: city.');
    const silent = other('federation', { isPrimary: true, heardAt: Timestamp(NOW - 5_000) });
    const waits = explain({ ...CALM, ...WORK, others: [silent, other('venue'), other('city')] }).waitingFor;
    expect(waits).toEqual([{ authority: 'federation', since: NOW - 5_000, why: 'it is the primary and silent' }]);
  });

  it('does not call a chain stuck when the first transaction for a long time has just come', () => {
    const facts = { waiting: 1, oldestWaitMs: 2, lastFinalAt: Timestamp(NOW - 60_000) };
    const explained = explain({ ...CALM, ...facts });
    expect(explained).toMatchObject({ moving: true, code: 'IDLE' });
    expect(explained.reason).toBe('1 transaction has just come; the last block came 60 s ago.');
  });

  it('believes its own clock against a single liar, and against those who disagree among themselves', () => {
    expect(explain({ ...CALM, others: [PRIMARY, other('venue', OFF), other('city')] }).code).toBe('MOVING');
    const apart = [PRIMARY, other('venue', OFF), other('city', { clockOffsetMs: -900 })];
    expect(explain({ ...CALM, others: apart }).code).toBe('MOVING');
    const ahead = { clockOffsetMs: -4_000 };
    const both = [PRIMARY, other('venue', ahead), other('city', ahead)];
    expect(explain({ ...CALM, others: both }).reason).toContain('is 4.0 s ahead of the other authorities');
  });

  it('names the gravest cause of several', () => {
    const order: readonly Cause[] = [
      'DISK_FULL',
      'HALTED',
      'NO_QUORUM',
      'LAGGING',
      'SILENT_PRIMARY',
      'TWIN_KEY',
      'OBSERVER',
    ];
    for (const [index, graver] of order.entries()) {
      for (const lesser of order.slice(index + 1)) {
        const facts = { ...CALM, ...STORIES[lesser].facts, ...STORIES[graver].facts };
        expect(explain(facts).code).toBe(graver);
      }
    }
  });

  it('of an observer whose seat is taken says so, and not that others are missing', () => {
    const facts = { ...CALM, observerReason: 'the journal is a copy', isSeatTaken: true, voters: 0 };
    expect(explain(facts)).toMatchObject({ moving: false, code: 'OBSERVER' });
    expect(explain(facts).reason).toContain('the journal is a copy. Another node votes with its key');
    expect(explain({ ...facts, isSeatTaken: false }).code).toBe('NO_QUORUM');
  });

  it('names who has halted by its own word, here or as the primary', () => {
    const facts = { ...CALM, others: [PRIMARY, other('venue'), other('gate', { isHalted: true })] };
    const { reason, waitingFor } = explain(facts);
    expect(reason).toContain('Halted: gate.');
    expect(waitingFor).toEqual([
      { authority: 'gate', since: NOW - 200, why: 'it has halted: explain on that node says why' },
    ]);
    const headless = { ...CALM, ...WORK, others: [other('federation', { isPrimary: true, isHalted: true })] };
    expect(explain(headless)).toMatchObject({ moving: false, code: 'SILENT_PRIMARY' });
    expect(explain(headless).reason).toContain('federation has halted');
  });

  it.each(['SAFETY', 'DIVERGED'])('of the halt %s tells people what to do', (haltReason) => {
    const { reason, code } = explain({ ...CALM, haltReason, mode: 'halted' });
    expect(code).toBe('HALTED');
    expect(reason).toMatch(/people must decide|never the journal|must not vote again/);
  });
});

describe('a running node', () => {
  function codeAt(world: SmallWorld, seat: number): string {
    return world.reader(seat).explain().code;
  }

  it('explains that it moves, and that it is idle', () => {
    const world = openWorld();
    expect(codeAt(world, 1)).toBe('MOVING');
    world.run(5_000);
    expect(codeAt(world, 1)).toBe('IDLE');
  });

  it('explains a lost quorum at once, and whom it waits for', () => {
    const world = openWorld();
    world.network.isolate(2);
    world.network.isolate(3);
    const { code, waitingFor } = world.reader(0).explain();
    expect(code).toBe('NO_QUORUM');
    expect(waitingFor.map(({ authority }) => authority)).toEqual(['boxoffice', 'city']);
    expect(world.reader(0).status()).toMatchObject({ connected: 2, quorum: 3 });
  });

  it('explains a silent primary while it is being replaced', () => {
    const world = openWorld();
    world.run(1_000);
    world.network.isolate(0);
    // It is seen silent for long, because nobody can leave its view.
    world.network.passes = ({ message }) => message.kind === 'transactions';
    void world.submit(1, world.transaction('boxoffice', validate('x')), 100);
    world.run(2_500);
    expect(codeAt(world, 1)).toBe('SILENT_PRIMARY');
  });

  it('explains a view change that cannot end', () => {
    const world = openWorld();
    world.network.passes = ({ message }) => message.kind !== 'new-view' && message.kind !== 'pre-prepare';
    void world.submit(1, world.transaction('boxoffice', validate('x')), 100);
    world.until(() => world.node(2).replica.mode === 'changing');
    world.run(100);
    expect(codeAt(world, 2)).toBe('VIEW_CHANGE');
  });

  it('explains that its clock is off', () => {
    const world = openWorld();
    world.machine(2).skewMs = -3_000;
    world.run(2_500);
    expect(world.reader(2).explain().reason).toContain('is 3.0 s behind the other authorities');
    expect(codeAt(world, 1)).not.toBe('CLOCK_OFF');
  });

  it('explains that somebody else holds its keys', () => {
    const world = SmallWorld.started();
    world.network.tell(1, {
      type: 'refused',
      direction: 'inbound',
      address: '10.0.0.9:40112',
      reason: 'SELF',
      by: 'us',
    });
    expect(codeAt(world, 1)).toBe('TWIN_KEY');
    expect(world.machine(1).log).toContain('somebody else proves to hold the keys of this node');
    world.finalise(1, world.transaction('federation', createCup));
    world.run(61_000);
    expect(codeAt(world, 1)).not.toBe('TWIN_KEY');
  });

  it('explains that its key votes elsewhere, and follows without a vote from then on', () => {
    const world = openWorld();
    const { replica } = world.node(1);
    const own = replica.decided;
    own.clear();
    void world.submit(1, world.transaction('boxoffice', validate('x')), 100);
    while (own.size === 0) world.run(0.1);
    for (const key of own.keys()) own.set(key, world.genesis.chainId);
    world.run(1_000);
    const reason = expect.stringContaining('another machine signs with this authority');
    expect(world.reader(1).explain()).toMatchObject({ code: 'OBSERVER', reason });
    expect(world.reader(1).status()).toMatchObject({ role: 'observer', observerReason: reason });
    world.run(4 * world.timing.statusMs);
    expect(world.node(0).connectedAuthorities()).toBe(3);
    expect(world.reader(0).explain().reason).toContain('observes: its vote is lost. 3 of 4 vote and 3 decide');
  });
});
