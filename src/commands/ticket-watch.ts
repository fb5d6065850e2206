import { WebSocket } from 'ws';
import type { FeedEvent } from '../client/answers.ts';
import { followFeed } from '../client/feed.ts';
import { isName } from '../model/ids.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';
import { untilSignal } from './signals.ts';

const TICKET_WIDTH = 22;

/** Tells what becomes final about some tickets, or about all, until a signal comes; goes on when the node comes back. */
export async function watchTickets(
  invocation: Invocation,
  tickets: readonly string[],
  options: NodeOptions & { readonly from?: string },
): Promise<void> {
  const unnamed = tickets.find((ticket) => !isName(ticket));
  if (unnamed !== undefined) throw new CommandError('USAGE', `${JSON.stringify(unnamed)} is no ticket id.`);
  const from = options.from === undefined ? {} : { from: wholeNumber(options.from, '--from', 0, 2 ** 52) };
  const topics = tickets.length === 0 ? ['*'] : tickets.map((ticket) => `ticket:${ticket}`);
  const client = await connect(invocation, options);
  const { url } = client;
  // Later it waits for a node that went away; one that was never there is a mistake.
  answerOf(await client.health());
  const ended = new AbortController();
  const signal = untilSignal(() => undefined);
  void signal.then(() => ended.abort());
  await followFeed({
    url,
    connect: (address) => new WebSocket(address, { perMessageDeflate: false }),
    topics,
    ...from,
    onEvent: (event) => tell(invocation, event),
    onTrouble: ({ code, detail }) => invocation.terminal.talk(`${url}: ${detail} (${code})`),
    signal: ended.signal,
  });
}

function tell({ terminal }: Invocation, event: FeedEvent): void {
  const { type, height, data } = event;
  if (!type.startsWith('ticket_') && !type.startsWith('case_')) return;
  terminal.result(event, () => {
    const more = ['code', 'reason', 'outcome', 'replacement', 'gate', 'organisation'].flatMap((name) => {
      const value = data[name];
      return typeof value === 'string' ? [`${name} ${value}`] : [];
    });
    const ticket = String(data['ticket_id'] ?? '').padEnd(TICKET_WIDTH);
    return `${`${height}`.padStart(6)}  ${ticket} ${type.replace('ticket_', '').replace('_', ' ')}  ${more.join(', ')}`;
  });
}
