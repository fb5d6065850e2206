import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, withNode } from './node-options.ts';

function list(): Command {
  const command = leaf({
    usage: 'list',
    summary: 'what a node can prove against authorities',
    examples: ['counterfoil evidence list', 'counterfoil evidence list --json > evidence.json'],
  });
  return withNode(command).action(async (options: NodeOptions, self: Command) => {
    const invocation = invocationOf(self);
    const { answerOf, connect } = await import('./node-client.ts');
    const answer = answerOf(await (await connect(invocation, options)).evidence());
    const lines = answer.evidence.map(
      ({ kind, authority, height, view, id }) => `${authority}  ${kind}  view ${view}, height ${height ?? '-'}  ${id}`,
    );
    invocation.terminal.result(answer, () => (lines.length === 0 ? 'no evidence against anybody' : lines.join('\n')));
  });
}

function verify(): Command {
  return leaf({
    usage: 'verify <file>',
    summary: 'check evidence offline: whether it convicts, and whom',
    purpose:
      'Checks evidence with nothing but the genesis document: signed statements that contradict each other convict ' +
      'their author. The file is what GET /api/v1/evidence or counterfoil evidence list --json answered.',
    examples: [
      'counterfoil evidence verify evidence.json --genesis genesis.json',
      'counterfoil evidence verify evidence.json --genesis genesis.json --json',
    ],
  })
    .addOption(new Option('--genesis <file>', 'of the chain').makeOptionMandatory())
    .action(async (file: string, options: { genesis: string }, self: Command) => {
      const { verifyEvidence } = await import('./evidence-action.ts');
      verifyEvidence(invocationOf(self), file, options.genesis);
    });
}

export function evidenceCommand(): Command {
  return group('evidence', 'proofs that an authority lied', [list(), verify()]);
}
