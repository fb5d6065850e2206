import type { Command } from 'commander';
import type { PeersAnswer } from '../client/answers.ts';
import { invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';

export function peersCommand(): Command {
  const command = leaf({
    usage: 'peers',
    summary: 'whom a node is connected with',
    examples: ['counterfoil peers', 'counterfoil peers --node http://localhost:7182 --json'],
  });
  return withNode(command).action(async (options: NodeOptions, self: Command) => {
    const invocation = invocationOf(self);
    const { answerOf, connect } = await import('./node-client.ts');
    const answer = answerOf(await (await connect(invocation, options)).peers());
    invocation.terminal.result(answer, () => peersText(answer));
  });
}

function peersText({ peers }: PeersAnswer): string {
  if (peers.length === 0) return 'no peers';
  const row = (cells: readonly string[]): string => {
    const [id = '', role = '', direction = '', address = '', head = '', latency = ''] = cells;
    return `${id.padEnd(16)} ${role.padEnd(10)} ${direction.padEnd(9)} ${address.padEnd(22)} ${head.padStart(8)}  ${latency}`;
  };
  const rows = peers.map(({ id, role, direction, address, head, latency_ms }) =>
    row([
      id.slice(0, 16),
      role,
      direction,
      address,
      `${head.height}`,
      latency_ms === null ? '-' : `${latency_ms.toFixed(1)} ms`,
    ]),
  );
  return [row(['peer', 'role', 'direction', 'address', 'head', 'latency']), ...rows].join('\n');
}
