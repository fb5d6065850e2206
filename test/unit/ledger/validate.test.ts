import { describe, expect, it } from 'vitest';
import { foundLedger, genesisSet } from '../../../src/ledger/genesis.ts';
import {
  checkTransaction,
  HEADER_FAULTS,
  type HeaderContext,
  TRANSACTION_FAULTS,
  type TransactionContext,
  validateHeader,
} from '../../../src/ledger/validate.ts';
import { authoritySetHash } from '../../../src/model/authorities.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import { Epoch, Height, Timestamp, View, ZERO_HASH } from '../../../src/model/ids.ts';
import { TIMESTAMP_MS_MAX } from '../../../src/model/limits.ts';
import { NO_TRANSFERS, type Operation } from '../../../src/model/operation.ts';
import {
  ARENA,
  BOX_OFFICE,
  CHAIN_ID,
  CITY,
  CREATED,
  CUP,
  createCup,
  createStand,
  FEDERATION,
  GENESIS,
  grant,
  issue,
  keyOf,
  LIFE_MS,
  openedState,
  resolve,
  STAND,
  scan,
  spare,
  testKey,
  transactionOf,
  transfer,
  validate,
  type Wish,
} from './fixture.ts';
import { hashOf } from './samples.ts';

const NOW = CREATED + 1_000;

function context(more: Partial<TransactionContext> = {}): TransactionContext {
  return {
    chainId: CHAIN_ID,
    iriBase: GENESIS.iriBase,
    timestamp: Timestamp(NOW),
    transactionLifeMsMax: LIFE_MS,
    state: openedState(),
    recentIds: new Set(),
    ...more,
  };
}

const STATE = 'https://w3id.org/counterfoil#state';

/** A line about a ticket. */
function about(ticket: string, value: string, predicate = 'http://schema.org/description'): string {
  return `<${GENESIS.iriBase}ticket/${ticket}> <${predicate}> "${value}" .\n`;
}

/** A line about something of the box office. */
function own(name: string): string {
  return `<https://box-office.example/${name}> <http://schema.org/description> "x" .\n`;
}

const wish: Wish = { by: BOX_OFFICE, operation: issue('t') };

describe('a transaction that may stand in a block', () => {
  it('is of this chain, of its time, by a known signer with the right to it', () => {
    expect(checkTransaction(transactionOf(wish), context())).toBeUndefined();
  });

  it('expires between the time of the block and the longest life after it, both included', () => {
    for (const expiresAt of [NOW, NOW + LIFE_MS]) {
      expect(checkTransaction(transactionOf({ ...wish, expiresAt }), context())).toBeUndefined();
    }
  });

  it('may be refused for what it asks: that is for the receipt to say', () => {
    const scans: Wish[] = [
      { by: ARENA, operation: scan('consume', 'forged') },
      { by: FEDERATION, operation: createCup },
      { by: FEDERATION, operation: grant(CITY, 'gate') },
    ];
    for (const forged of scans) expect(checkTransaction(transactionOf(forged), context())).toBeUndefined();
  });
});

