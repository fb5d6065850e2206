import { describe, expect, it } from 'vitest';
import type { BlockAnswer, TransactionAnswer } from '../../../src/client/answers.ts';
import { listNodes } from '../../../src/devnet/nodes.ts';
import { planDevnet } from '../../../src/devnet/plan.ts';
import { Report, renderBlock, renderNodes, renderWelcome, tryCommands } from '../../../src/devnet/report.ts';
import { wordsOf } from '../../../src/devnet/story.ts';

function transaction(
  type: TransactionAnswer['type'],
  operation: Readonly<Record<string, unknown>>,
  receipt: TransactionAnswer['receipt'] = { accepted: true },
): TransactionAnswer {
  return {
    id: '',
    type,
    organisation: 'venue',
    signer: '',
    expires_at: '',
    nonce: 0,
    idempotency_key: null,
    operation,
    statements: null,
    signature: '',
    receipt,
  };
}

function words(...transactions: readonly TransactionAnswer[]): string {
  const block: Pick<BlockAnswer, 'transactions'> = { transactions };
  return wordsOf(block);
}

describe('the words of a block', () => {
  it('tell an event with its tiers', () => {
    const told = words(
      transaction('event.create', { event_id: 'cup' }),
      transaction('tier.create', {}),
      transaction('tier.create', {}),
      transaction('tier.create', {}),
    );
    expect(told).toBe('event cup, 3 tiers');
  });

  it('add up tickets over transactions', () => {
    const told = words(
      transaction('issue', { tickets: [{}, {}] }),
      transaction('issue', { tickets: [{}] }),
      transaction('validate', { tickets: ['a', 'b'] }),
    );
    expect(told).toBe('3 tickets issued, 2 tickets validated');
  });

  it('name a ticket that is alone', () => {
    expect(words(transaction('validate', { tickets: ['a'] }))).toBe('a validated');
    expect(words(transaction('admit', {}, { accepted: true, subject: 'b' }))).toBe('b admitted');
  });

  it('tell what befalls tickets on their way, and cases', () => {
    const about = (type: TransactionAnswer['type'], subject: string, more = {}) =>
      transaction(type, { ticket_id: subject, ...more }, { accepted: true, subject });
    const told = words(
      about('transfer', 'a'),
      about('transfer', 'b'),
      about('hold', 'c'),
      about('release', 'c'),
      about('revoke', 'd'),
      about('case.open', 'e'),
      about('resolve', 'e', { outcome: 'UPHELD' }),
      about('resolve', 'f', { outcome: 'REISSUED' }),
    );
    expect(told).toBe(
      '2 tickets transferred, c held back, c released, d revoked, 1 case opened, 2 cases decided, 1 ticket replaced',
    );
  });

  it('tell refusals by their code', () => {
    const refused = { accepted: false, code: 'ALREADY_CONSUMED' };
    expect(words(transaction('consume', {}, refused))).toBe('consume refused: ALREADY_CONSUMED');
    expect(words(transaction('admit', {}, refused), transaction('admit', {}, refused))).toBe(
      '2 × admit refused: ALREADY_CONSUMED',
    );
  });

  it('do not tell twice what was sent twice', () => {
    const repeated = { accepted: true, replay_of: 'ab' };
    expect(words(transaction('issue', { tickets: ['a'] }, repeated))).toBe('1 repeated');
  });

  it('call an empty block a heartbeat', () => {
    expect(words()).toBe('heartbeat');
  });
});

describe('the table', () => {
  const plan = planDevnet(4, 7180);
  if (!plan.ok) throw new Error(plan.error);
  const nodes = listNodes(
    plan.value,
    () => 'ready',
    (name) => (name === 'federation' ? 4121 : undefined),
  );

  it('is the one of the documentation', () => {
    expect(renderNodes(nodes, 'http://127.0.0.1:7180', String).split('\n').slice(0, 6)).toEqual([
      'Counterfoil devnet · 4 authorities, 4 processes, stays correct with 1 of them faulty',
      'DEVNET KEYS ARE PUBLIC: anybody can sign as these nodes. Never for real tickets.',
      '',
      '  node         role       http                     p2p               pid',
      '  federation   authority  http://127.0.0.1:7181    127.0.0.1:7281    4121',
      '  venue        authority  http://127.0.0.1:7182    127.0.0.1:7282    -',
    ]);
  });

  it('says of one node that it is needed', () => {
    expect(renderNodes(nodes.slice(0, 1), '', String)).toContain('1 authority, 1 process, needs all of them');
  });
});

describe('the line of a block', () => {
  const story = {
    height: 2,
    time: '2026-06-12T10:03:25.000Z',
    proposer: 'federation',
    words: '500 tickets issued',
    finalMs: 31,
    signed: 3,
    authorities: 4,
  };

  it('has its columns in one place', () => {
    const one = renderBlock(story);
    const other = renderBlock({
      ...story,
      height: 1,
      words: 'event harbour-cup-final, 3 tiers',
      finalMs: 6,
      signed: 4,
    });
    expect(one).toMatch(/^ {5}2 {2}\d\d:\d\d:\d\d {2}federation {2}500 tickets issued +final in 31 ms {2}signed 3\/4$/);
    expect(other).toContain('final in  6 ms  signed 4/4');
    expect(one.indexOf('final in')).toBe(other.indexOf('final in'));
  });

  it('counts seconds when it took that long', () => {
    expect(renderBlock({ ...story, finalMs: 2_340 })).toContain('final in 2.3 s');
  });
});

describe('what to try', () => {
  it('can be copied: status, ticket, validate, consume, admit', () => {
    const commands = tryCommands(7180, ['aaa', 'bbb']);
    expect(commands).toContain("curl -s 'localhost:7180/api/v1/tickets/aaa?pretty'");
    expect(commands.at(-1)).toBe('npm run -s cf -- ticket admit bbb');
    expect(tryCommands(9000, ['a', 'b']).at(-1)).toContain('--node http://localhost:9000');
  });

  it('says how it ends', () => {
    expect(renderWelcome(2_900, [], undefined)).toContain('Ready in 2.9 s.');
    expect(renderWelcome(2_900, [], undefined)).toContain('keep it: npm start -- --home my-net');
    expect(renderWelcome(2_900, [], 'my-net')).toContain('my-net keeps it');
  });
});

describe('a report', () => {
  function written(isInteractive: boolean): string {
    const parts: string[] = [];
    const output = { isInteractive, columns: 20, emphasise: String, write: (part: string) => void parts.push(part) };
    const report = new Report(output);
    report.passing('heartbeat');
    report.passing('another heartbeat that is wide');
    report.line('a block');
    return parts.join('');
  }

  it('writes over its last line on a terminal', () => {
    expect(written(true)).toBe('heartbeat\r\u001b[2Kanother heartbeat t\r\u001b[2Ka block\n');
  });

  it('leaves passing lines out elsewhere', () => {
    expect(written(false)).toBe('a block\n');
  });
});
