import { type Command, Option } from 'commander';
import type { PeersAnswer } from '../client/answers.ts';
import { invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';
import type { OperatorOptions } from './peers-action.ts';

export function peersCommand(): Command {
  const command = leaf({
    usage: 'peers',
    summary: 'whom a node is connected with, and whom not',
    purpose: 'Whom a node is connected with. Without a command: the list.',
    examples: ['counterfoil peers', 'counterfoil peers ban <id> --for 2h --home my-network/venue'],
  });
  for (const inner of [list(), connect(), disconnect(), ban(), unban(), banned()]) command.addCommand(inner);
  return withNode(command).action(show);
}

/** The options of an inner command: commander may have given those it shares to the outer one. */
function allOptions<T extends NodeOptions>(self: Command): T {
  return self.optsWithGlobals<T>();
}

async function show(_options: NodeOptions, self: Command): Promise<void> {
  const invocation = invocationOf(self);
  const { answerOf, connect } = await import('./node-client.ts');
  const answer = answerOf(await (await connect(invocation, allOptions(self))).peers());
  invocation.terminal.result(answer, () => peersText(answer));
}

function list(): Command {
  const command = leaf({
    usage: 'list',
    summary: 'those that are connected',
    examples: ['counterfoil peers list', 'counterfoil peers list --node http://localhost:7182 --json'],
  });
  return withNode(command).action(show);
}

function withOperator(command: Command): Command {
  return withNode(
    command.addOption(new Option('--token-file <file>', 'operator token (default: keys/operator.token of --home)')),
  );
}

function connect(): Command {
  const command = leaf({
    usage: 'connect <address>',
    summary: 'dial a node at host:port',
    examples: ['counterfoil peers connect 10.0.0.7:7281 --home venue', 'counterfoil peers connect [2001:db8::7]:7281'],
  });
  return withOperator(command).action(async (address: string, _options: OperatorOptions, self: Command) => {
    const { connectPeer } = await import('./peers-action.ts');
    await connectPeer(invocationOf(self), address, allOptions(self));
  });
}

function disconnect(): Command {
  const command = leaf({
    usage: 'disconnect <id>',
    summary: 'end the session with a peer and leave it alone for a minute',
    examples: ['counterfoil peers disconnect <id> --home venue', 'counterfoil peers disconnect city --home venue'],
  });
  return withOperator(command).action(async (id: string, _options: OperatorOptions, self: Command) => {
    const { disconnectPeer } = await import('./peers-action.ts');
    await disconnectPeer(invocationOf(self), id, allOptions(self));
  });
}

function ban(): Command {
  const command = leaf({
    usage: 'ban <id>',
    summary: 'turn a node away for a while; an authority is never banned',
    examples: ['counterfoil peers ban <id> --home venue', 'counterfoil peers ban <id> --for 168h --home venue'],
  }).addOption(new Option('--for <time>', 'how long').default('24h'));
  return withOperator(command).action(async (id: string, _options: OperatorOptions, self: Command) => {
    const { banPeer } = await import('./peers-action.ts');
    await banPeer(invocationOf(self), id, allOptions(self));
  });
}

function unban(): Command {
  const command = leaf({
    usage: 'unban <id>',
    summary: 'lift a ban',
    examples: ['counterfoil peers unban <id> --home venue', 'counterfoil peers unban <id> --token-file token'],
  });
  return withOperator(command).action(async (id: string, _options: OperatorOptions, self: Command) => {
    const { unbanPeer } = await import('./peers-action.ts');
    await unbanPeer(invocationOf(self), id, allOptions(self));
  });
}

function banned(): Command {
  const command = leaf({
    usage: 'banned',
    summary: 'whom this node turns away, why and until when',
    examples: ['counterfoil peers banned', 'counterfoil peers banned --node http://localhost:7182 --json'],
  });
  return withNode(command).action(async (_options: NodeOptions, self: Command) => {
    const { listBanned } = await import('./peers-action.ts');
    await listBanned(invocationOf(self), allOptions(self));
  });
}

function peersText({ peers }: PeersAnswer): string {
  if (peers.length === 0) return 'no peers';
  const row = (cells: readonly string[]): string => {
    const [id = '', role = '', direction = '', address = '', head = '', latency = '', score = ''] = cells;
    return `${id.padEnd(16)} ${role.padEnd(10)} ${direction.padEnd(9)} ${address.padEnd(22)} ${head.padStart(8)}  ${latency.padEnd(9)} ${score}`.trimEnd();
  };
  const rows = peers.map(({ id, role, direction, address, head, latency_ms, score }) =>
    row([
      id.slice(0, 16),
      role,
      direction,
      address,
      `${head.height}`,
      latency_ms === null ? '-' : `${latency_ms.toFixed(1)} ms`,
      `${score}`,
    ]),
  );
  return [row(['peer', 'role', 'direction', 'address', 'head', 'latency', 'score']), ...rows].join('\n');
}
