import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { withNode } from './node-options.ts';
import type { FetchOptions, VerifyOptions } from './proof-action.ts';

function fetchProof(): Command {
  const command = leaf({
    usage: 'fetch <ticket>',
    summary: 'what proves the state of a ticket, or that there is none',
    purpose:
      'Asks a node for what proves the state of a ticket to whoever has the genesis document: its record, the way to ' +
      'it in the state of the newest block, and the signatures on that. A ticket that does not exist has a proof too.',
    examples: [
      'counterfoil proof fetch A-1 --out A-1.proof.json',
      'counterfoil proof fetch A-1 --history --graphs --out A-1.proof.json',
    ],
  })
    .addOption(new Option('--history', 'with every change since it was issued'))
    .addOption(new Option('--graphs', 'with what these transactions say as RDF too'))
    .addOption(new Option('--out <file>', 'where to write it (default: standard output)'));
  return withNode(command).action(async (ticket: string, options: FetchOptions, self: Command) => {
    const { fetchTicketProof } = await import('./proof-action.ts');
    await fetchTicketProof(invocationOf(self), ticket, options);
  });
}

function verify(): Command {
  return leaf({
    usage: 'verify <file>',
    summary: 'check a proof offline: what it proves, and as of when',
    purpose:
      'Checks a proof with nothing but the genesis document, and says what it proves. A single changed byte, anywhere ' +
      'in the file, is noticed.',
    examples: [
      'counterfoil proof verify A-1.proof.json --genesis genesis.json',
      'counterfoil proof verify A-1.proof.json --genesis genesis.json --as-of 41 --json',
    ],
  })
    .addOption(new Option('--genesis <file>', 'of the chain').makeOptionMandatory())
    .addOption(new Option('--as-of <height>', 'say what the ticket was then, too'))
    .action(async (file: string, options: VerifyOptions, self: Command) => {
      const { verifyProofFile } = await import('./proof-action.ts');
      verifyProofFile(invocationOf(self), file, options);
    });
}

export function proofCommand(): Command {
  return group('proof', 'what a node says about a ticket, proven', [fetchProof(), verify()]);
}
