import type { BanAnswer } from '../client/answers.ts';
import { parseDuration } from '../node/config/units.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';

export interface OperatorOptions extends NodeOptions {
  readonly tokenFile?: string;
}

export async function connectPeer(invocation: Invocation, address: string, options: OperatorOptions): Promise<void> {
  const client = await connect(invocation, options);
  const answer = answerOf(await client.connectPeer(address));
  invocation.terminal.result(answer, () => `dialling ${address}; counterfoil peers shows what comes of it`);
}

export async function disconnectPeer(invocation: Invocation, id: string, options: OperatorOptions): Promise<void> {
  const client = await connect(invocation, options);
  const answer = answerOf(await client.disconnectPeer(await idOf(client, id)));
  invocation.terminal.result(answer, () => `disconnected from ${id}`);
}

export async function banPeer(
  invocation: Invocation,
  id: string,
  options: OperatorOptions & { readonly for: string },
): Promise<void> {
  const lengthMs = parseDuration(options.for);
  if (lengthMs === undefined || lengthMs < 1_000) {
    const given = JSON.stringify(options.for);
    throw new CommandError('USAGE', `--for is a time of a second at least with its unit, such as "2h", not ${given}.`);
  }
  const client = await connect(invocation, options);
  const answer = answerOf(await client.banPeer(await idOf(client, id), Math.round(lengthMs / 1_000)));
  invocation.terminal.result(answer, () => banText(answer));
}

export async function unbanPeer(invocation: Invocation, id: string, options: OperatorOptions): Promise<void> {
  const client = await connect(invocation, options);
  const { banned } = answerOf(await client.bannedPeers());
  const answer = answerOf(await client.unbanPeer(whole(id, banned)));
  invocation.terminal.result(answer, () => `${answer.id ?? id} is let in again`);
}

export async function listBanned(invocation: Invocation, options: NodeOptions): Promise<void> {
  const answer = answerOf(await (await connect(invocation, options)).bannedPeers());
  invocation.terminal.result(answer, () =>
    answer.banned.length === 0 ? 'nobody is banned' : answer.banned.map(banText).join('\n'),
  );
}

function banText({ id, reason, until, times }: BanAnswer): string {
  return `${id} is turned away until ${until}: ${reason}${times > 1 ? `, for the ${times}. time` : ''}`;
}

/** The beginning of an id, as the list shows it, stands for the one peer that it fits. */
async function idOf(client: Awaited<ReturnType<typeof connect>>, id: string): Promise<string> {
  if (id.length === 64) return id;
  return whole(id, answerOf(await client.peers()).peers);
}

function whole(id: string, known: readonly { readonly id: string }[]): string {
  const fitting = known.filter((one) => one.id === id || (id.length >= 4 && one.id.startsWith(id)));
  const [only] = fitting;
  return fitting.length === 1 && only !== undefined ? only.id : id;
}
