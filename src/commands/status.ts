import type { Command } from 'commander';
import type { StatusAnswer } from '../client/answers.ts';
import { counted } from '../lib/words.ts';
import { invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';

export function statusCommand(): Command {
  const command = leaf({
    usage: 'status',
    summary: 'where a node is: its chain, head, view and peers',
    examples: ['counterfoil status', 'counterfoil status --node http://localhost:7182 --json'],
  });
  return withNode(command).action(async (options: NodeOptions, self: Command) => {
    const invocation = invocationOf(self);
    const { answerOf, connect } = await import('./node-client.ts');
    const status = answerOf(await (await connect(invocation, options)).status());
    invocation.terminal.result(status, () => statusText(status));
  });
}

function syncText({ syncing, sync }: StatusAnswer): string {
  if (sync === null) return syncing ? '; catching up' : '';
  const pace = `${counted(sync.blocks_per_second, 'block')} a second from ${counted(sync.peers, 'peer')}`;
  return `; catching up: ${sync.height} of ${sync.to}, ${pace}`;
}

function statusText(status: StatusAnswer): string {
  const { head } = status;
  const lines = [
    `node        ${status.node_id}, ${status.role}, version ${status.version}${status.devnet ? ', devnet' : ''}`,
    `network     ${status.network_id}, chain ${status.chain_id}`,
    `head        ${head.height}, ${head.hash}, ${head.time}`,
    `view        ${status.view} of epoch ${status.epoch}, primary ${status.primary}`,
    `connected   ${status.connected} of ${counted(status.authorities, 'authority', 'authorities')} (${status.quorum} decide), ${counted(status.peers, 'peer')}`,
    `waiting     ${counted(status.mempool, 'transaction')}${syncText(status)}`,
    `up          ${status.uptime_seconds} s`,
  ];
  if (status.observer_reason !== null) lines.push(`no vote     ${status.observer_reason}`);
  return lines.join('\n');
}
