import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import { type NodeOptions, type WriteCommandOptions, withNode, withSigning } from './node-options.ts';
import type { DisputeOptions, IssueOptions, ListOptions, ScanOptions } from './ticket-action.ts';
import { openCase, remark, resolve, revoke, transfer } from './ticket-remedies.ts';

const GATE = 'name of the gate';

function issue(): Command {
  const command = leaf({
    usage: 'issue <ticket...>',
    summary: 'issue tickets of a tier; all of them, or none',
    examples: [
      'counterfoil ticket issue A-1 A-2 --event harbour-cup-final --tier cat1',
      'counterfoil ticket issue B-7 --event harbour-cup-final --tier cat2 --seat S9-R1-1 --key shop.key',
    ],
  })
    .optionsGroup('The tickets:')
    .addOption(new Option('--event <name>', 'event').makeOptionMandatory())
    .addOption(new Option('--tier <name>', 'tier of the event').makeOptionMandatory())
    .addOption(new Option('--seat <name>', 'seat, of a single ticket'))
    .addOption(new Option('--gate <name>', 'the only gate that may admit them'))
    .addOption(new Option('--data <text>', 'up to 1 KiB that the ledger keeps and does not read'));
  return withSigning(command).action(async (tickets: string[], options: IssueOptions, self: Command) => {
    const { issueTickets } = await import('./ticket-action.ts');
    await issueTickets(invocationOf(self), tickets, options);
  });
}

function validate(): Command {
  const command = leaf({
    usage: 'validate <ticket...>',
    summary: 'activate tickets: paid, and checked before arrival; all of them, or none',
    examples: ['counterfoil ticket validate A-1', 'counterfoil ticket validate A-1 A-2 --json'],
  });
  return withSigning(command).action(async (tickets: string[], options: WriteCommandOptions, self: Command) => {
    const { validateTickets } = await import('./ticket-action.ts');
    await validateTickets(invocationOf(self), tickets, options);
  });
}

function consume(): Command {
  const command = leaf({
    usage: 'consume <ticket>',
    summary: 'admit an activated ticket',
    examples: ['counterfoil ticket consume A-1', 'counterfoil ticket consume A-1 --gate north'],
  }).addOption(new Option('--gate <name>', GATE));
  return withSigning(command).action(async (ticket: string, options: ScanOptions, self: Command) => {
    const { consumeTicket } = await import('./ticket-action.ts');
    await consumeTicket(invocationOf(self), ticket, options);
  });
}

function admit(): Command {
  const command = leaf({
    usage: 'admit <ticket>',
    summary: 'one scan at a gate: activate and admit in one decision; a refusal is recorded too',
    examples: ['counterfoil ticket admit A-1', 'counterfoil ticket admit A-1 --gate north --key gate-3.key'],
  }).addOption(new Option('--gate <name>', GATE));
  return withSigning(command).action(async (ticket: string, options: ScanOptions, self: Command) => {
    const { admitTicket } = await import('./ticket-action.ts');
    await admitTicket(invocationOf(self), ticket, options);
  });
}

function dispute(): Command {
  const command = leaf({
    usage: 'dispute <ticket>',
    summary: 'contest an activated ticket: it stays out from then on',
    examples: [
      'counterfoil ticket dispute A-1 --reason CHARGEBACK',
      'counterfoil ticket dispute A-1 --reason FRAUD --note "seen twice"',
    ],
  })
    .addOption(
      new Option('--reason <code>', 'FRAUD, CHARGEBACK, DOUBLE_SALE, DOUBLE_ADMISSION, STOLEN or OTHER').default(
        'OTHER',
      ),
    )
    .addOption(new Option('--note <text>', 'for people; never personal data'))
    .addOption(new Option('--gate <name>', GATE));
  return withSigning(command).action(async (ticket: string, options: DisputeOptions, self: Command) => {
    const { disputeTicket } = await import('./ticket-action.ts');
    await disputeTicket(invocationOf(self), ticket, options);
  });
}

function show(): Command {
  const command = leaf({
    usage: 'show <ticket>',
    summary: 'what the ledger says of a ticket, and its history',
    examples: ['counterfoil ticket show A-1', 'counterfoil ticket show A-1 --json'],
  });
  return withNode(command).action(async (ticket: string, options: NodeOptions, self: Command) => {
    const { showTicket } = await import('./ticket-action.ts');
    await showTicket(invocationOf(self), ticket, options);
  });
}

function list(): Command {
  const command = leaf({
    usage: 'list',
    summary: 'tickets in the order of their ids',
    examples: ['counterfoil ticket list --state VALIDATED', 'counterfoil ticket list --limit 100000 --json'],
  })
    .addOption(new Option('--state <state>', 'ISSUED, VALIDATED, CONSUMED or DISPUTED (default: all)'))
    .addOption(new Option('--limit <number>', 'how many').default('50'));
  return withNode(command).action(async (options: ListOptions, self: Command) => {
    const { listTickets } = await import('./ticket-action.ts');
    await listTickets(invocationOf(self), options);
  });
}

function watch(): Command {
  const command = leaf({
    usage: 'watch [ticket...]',
    summary: 'what happens to tickets, as it becomes final, until Ctrl-C',
    examples: ['counterfoil ticket watch', 'counterfoil ticket watch A-1 --from 1 --json'],
  }).addOption(new Option('--from <height>', 'begin with this block (default: what comes next)'));
  return withNode(command).action(
    async (tickets: string[], options: NodeOptions & { from?: string }, self: Command) => {
      const { watchTickets } = await import('./ticket-watch.ts');
      await watchTickets(invocationOf(self), tickets, options);
    },
  );
}

export function ticketCommand(): Command {
  return group('ticket', 'issue, activate, admit, pass on, contest and look up tickets', [
    issue(),
    validate(),
    consume(),
    admit(),
    dispute(),
    transfer(),
    remark('hold', 'hold a ticket back: nobody is admitted with it until it is released'),
    remark('release', 'put a ticket that is held back in order again'),
    revoke(),
    openCase(),
    resolve(),
    show(),
    list(),
    watch(),
  ]);
}
