import { describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { TicketId } from '../../../src/model/ids.ts';
import { ticketsNamed } from '../../../src/model/operation.ts';
import { askQuestion, QUESTIONS } from '../../../src/provenance/questions.ts';
import { expand, type PrefixedName } from '../../../src/provenance/vocabulary.ts';
import { Asked, type Rows } from '../../support/asking.ts';
import { BASE } from '../../support/described-ledger.ts';
import { toldStory } from '../../support/described-story.ts';

const FIRST = '2026-06-12T00:00:00Z';
const LAST = '2026-06-13T00:00:00Z';

const story = toldStory();

/** A transaction as rows name it, by its kind or the code of its refusal, and a ticket that it names. */
function tx(kind: string, ticket: string): string {
  const found = story.all.find(
    ({ transaction: { body }, receipt }) =>
      receipt.replayOf === null &&
      (receipt.code ?? body.operation.kind) === kind &&
      ticketsNamed(body.operation).includes(TicketId(ticket)),
  );
  return `tx/${defined(found, `${kind} of ${ticket}`).transaction.id}`;
}

/** Facts that no ledger would write: `subject predicate object`, names of ours without their base. */
function forged(...facts: readonly string[]): string {
  const term = (text: string): string => {
    if (/^(?:cf|prov|rdf):/.test(text)) return `<${expand(text as PrefixedName)}>`;
    if (/^\d{4}-/.test(text)) return `"${text}"^^<${expand('xsd:dateTime')}>`;
    if (/^\d+$/.test(text)) return `"${text}"^^<${expand('xsd:integer')}>`;
    return text.startsWith('"') ? text : `<${BASE}${text}>`;
  };
  return facts.map((fact) => `${fact.split(' ').map(term).join(' ')} <${BASE}forged> .\n`).join('');
}

const honest = new Asked(story.documents, BASE);

/** The answers of the story with some forged facts beside it. */
function askedWith(...facts: readonly string[]): Asked {
  return new Asked([...story.documents, forged(...facts)], BASE);
}

const at = (seconds: number, minutes = 0): string =>
  `2026-06-12T00:${`${minutes}`.padStart(2, '0')}:${`${seconds}`.padStart(2, '0')}Z`;

describe('of one ticket', () => {
  it('history: every version, in order', () => {
    const scanned = tx('consume', 't-1');
    expect(honest.ask('history', { ticket: 't-1' })).toEqual([
      ['1', 'cf:Issued', 'cf:Good', 'cf:Issuance', at(2), 'agent/boxoffice', '2', tx('issue', 't-1')],
      ['2', 'cf:Validated', 'cf:Good', 'cf:Validation', at(4), 'agent/boxoffice', '4', tx('validate', 't-1')],
      ['3', 'cf:Consumed', 'cf:Good', 'cf:Consumption', at(5), 'agent/arena', '5', scanned],
      ['4', 'cf:Consumed', 'cf:Good', 'cf:CaseOpening', at(10, 7), 'agent/arena', '10', tx('case.open', 't-1')],
      ['5', 'cf:Consumed', 'cf:Good', 'cf:DisputeResolution', at(11, 7), 'agent/city', '11', tx('resolve', 't-1')],
    ]);
    expect(honest.ask('history', { ticket: 't-7' }).map((row) => row.slice(0, 4))).toEqual([
      ['1', 'cf:Issued', 'cf:Good', 'cf:Issuance'],
      ['2', 'cf:Validated', 'cf:Good', 'cf:Admission'],
      ['3', 'cf:Consumed', 'cf:Good', 'cf:Admission'],
    ]);
    expect(honest.ask('history', { ticket: 'forged' })).toEqual([]);
  });

  it('state-as-of: the last version by then', () => {
    const states = [FIRST, at(2), at(4), '2026-06-12T00:00:04.999Z', at(5), LAST].map((instant) =>
      honest.ask('state-as-of', { ticket: 't-1', at: instant }).map((row) => row.slice(0, 4)),
    );
    expect(states).toEqual([
      [],
      [['1', 'cf:Issued', 'cf:Good', at(2)]],
      [['2', 'cf:Validated', 'cf:Good', at(4)]],
      [['2', 'cf:Validated', 'cf:Good', at(4)]],
      [['3', 'cf:Consumed', 'cf:Good', at(5)]],
      [['5', 'cf:Consumed', 'cf:Good', at(11, 7)]],
    ]);
  });

  it('who-admitted: every presentation, also what was refused', () => {
    const first = [
      'cf:Consumption',
      'agent/arena',
      '',
      'gate/gate-a',
      'lane-4/17',
      at(5),
      at(5),
      '',
      tx('consume', 't-1'),
    ];
    const second = [
      ...['cf:RejectedAttempt', 'agent/arena', '', 'gate/gate-b', '', at(6, 7), at(6, 7), 'ALREADY_CONSUMED'],
      tx('ALREADY_CONSUMED', 't-1'),
    ];
    expect(honest.ask('who-admitted', { ticket: 't-1' })).toEqual([first, second]);
    expect(honest.ask('who-admitted', { ticket: 'forged' }).map((row) => row[7])).toEqual(['UNKNOWN_TICKET']);
    // A repetition is no second presentation, and a dispute none at all.
    expect(honest.ask('who-admitted', { ticket: 't-2' })).toEqual([]);
  });

  it('who-admitted: a claim tells when it happened, and when the ledger heard of it', () => {
    const asked = askedWith(
      'claim/1 rdf:type cf:OfflineClaim',
      'claim/1 cf:ticket ticket/t-8',
      'claim/1 prov:atLocation gate/gate-a',
      'claim/1 prov:wasAssociatedWith device/c1',
      `claim/1 prov:endedAtTime ${at(0, 9)}`,
      `claim/1 cf:submittedAt ${at(0, 14)}`,
      'device/c1 prov:actedOnBehalfOf agent/arena',
    );
    const rows = asked.ask('who-admitted', { ticket: 't-8' });
    expect(rows.at(-1)).toEqual([
      'cf:OfflineClaim',
      'device/c1',
      'agent/arena',
      'gate/gate-a',
      '',
      at(0, 9),
      at(0, 14),
      '',
      'claim/1',
    ]);
  });
});

describe('of an event', () => {
  it('illegal-transitions: none, unless somebody made one', () => {
    expect(honest.ask('illegal-transitions')).toEqual([]);
    const undone = askedWith(
      'ticket/t-7/v/4 prov:wasRevisionOf ticket/t-7/v/3',
      'ticket/t-7/v/4 prov:specializationOf ticket/t-7',
      'ticket/t-7/v/4 prov:wasGeneratedBy tx/undone',
      'ticket/t-7/v/4 cf:state cf:Validated',
    );
    expect(undone.ask('illegal-transitions')).toEqual([['ticket/t-7', 'cf:Consumed', 'cf:Validated', 'tx/undone']]);
    const born = askedWith(
      'ticket/x/v/1 cf:version 1',
      'ticket/x/v/1 prov:specializationOf ticket/x',
      'ticket/x/v/1 prov:wasGeneratedBy tx/born',
      'ticket/x/v/1 cf:state cf:Consumed',
    );
    expect(born.ask('illegal-transitions')).toEqual([['ticket/x', '', 'cf:Consumed', 'tx/born']]);
  });

  it('gate-curve: admissions in slots, within the time that is asked for', () => {
    const all: Rows = [
      ['gate/gate-a', FIRST, '2'],
      ['gate/gate-b', at(0, 5), '1'],
    ];
    expect(honest.ask('gate-curve', { from: FIRST, until: LAST })).toEqual(all);
    expect(honest.ask('gate-curve', { from: FIRST, until: at(6, 7) })).toEqual(all.slice(0, 1));
    expect(honest.ask('gate-curve', { from: at(6, 7), until: LAST })).toEqual(all.slice(1));
  });

  it('double-admissions: who came twice, and how often he was let in', () => {
    expect(honest.ask('double-admissions')).toEqual([
      ['ticket/t-1', '2', '1', '2', at(5), at(6, 7)],
      ['ticket/t-6', '2', '1', '2', at(5), at(6, 7)],
    ]);
  });

  it('disputes: the open and the decided, and who judged himself', () => {
    expect(honest.ask('disputes')).toEqual([
      [
        ...['ticket/t-1', 'DOUBLE_ADMISSION', at(10, 7), 'agent/arena'],
        ...['cf:Rejected', at(11, 7), 'agent/city', 'false'],
      ],
      [...['ticket/t-2', 'FRAUD', at(10, 7), 'agent/boxoffice'], ...['cf:Reissued', at(11, 7), 'agent/city', 'false']],
      [...['ticket/t-5', 'STOLEN', at(10, 7), 'agent/federation'], ...['', '', '', 'false']],
    ]);
    const asked = askedWith(
      'ticket/t-5/v/4 prov:wasRevisionOf ticket/t-5/v/3',
      'ticket/t-5/v/4 prov:wasGeneratedBy tx/own',
      'tx/own rdf:type cf:DisputeResolution',
      'tx/own cf:outcome cf:Upheld',
      `tx/own prov:endedAtTime ${at(0, 8)}`,
      'tx/own prov:wasAssociatedWith agent/federation',
    );
    expect(asked.ask('disputes').at(-1)?.slice(4)).toEqual(['cf:Upheld', at(0, 8), 'agent/federation', 'true']);
  });

  it('custody-resale: what was asked above the cap, and whether it was done', () => {
    const refused = tx('PRICE_ABOVE_CAP', 't-3');
    const row = ['ticket/t-3', refused, at(7, 7), 'agent/market', '4500', '7200', '110', 'false'];
    expect(honest.ask('custody-resale')).toEqual([row]);
    const asked = askedWith(
      'tx/dear rdf:type cf:Transfer',
      'tx/dear cf:ticket ticket/t-8',
      'tx/dear cf:salePrice 4951',
      `tx/dear prov:endedAtTime ${at(0, 8)}`,
      'tx/dear prov:wasAssociatedWith agent/market',
      'tx/fair rdf:type cf:Transfer',
      'tx/fair cf:ticket ticket/t-8',
      'tx/fair cf:salePrice 4950',
      `tx/fair prov:endedAtTime ${at(0, 8)}`,
      'tx/fair prov:wasAssociatedWith agent/market',
    );
    const dear = ['ticket/t-8', 'tx/dear', at(0, 8), 'agent/market', '4500', '4951', '110', 'true'];
    expect(asked.ask('custody-resale')).toEqual([row, dear]);
  });

  it('revoked-then-used: tried, and not admitted', () => {
    const tried = tx('TICKET_REVOKED', 't-4');
    const row = ['ticket/t-4', 'CHARGEBACK', at(8, 7), at(9, 7), 'gate/gate-b', 'false', tried];
    expect(honest.ask('revoked-then-used')).toEqual([row]);
    const asked = askedWith(
      'tx/in rdf:type cf:OfflineClaim',
      'tx/in cf:ticket ticket/t-4',
      'tx/in prov:atLocation gate/gate-a',
      `tx/in prov:endedAtTime ${at(0, 9)}`,
    );
    const inside = ['ticket/t-4', 'CHARGEBACK', at(8, 7), at(0, 9), 'gate/gate-a', 'true', 'tx/in'];
    expect(asked.ask('revoked-then-used')).toEqual([row, inside]);
  });

  it('reconcile: every ticket once, as it is now', () => {
    const tier = 'tier/harbour-cup-2026/stand';
    expect(honest.ask('reconcile')).toEqual([
      [tier, '50', 'cf:Consumed', 'cf:Good', '3'],
      [tier, '50', 'cf:Disputed', 'cf:Good', '2'],
      [tier, '50', 'cf:Issued', 'cf:Good', '2'],
      [tier, '50', 'cf:Validated', 'cf:Good', '1'],
      [tier, '50', 'cf:Validated', 'cf:Revoked', '1'],
    ]);
  });
});

describe('of the chain', () => {
  it('chain-breaks: none, unless a block is another or gone', () => {
    expect(honest.ask('chain-breaks')).toEqual([]);
    const other = askedWith(
      'block/14 cf:previousBlock block/13',
      'block/14 cf:previousHash "ff"',
      'block/14 cf:height 14',
    );
    const real = other.ask('chain-breaks');
    expect(real.map((row) => row.slice(0, 2))).toEqual([['14', 'ff']]);
    const gap = askedWith('block/16 rdf:type cf:Block', 'block/16 cf:height 16');
    expect(gap.ask('chain-breaks')).toEqual([['16', 'missing', '']]);
    const without = new Asked(
      story.documents.filter((document) => !document.includes('/block/5> .\n')),
      BASE,
    );
    expect(without.ask('chain-breaks')).toEqual([['6', 'missing', '']]);
  });

  it('authorities: what each did, and blocks with too few signatures', () => {
    const rows = honest.ask('authorities');
    expect(rows.map((row) => row.slice(0, 3))).toEqual([
      ['authority/authority-0', 'agent/federation', '13'],
      ['authority/authority-1', 'agent/arena', '13'],
      ['authority/authority-2', 'agent/boxoffice', '13'],
      ['authority/authority-3', 'agent/city', '1'],
    ]);
    expect(rows.map((row) => Number(row[3])).reduce((sum, proposed) => sum + proposed)).toBe(13);
    expect(rows.map((row) => row[4])).toEqual(['0', '0', '0', '0']);
    const weak = askedWith('block/14 rdf:type cf:Block', 'block/14 cf:height 14');
    expect(weak.ask('authorities').map((row) => row[4])).toEqual(['1', '1', '1', '1']);
  });

  it('out-of-lease: who admitted without the right to', () => {
    expect(honest.ask('out-of-lease')).toEqual([]);
    const device = [
      'device/c1 rdf:type cf:GateDevice',
      `device/c1 cf:leasedFrom ${at(0, 1)}`,
      `device/c1 cf:leasedUntil ${at(0, 8)}`,
      'device/c1 prov:atLocation gate/gate-a',
      ...['in', 'late', 'away'].map((name) => `tx/${name} prov:wasAssociatedWith device/c1`),
      `tx/in prov:endedAtTime ${at(0, 8)}`,
      'tx/in prov:atLocation gate/gate-a',
      `tx/late prov:endedAtTime ${at(1, 8)}`,
      'tx/late prov:atLocation gate/gate-a',
      `tx/away prov:endedAtTime ${at(0, 7)}`,
      'tx/away prov:atLocation gate/gate-b',
    ];
    expect(askedWith(...device).ask('out-of-lease')).toEqual([
      ['tx/away', 'device/c1', at(0, 7), 'gate/gate-b', 'PLACE'],
      ['tx/late', 'device/c1', at(1, 8), 'gate/gate-a', 'TIME'],
    ]);
    const scan = (name: string, organisation: string, height: number): readonly string[] => [
      `tx/${name} rdf:type cf:Admission`,
      `tx/${name} prov:wasAssociatedWith agent/${organisation}`,
      `tx/${name} prov:endedAtTime ${at(height, 30)}`,
      `tx/${name} prov:atLocation gate/gate-a`,
      `tx/${name} cf:ticket ticket/t-8`,
      `tx/${name} cf:height ${height}`,
    ];
    // The arena lost the role in block 12; the city never had it.
    const asked = askedWith(...scan('had', 'arena', 11), ...scan('lost', 'arena', 14), ...scan('never', 'city', 11));
    expect(asked.ask('out-of-lease')).toEqual([
      ['tx/never', 'agent/city', at(11, 30), 'gate/gate-a', 'ROLE'],
      ['tx/lost', 'agent/arena', at(14, 30), 'gate/gate-a', 'ROLE'],
    ]);
  });
});

describe('asking', () => {
  const faultOf = (name: string, given: Readonly<Record<string, string>>) => {
    const asked = askQuestion(name, given, BASE);
    return asked.ok ? undefined : asked.error;
  };

  it('answers the examples of every question', () => {
    expect(QUESTIONS.length).toBe(13);
    expect(new Set(QUESTIONS.map(({ name }) => name)).size).toBe(13);
    for (const { name, parameters, columns, sparql } of QUESTIONS) {
      expect(() =>
        honest.ask(name, Object.fromEntries(parameters.map((one) => [one.name, one.example]))),
      ).not.toThrow();
      for (const { name: parameter } of parameters) expect(sparql).toContain(`{{${parameter}}}`);
      const selected = sparql.slice(0, sparql.indexOf('WHERE'));
      for (const column of columns) expect(selected, name).toContain(`?${column}`);
      expect(sparql).toContain('ORDER BY');
      expect(sparql).not.toContain('NOT EXISTS');
    }
  });

  it('takes names and instants, and nothing that could end the term they stand in', () => {
    const hostile = [
      '',
      'a b',
      't-1> ; ?p ?o',
      '{{at}}',
      't"',
      "t'",
      't\\u003e',
      'x'.repeat(65),
      'ü',
      '../tx/1',
      't-1\n',
    ];
    for (const ticket of hostile) expect(faultOf('history', { ticket })?.code, ticket).toBe('BAD_PARAMETER');
    const instants = [
      '',
      'now',
      '2026-06-12',
      '2026-06-12T00:00:00',
      '2026-02-30T00:00:00Z',
      '2026-06-12T00:00:00.5000000000Z',
      '2026-06-12T00:00:00+25:00',
    ];
    for (const instant of [...instants, '2026-06-12T00:00:00Z"^^xsd:dateTime) } #']) {
      expect(faultOf('state-as-of', { ticket: 't-1', at: instant })?.code, instant).toBe('BAD_PARAMETER');
    }
    expect(faultOf('state-as-of', { ticket: '$&', at: FIRST })?.code).toBe('BAD_PARAMETER');
  });

  it('says which parameter is missing or too many', () => {
    expect(faultOf('history', {})).toMatchObject({ code: 'MISSING_PARAMETER', name: 'ticket' });
    expect(faultOf('reconcile', { ticket: 't-1' })).toMatchObject({ code: 'UNKNOWN_PARAMETER', name: 'ticket' });
    expect(faultOf('history', { ticket: 't-1', constructor: 'x' })).toMatchObject({ code: 'UNKNOWN_PARAMETER' });
    expect(faultOf('toString', {})).toMatchObject({ code: 'UNKNOWN_QUESTION', name: 'toString' });
  });
});
