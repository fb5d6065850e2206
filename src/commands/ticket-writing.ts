import type { WriteAnswer } from '../client/answers.ts';
import type { Answered } from '../client/call.ts';
import type { Client, WriteOptions } from '../client/http.ts';
import { isName } from '../model/ids.ts';
import type { Operation } from '../model/operation.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect, waitMsOf } from './node-client.ts';
import type { WriteCommandOptions } from './node-options.ts';
import { statementsText } from './statements-file.ts';
import { type Decided, writeSigned } from './ticket-signing.ts';

interface Write {
  readonly tickets: readonly string[];
  readonly options: WriteCommandOptions;
  readonly operation: Operation;
  /** What can be said of the tickets when it is final. */
  readonly became: string;
}

/** Has the node sign, or signs with a key; says what is final. */
export async function write(
  invocation: Invocation,
  { tickets, options, operation, became }: Write,
  ask: (client: Client, options: WriteOptions) => Promise<Answered<WriteAnswer>>,
): Promise<void> {
  if (options.key !== undefined) {
    const decided = await signed(invocation, operation, options);
    invocation.terminal.result(decided, () => finalText(tickets, became, decided));
    return;
  }
  const client = await connect(invocation, options);
  const answer = answerOf(await ask(client, writeOptions(options)));
  invocation.terminal.result(answer, () => finalText(tickets, became, answer));
}

export async function signed(
  invocation: Invocation,
  operation: Operation,
  options: WriteCommandOptions,
): Promise<Decided> {
  const client = await connect(invocation, options);
  return await writeSigned(invocation, { client, keyFile: options.key ?? '' }, operation, options);
}

export function writeOptions({ idempotencyKey, wait, statements }: WriteCommandOptions): WriteOptions {
  return {
    waitMs: waitMsOf(wait),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(statements === undefined ? {} : { statements: statementsText(statements) }),
  };
}

function finalText(tickets: readonly string[], became: string, { height, transaction_id }: Decided): string {
  const what = tickets.length === 1 ? tickets[0] : `${tickets.length} tickets`;
  return `${what} ${became}, final at height ${height} (transaction ${transaction_id})`;
}

export function checkedName(text: string): string {
  if (isName(text)) return text;
  throw new CommandError('USAGE', `${JSON.stringify(text)} is no id: 1 to 64 of A-Z a-z 0-9 . _ -`);
}

/** One of some codes, in whatever case it was written. */
export function checkedCode<const Code extends string>(text: string, option: string, codes: readonly Code[]): Code {
  const code = codes.find((known) => known === text.toUpperCase());
  if (code !== undefined) return code;
  throw new CommandError('USAGE', `${option} is one of ${codes.join(', ')}, not ${JSON.stringify(text)}.`);
}
