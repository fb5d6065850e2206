import { type Command, Option } from 'commander';
import { jobCommand, offlineCommands } from './chain-offline.ts';
import { group, invocationOf, leaf, wholeNumber } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';

function head(): Command {
  const command = leaf({
    usage: 'head',
    summary: 'the newest final block',
    examples: ['counterfoil chain head', 'counterfoil chain head --json'],
  });
  return withNode(command).action(async (options: NodeOptions, self: Command) => {
    const invocation = invocationOf(self);
    const { answerOf, connect } = await import('./node-client.ts');
    const { head: newest } = answerOf(await (await connect(invocation, options)).status());
    invocation.terminal.result(newest, () => `${newest.height}  ${newest.hash}  ${newest.time}`);
  });
}

function block(): Command {
  const command = leaf({
    usage: 'block <block>',
    summary: 'one final block with its transactions, as JSON; by height or by hash',
    examples: ['counterfoil chain block 1', 'counterfoil chain block 1 --certificate'],
  }).addOption(new Option('--certificate', 'the signatures that made it final instead'));
  return withNode(command).action(
    async (id: string, options: NodeOptions & { certificate?: boolean }, self: Command) => {
      const invocation = invocationOf(self);
      const { answerOf, connect } = await import('./node-client.ts');
      const client = await connect(invocation, options);
      const answer = options.certificate ? answerOf(await client.certificate(id)) : answerOf(await client.block(id));
      invocation.terminal.result(answer, () => JSON.stringify(answer, null, 2));
    },
  );
}

const PAGE = 500;

function log(): Command {
  const command = leaf({
    usage: 'log',
    summary: 'the newest blocks, a line each',
    examples: ['counterfoil chain log', 'counterfoil chain log --limit 100 --before 5000'],
  })
    .addOption(new Option('--limit <number>', 'how many').default('20'))
    .addOption(new Option('--before <height>', 'below this height'));
  return withNode(command).action(async (options: NodeOptions & { limit: string; before?: string }, self: Command) => {
    const invocation = invocationOf(self);
    const limit = wholeNumber(options.limit, '--limit', 1, PAGE);
    const before = options.before === undefined ? {} : { before: wholeNumber(options.before, '--before', 0, 2 ** 52) };
    const { answerOf, connect } = await import('./node-client.ts');
    const answer = answerOf(await (await connect(invocation, options)).blocks({ limit, ...before }));
    const lines = answer.blocks.map(
      ({ hash, header }) =>
        `${`${header.height}`.padStart(8)}  ${header.timestamp}  ${hash}  view ${header.view}  ${header.transaction_count} tx`,
    );
    invocation.terminal.result(answer, () => lines.join('\n'));
  });
}

export function chainCommand(): Command {
  return group('chain', 'look at the chain of a node; check, export and import it offline', [
    head(),
    block(),
    log(),
    ...offlineCommands(),
  ]).addCommand(jobCommand(), { hidden: true });
}
