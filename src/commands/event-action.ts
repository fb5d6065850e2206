import { resolve } from 'node:path';
import { EventId, isName, OrganisationId, TierId, Timestamp } from '../model/ids.ts';
import { NO_TRANSFERS, type Operation, ROLES, type Role, type TransferPolicy } from '../model/operation.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { configOfNode, connect } from './node-client.ts';
import type { WriteCommandOptions } from './node-options.ts';
import { writeSigned } from './ticket-signing.ts';

const COUNT_MAX = 0xffff_ffff;

export interface NewEventOptions extends WriteCommandOptions {
  readonly title: string;
  readonly startsAt: string;
  readonly capacity: string;
}

export interface NewTierOptions extends WriteCommandOptions {
  readonly title: string;
  readonly price: string;
  readonly currency: string;
  readonly capacity: string;
  readonly validFrom?: string;
  readonly validThrough?: string;
  readonly transfers: string;
  readonly transferUntil?: string;
  readonly resalePercent?: string;
}

export async function createEvent(invocation: Invocation, event: string, options: NewEventOptions): Promise<void> {
  const operation = {
    kind: 'event.create' as const,
    event: EventId(checkedName(event)),
    title: options.title.normalize('NFC'),
    startsAt: instant(options.startsAt, '--starts-at'),
    capacity: wholeNumber(options.capacity, '--capacity', 1, COUNT_MAX),
  };
  await write(invocation, operation, options, `event ${event}`);
}

export async function createTier(
  invocation: Invocation,
  [event, tier]: readonly [string, string],
  options: NewTierOptions,
): Promise<void> {
  const { currency, validFrom, validThrough } = options;
  if (!/^[A-Z]{3}$/.test(currency)) {
    throw new CommandError('USAGE', `--currency is a code such as EUR, not ${JSON.stringify(currency)}.`);
  }
  const operation = {
    kind: 'tier.create' as const,
    event: EventId(checkedName(event)),
    tier: TierId(checkedName(tier)),
    title: options.title.normalize('NFC'),
    price: wholeNumber(options.price, '--price', 0, Number.MAX_SAFE_INTEGER),
    currency,
    capacity: wholeNumber(options.capacity, '--capacity', 1, COUNT_MAX),
    validFrom: validFrom === undefined ? null : instant(validFrom, '--valid-from'),
    validThrough: validThrough === undefined ? null : instant(validThrough, '--valid-through'),
    transfer: transferPolicyOf(options),
  };
  await write(invocation, operation, options, `tier ${tier} of ${event}`);
}

function transferPolicyOf({ transfers, transferUntil, resalePercent }: NewTierOptions): TransferPolicy {
  const transfersMax = wholeNumber(transfers, '--transfers', 0, 255);
  if (transfersMax === 0) {
    if (transferUntil === undefined && resalePercent === undefined) return NO_TRANSFERS;
    const option = transferUntil === undefined ? '--resale-percent' : '--transfer-until';
    throw new CommandError('USAGE', `${option} is for tickets that change hands: say how often with --transfers.`);
  }
  return {
    allowed: true,
    transfersMax,
    until: transferUntil === undefined ? null : instant(transferUntil, '--transfer-until'),
    resalePercentMax: wholeNumber(resalePercent ?? '100', '--resale-percent', 0, COUNT_MAX),
  };
}

export async function changeRole(
  invocation: Invocation,
  kind: 'role.grant' | 'role.revoke',
  [event, organisation, role]: readonly [string, string, string],
  options: WriteCommandOptions,
): Promise<void> {
  const operation = {
    kind,
    event: EventId(checkedName(event)),
    organisation: OrganisationId(checkedName(organisation)),
    role: checkedRole(role),
  };
  const verb = kind === 'role.grant' ? 'is now' : 'is no longer';
  await write(invocation, operation, options, `${organisation} ${verb} ${role} of ${event}`);
}

/** What stands above a single ticket is signed by an organisation's own key; no node signs it for its callers. */
async function write(
  invocation: Invocation,
  operation: Operation,
  options: WriteCommandOptions,
  what: string,
): Promise<void> {
  const keyFile = options.key === undefined ? operatorKeyOf(invocation) : resolve(options.key);
  const client = await connect(invocation, options);
  const decided = await writeSigned(invocation, { client, keyFile }, operation, options);
  const { height, transaction_id } = decided;
  invocation.terminal.result(decided, () => `${what}, final at height ${height} (transaction ${transaction_id})`);
}

function operatorKeyOf(invocation: Invocation): string {
  if (invocation.home !== undefined) return configOfNode(invocation).node.operatorKeyFile;
  throw new CommandError('USAGE', 'An event is signed by an organisation: name its key with --key.', {
    advice: 'With --home the operator key of that node is taken.',
  });
}

function checkedName(text: string): string {
  if (isName(text)) return text;
  throw new CommandError('USAGE', `${JSON.stringify(text)} is no name: 1 to 64 of A-Z a-z 0-9 . _ -`);
}

function checkedRole(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role !== undefined) return role;
  throw new CommandError('USAGE', `A role is one of ${ROLES.join(', ')}, not ${JSON.stringify(text)}.`);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** RFC 3339 with its offset: a time without one means something else on every machine. */
function instant(text: string, option: string): Timestamp {
  const ms = INSTANT.test(text) && isOnCalendar(text) ? Date.parse(text) : Number.NaN;
  if (Number.isSafeInteger(ms) && ms >= 0) return Timestamp(ms);
  throw new CommandError('USAGE', `${option} is a time such as 2026-06-12T18:00:00Z, not ${JSON.stringify(text)}.`);
}

/** Date.parse takes 30 February for 2 March, and 24:00 for the next day: the way back does not give the same text. */
function isOnCalendar(text: string): boolean {
  const local = text.replace(/(Z|[+-]\d\d:\d\d)$/, '');
  const ms = Date.parse(`${local}Z`);
  return Number.isSafeInteger(ms) && new Date(ms).toISOString().startsWith(local);
}
