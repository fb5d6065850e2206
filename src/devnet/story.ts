import type { BlockAnswer, TransactionAnswer } from '../client/answers.ts';
import { counted } from '../lib/words.ts';

/** A block as one readable line tells it. */
export interface BlockStory {
  readonly height: number;
  /** RFC 3339. */
  readonly time: string;
  readonly proposer: string;
  readonly words: string;
  /** From the proposer's time to when this process knew; undefined for a block that was final before. */
  readonly finalMs: number | undefined;
  /** Authorities whose signature is in the certificate. */
  readonly signed: number;
  readonly authorities: number;
}

/** What the transactions of a block did, in words: accepted ones together, refused ones by their code. */
export function wordsOf(block: Pick<BlockAnswer, 'transactions'>): string {
  const repeated = block.transactions.filter(({ receipt }) => receipt.replay_of !== undefined);
  const fresh = block.transactions.filter(({ receipt }) => receipt.replay_of === undefined);
  const accepted = fresh.filter(({ receipt }) => receipt.accepted);
  const refused = fresh.filter(({ receipt }) => !receipt.accepted);
  const parts = [
    ...catalogueWords(accepted),
    ...ticketWords(accepted),
    ...refusalWords(refused),
    ...some(repeated.length, 'repeated', 'repeated'),
  ];
  return parts.length === 0 ? 'heartbeat' : parts.join(', ');
}

function fieldOf(transaction: TransactionAnswer, name: string): unknown {
  return transaction.operation[name];
}

function countOf(transactions: readonly TransactionAnswer[], type: TransactionAnswer['type']): number {
  return transactions.filter((transaction) => transaction.type === type).length;
}

function some(count: number, one: string, many?: string): readonly string[] {
  return count === 0 ? [] : [counted(count, one, many)];
}

function catalogueWords(transactions: readonly TransactionAnswer[]): readonly string[] {
  const events = transactions
    .filter(({ type }) => type === 'event.create')
    .map((transaction) => `event ${fieldOf(transaction, 'event_id') ?? transaction.receipt.subject ?? ''}`.trimEnd());
  return [
    ...events,
    ...some(countOf(transactions, 'tier.create'), 'tier'),
    ...some(countOf(transactions, 'role.grant'), 'role granted', 'roles granted'),
    ...some(countOf(transactions, 'role.revoke'), 'role revoked', 'roles revoked'),
  ];
}

const VERBS = {
  validate: 'validated',
  consume: 'consumed',
  admit: 'admitted',
  dispute: 'disputed',
  transfer: 'transferred',
  hold: 'held back',
  release: 'released',
  revoke: 'revoked',
} as const;

function ticketWords(transactions: readonly TransactionAnswer[]): readonly string[] {
  const issued = ticketsIn(transactions.filter(({ type }) => type === 'issue'));
  const words = issued === 0 ? [] : [`${counted(issued, 'ticket')} issued`];
  for (const [type, verb] of Object.entries(VERBS)) {
    const about = transactions.filter((transaction) => transaction.type === type);
    const tickets = type === 'validate' ? ticketsIn(about) : about.length;
    const only = tickets === 1 ? ticketOf(about[0]) : undefined;
    if (tickets > 0) words.push(only === undefined ? `${counted(tickets, 'ticket')} ${verb}` : `${only} ${verb}`);
  }
  return [
    ...words,
    ...some(countOf(transactions, 'case.open'), 'case opened', 'cases opened'),
    ...some(countOf(transactions, 'resolve'), 'case decided', 'cases decided'),
    ...some(transactions.filter(isReissue).length, 'ticket replaced', 'tickets replaced'),
  ];
}

function isReissue(transaction: TransactionAnswer): boolean {
  return transaction.type === 'resolve' && fieldOf(transaction, 'outcome') === 'REISSUED';
}

/** The ticket of a transaction about one; its receipt does not name it when the transaction was a batch of one. */
function ticketOf(transaction: TransactionAnswer | undefined): string | undefined {
  if (transaction === undefined) return undefined;
  const tickets = fieldOf(transaction, 'tickets');
  const [first]: readonly unknown[] = Array.isArray(tickets) ? tickets : [];
  return typeof first === 'string' ? first : transaction.receipt.subject;
}

function ticketsIn(transactions: readonly TransactionAnswer[]): number {
  let count = 0;
  for (const transaction of transactions) {
    const tickets = fieldOf(transaction, 'tickets');
    count += Array.isArray(tickets) ? tickets.length : 1;
  }
  return count;
}

function refusalWords(transactions: readonly TransactionAnswer[]): readonly string[] {
  const byCode = new Map<string, number>();
  for (const { type, receipt } of transactions) {
    const words = `${type} refused: ${receipt.code}`;
    byCode.set(words, (byCode.get(words) ?? 0) + 1);
  }
  return [...byCode].map(([words, count]) => (count === 1 ? words : `${count} × ${words}`));
}
