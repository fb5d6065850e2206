import { type Command, Option } from 'commander';
import { group, invocationOf, leaf } from './command-line.ts';
import type { NewEventOptions, NewTierOptions } from './event-action.ts';
import { type WriteCommandOptions, withNode, withStatements } from './node-options.ts';

const SIGNING = 'Signing and waiting:';

function withKey(command: Command): Command {
  const options = [
    new Option('--key <file>', 'key of the organisation (default: the operator key of --home)'),
    new Option('--organisation <name>', 'of that key (default: the one that genesis lists it under)'),
    new Option('--passphrase-file <file>', 'of that key (also: COUNTERFOIL_PASSPHRASE_FILE; else asked)'),
    new Option('--idempotency-key <text>', 'the same key again is done once'),
    new Option('--wait <time>', 'how long to wait until it is final').default('5s'),
  ];
  for (const option of options) command.addOption(option.helpGroup(SIGNING));
  return withNode(command);
}

function create(): Command {
  const command = leaf({
    usage: 'create <event>',
    summary: 'create an event; its creator is its first organiser',
    examples: [
      'counterfoil event create cup --title "Cup final" --starts-at 2026-06-12T18:00:00Z --capacity 5000 --key fed.key',
      'counterfoil event create cup --title Cup --starts-at 2026-06-12T18:00:00Z --capacity 99 --home my-network/venue',
    ],
  })
    .optionsGroup('The event:')
    .addOption(new Option('--title <text>', 'for people').makeOptionMandatory())
    .addOption(new Option('--starts-at <time>', 'with its offset: 2026-06-12T18:00:00Z').makeOptionMandatory())
    .addOption(new Option('--capacity <number>', 'tickets of all tiers together').makeOptionMandatory());
  return withKey(withStatements(command)).action(async (event: string, options: NewEventOptions, self: Command) => {
    const { createEvent } = await import('./event-action.ts');
    await createEvent(invocationOf(self), event, options);
  });
}

function tier(): Command {
  const command = leaf({
    usage: 'tier <event> <tier>',
    summary: 'create a tier of an event: a kind of ticket with its price and number',
    examples: [
      'counterfoil event tier cup standing --title Standing --price 2500 --capacity 900 --key fed.key',
      'counterfoil event tier cup seated --title Seated --price 4500 --capacity 400 --transfers 2 --resale-percent 110',
    ],
  })
    .optionsGroup('The tier:')
    .addOption(new Option('--title <text>', 'for people').makeOptionMandatory())
    .addOption(new Option('--price <number>', 'in the smallest unit of the currency').makeOptionMandatory())
    .addOption(new Option('--currency <code>', 'ISO 4217').default('EUR'))
    .addOption(new Option('--capacity <number>', 'its tickets').makeOptionMandatory())
    .addOption(new Option('--valid-from <time>', 'its tickets admit from then on (default: always)'))
    .addOption(new Option('--valid-through <time>', 'its tickets admit until then (default: always)'))
    .addOption(
      new Option('--transfers <number>', 'how often one of its tickets may change hands, 0 to 255').default('0'),
    )
    .addOption(new Option('--transfer-until <time>', 'tickets change hands until then (default: always)'))
    .addOption(
      new Option('--resale-percent <number>', 'what may be asked at most, in percent of the price (default: 100)'),
    );
  return withKey(withStatements(command)).action(
    async (event: string, name: string, options: NewTierOptions, self: Command) => {
      const { createTier } = await import('./event-action.ts');
      await createTier(invocationOf(self), [event, name], options);
    },
  );
}

function roleChange(name: 'grant' | 'revoke', summary: string): Command {
  const command = leaf({
    usage: `${name} <event> <organisation> <role>`,
    summary,
    examples: [
      `counterfoil event ${name} cup boxoffice issuer --key fed.key`,
      `counterfoil event ${name} cup venue gate --home my-network/federation`,
    ],
  });
  return withKey(command).action(
    async (...[event, organisation, role, options, self]: [string, string, string, WriteCommandOptions, Command]) => {
      const { changeRole } = await import('./event-action.ts');
      await changeRole(invocationOf(self), `role.${name}`, [event, organisation, role], options);
    },
  );
}

export function eventCommand(): Command {
  return group('event', 'create events and their tiers, and say who may do what there', [
    create(),
    tier(),
    roleChange('grant', 'give an organisation a role: organiser, issuer, venue, gate, arbiter or marketplace'),
    roleChange('revoke', 'take a role back'),
  ]);
}
