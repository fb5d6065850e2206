import type { Command } from 'commander';
import type { ExplainAnswer } from '../client/answers.ts';
import { invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';

export function explainCommand(): Command {
  const command = leaf({
    usage: 'explain',
    summary: 'why the chain moves, or does not, and whom it waits for',
    examples: ['counterfoil explain', 'counterfoil explain --node http://localhost:7182 --json'],
  });
  return withNode(command).action(async (options: NodeOptions, self: Command) => {
    const invocation = invocationOf(self);
    const { answerOf, connect } = await import('./node-client.ts');
    const answer = answerOf(await (await connect(invocation, options)).explain());
    invocation.terminal.result(answer, () => explainText(answer));
  });
}

function explainText({ moving, code, reason, waiting_for }: ExplainAnswer): string {
  const waits = waiting_for.map(({ authority, since, why }) => `  waiting for ${authority} since ${since}: ${why}`);
  return [`${moving ? 'moving' : 'NOT moving'} (${code}): ${reason}`, ...waits].join('\n');
}