describe('a transaction that may not', () => {
  const event = (more: object): Operation => ({ ...createCup, ...more }) as Operation;
  const tier = (more: object): Operation => ({ ...createStand, ...more }) as Operation;
  const at = (ms: number): Timestamp => Timestamp(ms);
  const organise = (operation: Operation): Wish => ({ by: FEDERATION, operation });
  const cases: readonly (readonly [name: string, fault: string, wish: Wish])[] = [
    ['is of another chain', 'WRONG_CHAIN', { ...wish, chainId: ZERO_HASH }],
    ['has expired', 'EXPIRED', { ...wish, expiresAt: NOW - 1 }],
    ['lives too long', 'TOO_FAR_AHEAD', { ...wish, expiresAt: NOW + LIFE_MS + 1 }],
    ['issues nothing', 'EMPTY_BATCH', { ...wish, operation: issue() }],
    ['validates nothing', 'EMPTY_BATCH', { ...wish, operation: validate() }],
    ['creates an event without title', 'BAD_VALUE', organise(event({ title: '' }))],
    ['creates an event for nobody', 'BAD_VALUE', organise(event({ capacity: 0 }))],
    ['creates an event that no calendar holds', 'BAD_VALUE', organise(event({ startsAt: at(TIMESTAMP_MS_MAX + 1) }))],
    ['creates a tier without title', 'BAD_VALUE', organise(tier({ title: '' }))],
    ['creates a tier for nobody', 'BAD_VALUE', organise(tier({ capacity: 0 }))],
    [
      'creates a tier that is over before it begins',
      'BAD_VALUE',
      organise(tier({ validFrom: at(2), validThrough: at(1) })),
    ],
    [
      'creates a tier that begins beyond all calendars',
      'BAD_VALUE',
      organise(tier({ validFrom: at(TIMESTAMP_MS_MAX + 1) })),
    ],
    [
      'creates a tier that ends beyond all calendars',
      'BAD_VALUE',
      organise(tier({ validThrough: at(TIMESTAMP_MS_MAX + 1) })),
    ],
    [
      'creates a tier whose transfers end beyond all calendars',
      'BAD_VALUE',
      organise(tier({ transfer: { ...NO_TRANSFERS, until: at(TIMESTAMP_MS_MAX + 1) } })),
    ],
    ['sells on without a price', 'BAD_VALUE', { ...wish, operation: transfer('t', { channel: 'RESALE' }) }],
    ['replaces a ticket by none', 'BAD_VALUE', { ...wish, operation: resolve('t', 'REISSUED') }],
    ['replaces a ticket and says otherwise', 'BAD_VALUE', { ...wish, operation: resolve('t', 'UPHELD', spare('u')) }],
    ['is signed by a stranger', 'UNKNOWN_SIGNER', { ...wish, signer: testKey(15) }],
    ['is signed for another organisation', 'UNKNOWN_SIGNER', { ...wish, signer: keyOf(ARENA) }],
    ['is signed by an authority', 'UNKNOWN_SIGNER', { ...wish, signer: testKey(2) }],
    ['asks for what its organisation may not', 'NOT_PERMITTED', { ...wish, by: ARENA }],
    ['states something in no order', 'BAD_STATEMENTS', { ...wish, statements: about('t', 'b') + about('t', 'a') }],
    ['states with a blank node', 'BAD_STATEMENTS', { ...wish, statements: '_:b <http://schema.org/name> "x" .\n' }],
    ['describes the ticket of somebody else', 'SUBJECT_OUT_OF_SCOPE', { ...wish, statements: about('u', 'a') }],
    ['describes its own namespace itself', 'SUBJECT_OUT_OF_SCOPE', { ...wish, statements: own('') }],
    ['speaks for the ledger', 'RESERVED_VOCABULARY', { ...wish, statements: about('t', 'a', STATE) }],
  ];

  it.each(cases)('%s: %s', (_, fault, bad) => {
    expect(checkTransaction(transactionOf(bad), context())).toBe(fault);
  });

  it('may describe its ticket, and what is in the namespace of its organisation', () => {
    for (const statements of [about('t', 'a'), about('t', 'a') + about('t', 'b'), own('stand/7')]) {
      expect(checkTransaction(transactionOf({ ...wish, statements }), context())).toBeUndefined();
    }
  });

  it('is final already', () => {
    const transaction = transactionOf(wish);
    expect(checkTransaction(transaction, context({ recentIds: new Set([transaction.id]) }))).toBe('ALREADY_FINAL');
  });

  it('is told apart by codes that are all in use', () => {
    const used = new Set([...cases.map(([, fault]) => fault), 'ALREADY_FINAL']);
    expect([...used].sort()).toEqual([...TRANSACTION_FAULTS].sort());
  });

  it('creates at the last moment of all calendars at the latest', () => {
    const last = at(TIMESTAMP_MS_MAX);
    const operations = [event({ startsAt: last }), tier({ validFrom: last, validThrough: last })];
    for (const operation of operations) {
      expect(checkTransaction(transactionOf(organise(operation)), context())).toBeUndefined();
    }
    expect(new Date(TIMESTAMP_MS_MAX).toISOString()).toBe('9999-12-31T23:59:59.999Z');
  });

  it('is found before its event is known, too', () => {
    const operation = { ...issue('t'), event: CUP, tier: STAND };
    expect(checkTransaction(transactionOf({ by: CITY, operation }), context())).toBe('NOT_PERMITTED');
  });
});

