import type { OrganisationId, TicketId } from '../model/ids.ts';
import type { NewTicket, Operation } from '../model/operation.ts';
import type { TransactionBody } from '../model/transaction.ts';
import { writeString } from './canonical.ts';
import { dateTime, integer, ref, type Sheet, word } from './lines.ts';
import { CHANNEL_NAMES, OUTCOME_NAMES, ROLE_NAMES } from './vocabulary.ts';

type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

const TYPE = word('rdf:type');
const NOTE = word('cf:note');
const TITLE = word('cf:title');
const EVENT = word('cf:event');
const TIER = word('cf:tier');
const CAPACITY = word('cf:capacity');
const REASON = word('cf:reason');
const ADMITS_TO = word('cf:admitsTo');
const LOCATION = word('prov:atLocation');
const GENERATED = word('prov:wasGeneratedBy');
const INFORMED = word('prov:wasInformedBy');

/** What an accepted operation says besides the versions that it made. */
export function describeOperation(sheet: Sheet, { operation, organisation }: TransactionBody): void {
  const { iris, graph, activity } = sheet;
  switch (operation.kind) {
    case 'event.create':
      describeEvent(sheet, operation, organisation);
      return;
    case 'tier.create':
      describeTier(sheet, operation);
      return;
    case 'role.grant':
    case 'role.revoke':
      graph.add(activity, EVENT, ref(iris.event(operation.event)));
      graph.add(activity, word('cf:organisation'), ref(iris.agent(operation.organisation)));
      graph.add(activity, word('cf:role'), word(ROLE_NAMES[operation.role]));
      return;
    case 'issue':
      for (const ticket of operation.tickets) describeTicket(sheet, operation, ticket);
      return;
    case 'validate':
      return;
    case 'consume':
    case 'admit':
      graph.add(activity, LOCATION, ref(iris.gate(operation.gate)));
      return;
    case 'transfer':
      graph.add(activity, word('cf:channel'), word(CHANNEL_NAMES[operation.channel]));
      if (operation.price !== null) graph.add(activity, word('cf:salePrice'), integer(operation.price));
      return;
    default:
      describeDecision(sheet, operation);
      return;
  }
}

function describeEvent({ iris, graph, activity }: Sheet, operation: Of<'event.create'>, creator: OrganisationId): void {
  const event = ref(iris.event(operation.event));
  graph.add(event, TYPE, word('cf:Event'));
  graph.add(event, TITLE, writeString(operation.title));
  graph.add(event, word('schema:startDate'), dateTime(operation.startsAt));
  graph.add(event, word('schema:organizer'), ref(iris.agent(creator)));
  graph.add(event, CAPACITY, integer(operation.capacity));
  graph.add(event, GENERATED, activity);
}

function describeTier({ iris, graph, activity }: Sheet, operation: Of<'tier.create'>): void {
  const { event, validFrom, validThrough, transfer } = operation;
  const tier = ref(iris.tier(event, operation.tier));
  graph.add(tier, TYPE, word('cf:Tier'));
  graph.add(tier, ADMITS_TO, ref(iris.event(event)));
  graph.add(tier, TITLE, writeString(operation.title));
  graph.add(tier, word('cf:price'), integer(operation.price));
  graph.add(tier, word('schema:priceCurrency'), writeString(operation.currency));
  graph.add(tier, CAPACITY, integer(operation.capacity));
  graph.add(tier, word('cf:transfersMax'), integer(transfer.allowed ? transfer.transfersMax : 0));
  graph.add(tier, word('cf:resaleCapPercent'), integer(transfer.resalePercentMax));
  if (transfer.until !== null) graph.add(tier, word('cf:transferUntil'), dateTime(transfer.until));
  if (validFrom !== null) graph.add(tier, word('schema:validFrom'), dateTime(validFrom));
  if (validThrough !== null) graph.add(tier, word('schema:validThrough'), dateTime(validThrough));
  graph.add(tier, GENERATED, activity);
}

function describeTicket(
  { iris, graph }: Sheet,
  { event, tier }: Pick<Of<'issue'>, 'event' | 'tier'>,
  issued: Omit<NewTicket, 'holder'>,
): void {
  const ticket = ref(iris.ticket(issued.ticket));
  graph.add(ticket, TYPE, word('cf:Ticket'));
  graph.add(ticket, ADMITS_TO, ref(iris.event(event)));
  graph.add(ticket, TIER, ref(iris.tier(event, tier)));
  if (issued.seat !== null) graph.add(ticket, word('cf:seatLabel'), writeString(issued.seat));
  if (issued.gate !== null) graph.add(ticket, word('cf:assignedGate'), ref(iris.gate(issued.gate)));
}

/** What people decided about a ticket, and why. */
function describeDecision(
  sheet: Sheet,
  operation: Of<'dispute' | 'hold' | 'release' | 'revoke' | 'case.open' | 'resolve'>,
): void {
  const { iris, graph, activity } = sheet;
  if (operation.note !== '') graph.add(activity, NOTE, writeString(operation.note));
  if ('reason' in operation) graph.add(activity, REASON, writeString(operation.reason));
  switch (operation.kind) {
    case 'dispute':
      // Where it came up; not prov:atLocation, by which presentations at a gate are counted.
      if (operation.gate !== null) graph.add(activity, word('cf:gate'), ref(iris.gate(operation.gate)));
      return;
    case 'case.open':
      if (operation.evidence !== null) graph.add(activity, INFORMED, ref(iris.transaction(operation.evidence)));
      return;
    case 'resolve':
      graph.add(activity, word('cf:outcome'), word(OUTCOME_NAMES[operation.outcome]));
      describeReplacement(sheet, operation.ticket, operation.replacement);
      return;
    default:
  }
}

function describeReplacement(sheet: Sheet, replaced: TicketId, replacement: Of<'resolve'>['replacement']): void {
  if (replacement === null) return;
  const { iris, graph } = sheet;
  const ticket = ref(iris.ticket(replacement.ticket));
  describeTicket(sheet, replacement, replacement);
  graph.add(ticket, word('cf:replaces'), ref(iris.ticket(replaced)));
  graph.add(ticket, word('prov:wasDerivedFrom'), ref(iris.ticket(replaced)));
}
