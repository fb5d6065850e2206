import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/suites.mjs';
import { LAN, type Timing, WAN } from '../../src/consensus/timing.ts';
import { MOVES } from '../../src/ledger/lifecycle.ts';
import { ROLES_FOR } from '../../src/ledger/permissions.ts';
import { AUTHORITIES, EVENT, IDEMPOTENCY, KEY, ORGANISATION, ROLE, SEAT, TIER } from '../../src/ledger/records.ts';
import { TICKET } from '../../src/ledger/ticket-record.ts';
import { HEADER_FAULTS, TRANSACTION_FAULTS, type TransactionFault } from '../../src/ledger/validate.ts';
import { faultsTolerated, quorumOf } from '../../src/model/authorities.ts';
import { REFUSALS } from '../../src/model/receipt.ts';
import { TICKET_STATES } from '../../src/model/ticket.ts';
import { REFUSALS as PEER_REFUSALS } from '../../src/network/transport.ts';

type Row = readonly string[];

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 16, 19, 22, 25, 28, 31];

/** In the order in which `checkTransaction` asks. */
const FAULTS_ASKED: readonly TransactionFault[] = [
  'WRONG_CHAIN',
  'EXPIRED',
  'TOO_FAR_AHEAD',
  'EMPTY_BATCH',
  'BAD_VALUE',
  'ALREADY_FINAL',
  'UNKNOWN_SIGNER',
  'NOT_PERMITTED',
  'BAD_STATEMENTS',
  'RESERVED_VOCABULARY',
  'SUBJECT_OUT_OF_SCOPE',
];

/** The rows of every table of docs/protocol.md that the code decides. */
export function protocolTables(): ReadonlyMap<string, readonly Row[]> {
  const missing = TRANSACTION_FAULTS.filter((fault) => !FAULTS_ASKED.includes(fault));
  if (missing.length > 0) throw new Error(`where do ${missing.join()} belong?`);
  return new Map<string, readonly Row[]>([
    ['operations', operationRows()],
    ['refusals', REFUSALS.map((name, place) => [`${place}`, code(name)])],
    ['quorums', SIZES.map((n) => [`${n}`, `${faultsTolerated(n)}`, `${quorumOf(n)}`])],
    ['header-faults', HEADER_FAULTS.map((name) => [code(name)])],
    ['transaction-faults', FAULTS_ASKED.map((name) => [code(name)])],
    ['records', recordRows()],
    ['moves', moveRows()],
    ['permissions', Object.entries(ROLES_FOR).map(([kind, roles]) => [code(kind), roles.map(code).join(', ')])],
    ['messages', frozenTags('model-messages')],
    ['evidence', frozenTags('model-evidence')],
    ['timers', timerRows()],
    ['peer-refusals', PEER_REFUSALS.map((name, place) => [`${place}`, code(name)])],
  ]);
}

function code(text: string): string {
  return `\`${text}\``;
}

function frozen(name: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, 'test', 'vectors', `${name}.json`), 'utf8'));
}

/** The first byte of each frozen encoding, which the suite of vectors derives from the code. */
function frozenTags(name: string): readonly Row[] {
  const bytes = frozen(name);
  if (typeof bytes !== 'object' || bytes === null) throw new Error(`${name} holds no samples`);
  return Object.entries(bytes).map(([kind, hex]) => [tagOf(`${hex}`), code(kind)]);
}

function operationRows(): readonly Row[] {
  const { operations } = frozen('ledger') as { readonly operations: readonly { kind: string; bytes: string }[] };
  return operations.map(({ kind, bytes }) => [tagOf(bytes), code(kind)]);
}

function tagOf(hex: string): string {
  return `${Number.parseInt(hex.slice(0, 2), 16)}`;
}

function recordRows(): readonly Row[] {
  const kinds = {
    event: EVENT,
    tier: TIER,
    seat: SEAT,
    ticket: TICKET,
    organisation: ORGANISATION,
    key: KEY,
    role: ROLE,
    'authority set': AUTHORITIES,
    idempotency: IDEMPOTENCY,
  };
  return Object.entries(kinds).map(([name, { tag }]) => [`${tag}`, name]);
}

function moveRows(): readonly Row[] {
  return Object.entries(MOVES).map(([move, from]) => [
    code(move),
    ...TICKET_STATES.map((state) => {
      const path = from[state];
      return typeof path === 'string' ? code(path) : path.join(', then ');
    }),
  ]);
}

function timerRows(): readonly Row[] {
  const text = (ms: number): string => ms.toLocaleString('en-GB');
  return Object.keys(LAN).map((name) => [code(name), text(LAN[name as keyof Timing]), text(WAN[name as keyof Timing])]);
}