describe('a header', () => {
  const { header: genesis } = foundLedger(GENESIS);
  const set = genesisSet(GENESIS);
  const parent: Header = {
    ...genesis,
    chainId: CHAIN_ID,
    height: Height(7),
    view: View(2),
    proposer: 2,
    timestamp: Timestamp(NOW),
  };
  const place: HeaderContext = { chainId: CHAIN_ID, parent, parentHash: blockHash(parent), set };
  const good: Header = {
    ...parent,
    height: Height(8),
    previous: place.parentHash,
    view: View(5),
    proposer: 1,
    timestamp: Timestamp(NOW + 1),
    transactionCount: 500,
    authoritiesHash: authoritySetHash(set),
  };

  it('follows its parent', () => {
    expect(validateHeader(good, place)).toBeUndefined();
    expect(validateHeader(good, { ...place, setHash: authoritySetHash(set) })).toBeUndefined();
    expect(validateHeader({ ...good, view: View(2), proposer: 2 }, place)).toBeUndefined();
  });

  it('follows the genesis block', () => {
    const first = { ...good, height: Height(1), previous: blockHash(genesis) };
    expect(validateHeader(first, { ...place, parent: genesis, parentHash: blockHash(genesis) })).toBeUndefined();
  });

  const cases: readonly (readonly [fault: string, more: Partial<Header>])[] = [
    ['WRONG_VERSION', { version: 1 }],
    ['WRONG_CHAIN', { chainId: ZERO_HASH }],
    ['WRONG_HEIGHT', { height: Height(9) }],
    ['WRONG_HEIGHT', { height: Height(7) }],
    ['WRONG_PREVIOUS', { previous: hashOf(1) }],
    ['WRONG_EPOCH', { epoch: Epoch(1) }],
    ['WRONG_VIEW', { view: View(1), proposer: 1 }],
    ['WRONG_PROPOSER', { proposer: 2 }],
    ['WRONG_PROPOSER', { proposer: 5 }],
    ['TIME_NOT_LATER', { timestamp: Timestamp(NOW) }],
    ['TIME_NOT_LATER', { timestamp: Timestamp(NOW - 1) }],
    ['TIME_OUT_OF_RANGE', { timestamp: Timestamp(TIMESTAMP_MS_MAX + 1) }],
    ['TOO_MANY_TRANSACTIONS', { transactionCount: 501 }],
    ['WRONG_AUTHORITIES', { authoritiesHash: hashOf(1) }],
    ['WRONG_NEXT_AUTHORITIES', { nextAuthoritiesHash: hashOf(1) }],
  ];

  it.each(cases)('with %s: %j', (fault, more) => {
    expect(validateHeader({ ...good, ...more }, place)).toBe(fault);
  });

  it('cannot follow the last block of its epoch', () => {
    const last = { ...parent, nextAuthoritiesHash: hashOf(1) };
    const context = { ...place, parent: last, parentHash: blockHash(last) };
    expect(validateHeader({ ...good, previous: context.parentHash }, context)).toBe('EPOCH_ENDED');
  });

  it('cannot stand below the first height or the first view of its set', () => {
    const later = { ...set, firstHeight: Height(9) };
    expect(validateHeader(good, { ...place, set: later })).toBe('WRONG_EPOCH');
    expect(validateHeader(good, { ...place, set: { ...set, startView: View(6) } })).toBe('WRONG_VIEW');
  });

  it('is told apart by codes that are all in use', () => {
    const used = new Set([...cases.map(([fault]) => fault), 'EPOCH_ENDED']);
    expect([...used].sort()).toEqual([...HEADER_FAULTS].sort());
  });
});
