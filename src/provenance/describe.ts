import { concat, utf8 } from '../lib/bytes.ts';
import { sha256 } from '../model/hash.ts';
import type { Hash, Height, Timestamp } from '../model/ids.ts';
import { type Operation, ticketsNamed } from '../model/operation.ts';
import type { Receipt } from '../model/receipt.ts';
import type { TicketChange } from '../model/ticket.ts';
import type { Transaction } from '../model/transaction.ts';
import { writeString } from './canonical.ts';
import { describeOperation } from './describe-operation.ts';
import { irisUnder } from './iris.ts';
import { dateTime, GraphLines, integer, ref, type Sheet, word } from './lines.ts';
import type { Iri } from './terms.ts';
import { ACTIVITIES, STANDING_NAMES, STATES } from './vocabulary.ts';

/** Where a transaction stands: all that its graph depends on besides itself and its receipt. */
export interface Place {
  /** What every IRI of the chain's graphs begins with. */
  readonly iriBase: Iri;
  readonly height: Height;
  /** Time of the block. */
  readonly timestamp: Timestamp;
}

const TYPE = word('rdf:type');
const TICKET = word('cf:ticket');
const HEIGHT = word('cf:height');
const ENDED = word('prov:endedAtTime');
const ASSOCIATED = word('prov:wasAssociatedWith');
const ATTRIBUTED = word('prov:wasAttributedTo');
const IDEMPOTENCY = word('cf:idempotencyKey');
const LOCATION = word('prov:atLocation');
const INFORMED = word('prov:wasInformedBy');
const ATTEMPTED = word('cf:attempted');
const ERROR = word('cf:errorCode');
const PRICE = word('cf:salePrice');
const REPEATS = word('cf:repeats');
const STATED = word('cf:stated');
const REJECTED = word('cf:RejectedAttempt');
const REPETITION = word('cf:Repetition');
const TICKET_VERSION = word('cf:TicketVersion');
const SPECIALIZATION = word('prov:specializationOf');
const REVISION = word('prov:wasRevisionOf');
const GENERATED = word('prov:wasGeneratedBy');
const INVALIDATED = word('prov:wasInvalidatedBy');
const VERSION = word('cf:version');
const STATE = word('cf:state');
const STANDING = word('cf:standing');
const EPOCH = word('cf:tokenEpoch');
const HOLDER = word('cf:holderCommitment');

/**
 * What a final transaction means, as a canonical N-Quads document (RDFC-1.0) of one named graph, whose name is that of
 * the activity. Refusals are described too. The lean profile: what the ontology implies is not written.
 */
export function describeTransaction(place: Place, transaction: Transaction, receipt: Receipt): string {
  const iris = irisUnder(place.iriBase);
  const name = iris.transaction(transaction.id);
  const sheet: Sheet = { iris, graph: new GraphLines(name), activity: ref(name) };
  describeActivity(sheet, place, transaction);
  if (receipt.replayOf !== null) describeRepetition(sheet, receipt.replayOf);
  else if (receipt.accepted) describeAccepted(sheet, transaction, receipt.changes);
  else describeRefusal(sheet, transaction.body.operation, receipt);
  return sheet.graph.document();
}

function describeActivity({ iris, graph, activity }: Sheet, place: Place, { body }: Transaction): void {
  graph.add(activity, HEIGHT, integer(place.height));
  graph.add(activity, ENDED, dateTime(place.timestamp));
  graph.add(activity, ASSOCIATED, ref(iris.agent(body.organisation)));
  if (body.idempotencyKey !== null) graph.add(activity, IDEMPOTENCY, writeString(body.idempotencyKey));
  for (const ticket of ticketsNamed(body.operation)) graph.add(activity, TICKET, ref(iris.ticket(ticket)));
}

function describeRepetition({ iris, graph, activity }: Sheet, first: Hash): void {
  graph.add(activity, TYPE, REPETITION);
  graph.add(activity, REPEATS, ref(iris.transaction(first)));
}

function describeAccepted(sheet: Sheet, { id, body }: Transaction, changes: readonly TicketChange[]): void {
  const { iris, graph, activity } = sheet;
  graph.add(activity, TYPE, word(ACTIVITIES[body.operation.kind]));
  describeOperation(sheet, body);
  for (const change of changes) describeVersion(sheet, change);
  if (body.statements === null) return;
  const stated = ref(iris.stated(id));
  graph.add(activity, STATED, stated);
  graph.add(stated, ATTRIBUTED, ref(iris.agent(body.organisation)));
}

function describeRefusal({ iris, graph, activity }: Sheet, operation: Operation, receipt: Receipt): void {
  graph.add(activity, TYPE, REJECTED);
  graph.add(activity, ATTEMPTED, word(ACTIVITIES[operation.kind]));
  if (receipt.code !== null) graph.add(activity, ERROR, writeString(receipt.code));
  if (receipt.firstScan !== null) graph.add(activity, INFORMED, ref(iris.transaction(receipt.firstScan.transaction)));
  const isScan = operation.kind === 'consume' || operation.kind === 'admit';
  if (isScan) graph.add(activity, LOCATION, ref(iris.gate(operation.gate)));
  // What was asked for in vain tells a dear resale from a late one.
  if (operation.kind === 'transfer' && operation.price !== null) graph.add(activity, PRICE, integer(operation.price));
}

function describeVersion({ iris, graph, activity }: Sheet, change: TicketChange): void {
  const version = ref(iris.version(change.ticket, change.version));
  graph.add(version, TYPE, TICKET_VERSION);
  graph.add(version, SPECIALIZATION, ref(iris.ticket(change.ticket)));
  graph.add(version, GENERATED, activity);
  graph.add(version, VERSION, integer(change.version));
  graph.add(version, STATE, word(STATES[change.state]));
  graph.add(version, STANDING, word(STANDING_NAMES[change.standing]));
  graph.add(version, EPOCH, integer(change.epoch));
  if (change.holder !== null) graph.add(version, HOLDER, writeString(change.holder));
  if (change.version === 1) return;
  const before = ref(iris.version(change.ticket, change.version - 1));
  graph.add(version, REVISION, before);
  graph.add(before, INVALIDATED, activity);
}

/**
 * What the submitter of an accepted transaction stated, as a canonical N-Quads document of a graph of its own; empty when
 * nothing was stated, or the transaction changed nothing.
 */
export function describeStatements(place: Pick<Place, 'iriBase'>, transaction: Transaction, receipt: Receipt): string {
  const { statements } = transaction.body;
  if (statements === null || !receipt.accepted || receipt.replayOf !== null) return '';
  const end = ` ${ref(irisUnder(place.iriBase).stated(transaction.id))} .\n`;
  // Every line ends with " .\n" and begins alike, so what was in order still is.
  return statements.replaceAll(' .\n', end);
}

/** What the graph root of a block is over: the SHA-256 of each graph of a transaction, of none thirty-two zero bytes. */
export function graphLeaf(place: Place, transaction: Transaction, receipt: Receipt): Uint8Array {
  const stated = describeStatements(place, transaction, receipt);
  return concat(
    sha256(utf8(describeTransaction(place, transaction, receipt))),
    stated === '' ? new Uint8Array(32) : sha256(utf8(stated)),
  );
}
