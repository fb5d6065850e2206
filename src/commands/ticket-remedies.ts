import { type Command, Option } from 'commander';
import { CASE_OUTCOMES, DISPUTE_REASONS, REVOCATION_REASONS, TRANSFER_CHANNELS } from '../model/operation.ts';
import { invocationOf, leaf } from './command-line.ts';
import { withSigning } from './node-options.ts';
import type {
  CaseOptions,
  RemarkOptions,
  ResolveOptions,
  RevokeOptions,
  TransferOptions,
} from './ticket-remedies-action.ts';

function anyOf(codes: readonly string[]): string {
  return `${codes.slice(0, -1).join(', ')} or ${codes.at(-1)}`;
}

function withNote(command: Command): Command {
  return command.addOption(new Option('--note <text>', 'for people; never personal data'));
}

export function transfer(): Command {
  const command = leaf({
    usage: 'transfer <ticket>',
    summary: 'give a ticket another holder: its old barcode is worthless from then on',
    examples: [
      'counterfoil ticket transfer A-1 --holder <hash>',
      'counterfoil ticket transfer A-1 --holder <hash> --price 4900 --channel RESALE --key market.key',
    ],
  })
    .optionsGroup('The transfer:')
    .addOption(new Option('--holder <hash>', 'salted SHA-256 of the new holder, in hex').makeOptionMandatory())
    .addOption(new Option('--price <number>', 'what was paid, in the smallest unit of the currency'))
    .addOption(new Option('--channel <code>', anyOf(TRANSFER_CHANNELS)).default('DIRECT'));
  return withSigning(command).action(async (ticket: string, options: TransferOptions, self: Command) => {
    const { transferTicket } = await import('./ticket-remedies-action.ts');
    await transferTicket(invocationOf(self), ticket, options);
  });
}

export function remark(kind: 'hold' | 'release', summary: string): Command {
  const command = leaf({
    usage: `${kind} <ticket>`,
    summary,
    examples: [`counterfoil ticket ${kind} A-1`, `counterfoil ticket ${kind} A-1 --note "order 17" --key shop.key`],
  });
  return withSigning(withNote(command)).action(async (ticket: string, options: RemarkOptions, self: Command) => {
    const { remarkTicket } = await import('./ticket-remedies-action.ts');
    await remarkTicket(invocationOf(self), kind, ticket, options);
  });
}

export function revoke(): Command {
  const command = leaf({
    usage: 'revoke <ticket>',
    summary: 'take a ticket back for good: it admits nobody from then on',
    examples: [
      'counterfoil ticket revoke A-1 --reason REFUND',
      'counterfoil ticket revoke A-1 --reason CHARGEBACK --note "case 4711" --json',
    ],
  }).addOption(new Option('--reason <code>', anyOf(REVOCATION_REASONS)).makeOptionMandatory());
  return withSigning(withNote(command)).action(async (ticket: string, options: RevokeOptions, self: Command) => {
    const { revokeTicket } = await import('./ticket-remedies-action.ts');
    await revokeTicket(invocationOf(self), ticket, options);
  });
}

export function openCase(): Command {
  const command = leaf({
    usage: 'case <ticket>',
    summary: 'open a case about a ticket that was admitted',
    examples: [
      'counterfoil ticket case A-1 --reason STOLEN',
      'counterfoil ticket case A-1 --reason CHARGEBACK --note "late claim" --evidence <transaction>',
    ],
  })
    .addOption(new Option('--reason <code>', anyOf(DISPUTE_REASONS)).default('OTHER'))
    .addOption(new Option('--evidence <transaction>', 'id of a transaction that speaks for it'));
  return withSigning(withNote(command)).action(async (ticket: string, options: CaseOptions, self: Command) => {
    const { openTicketCase } = await import('./ticket-remedies-action.ts');
    await openTicketCase(invocationOf(self), ticket, options);
  });
}

export function resolve(): Command {
  const command = leaf({
    usage: 'resolve <ticket>',
    summary: 'decide the open case of a ticket, as an arbiter of another organisation than opened it',
    examples: [
      'counterfoil ticket resolve A-1 --outcome REJECTED --note "was seen at the gate"',
      'counterfoil ticket resolve A-1 --outcome REISSUED --replacement A-1b --seat S9-R1-2 --key city.key',
    ],
  })
    .optionsGroup('The decision:')
    .addOption(new Option('--outcome <code>', anyOf(CASE_OUTCOMES)).makeOptionMandatory());
  const replacement = 'The ticket that takes its place, when it is REISSUED:';
  const options = [
    new Option('--replacement <ticket>', 'id of the new ticket'),
    new Option('--event <name>', 'event (default: that of the ticket)'),
    new Option('--tier <name>', 'tier of the event (default: that of the ticket)'),
    new Option('--seat <name>', 'seat'),
    new Option('--gate <name>', 'the only gate that may admit it'),
    new Option('--data <text>', 'up to 1 KiB that the ledger keeps and does not read'),
  ];
  withNote(command);
  for (const option of options) command.addOption(option.helpGroup(replacement));
  return withSigning(command).action(async (ticket: string, given: ResolveOptions, self: Command) => {
    const { resolveTicket } = await import('./ticket-remedies-action.ts');
    await resolveTicket(invocationOf(self), ticket, given);
  });
}
