import { createPrng, type Prng } from '../../src/lib/prng.ts';

/** N-Quads of one block. */
export interface GraphBlock {
  readonly height: number;
  readonly nquads: string;
}

const GRAPH_BASE = 'http://localhost/id/';
const CF = 'https://w3id.org/counterfoil#';
const PROV = 'http://www.w3.org/ns/prov#';
const SCHEMA = 'http://schema.org/';
const XSD = 'http://www.w3.org/2001/XMLSchema#';
const TYPE = '<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>';

const AGENTS = ['federation', 'venue', 'city', 'boxoffice'];
const ISSUERS = ['boxoffice', 'resale', 'venue'];
const GATES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const TIERS = ['cat1', 'cat2', 'cat3', 'lounge'];
const EVENT = 'harbour-cup';
const TRANSACTIONS_PER_BLOCK = 10;
const START_MS = Date.UTC(2026, 4, 13, 9);

const id = (path: string): string => `<${GRAPH_BASE}${path}>`;
const cf = (name: string): string => `<${CF}${name}>`;
const prov = (name: string): string => `<${PROV}${name}>`;
const schema = (name: string): string => `<${SCHEMA}${name}>`;
const text = (value: string): string => `"${value}"`;
const typed = (value: string | number, type: string): string => `"${value}"^^<${XSD}${type}>`;
const integer = (value: number): string => typed(value, 'integer');
const instant = (atMs: number): string => typed(new Date(atMs).toISOString(), 'dateTime');

/** Predicates with their objects, of one subject. */
type Facts = readonly (readonly [predicate: string, object: string])[];

interface Version {
  readonly ticket: string;
  readonly version: number;
  readonly state: string;
  readonly standing: string;
  readonly epoch: number;
}

/** The graph of one transaction as it grows; lines are quads. */
class TransactionGraph {
  readonly name: string;
  readonly lines: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  say(subject: string, facts: Facts): void {
    for (const [predicate, object] of facts) this.lines.push(`${subject} ${predicate} ${object} ${this.name} .\n`);
  }
}

/**
 * Blocks of a chain's graph in the shape of a season of tickets: issue, transfer, activation, admission, and now and then
 * a refused scan, an offline claim, a dispute or a revocation. The same seed gives the same bytes.
 */
export function* provenanceGraph(seed: number, quadsMin: number): Generator<GraphBlock> {
  const season = new Season(createPrng(seed));
  let quads = 0;
  for (let height = 0; quads < quadsMin; height += 1) {
    const nquads = season.block(height);
    quads += nquads.split('\n').length - 1;
    yield { height, nquads };
  }
}

class Season {
  readonly #random: Prng;
  readonly #open: Version[] = [];
  #transactions = 0;
  #tickets = 0;
  #nowMs = START_MS;

  constructor(random: Prng) {
    this.#random = random;
  }

  block(height: number): string {
    const lines: string[] = [];
    const graphs: TransactionGraph[] = [];
    for (let index = 0; index < TRANSACTIONS_PER_BLOCK; index += 1) {
      this.#nowMs += 1_000;
      const graph = new TransactionGraph(id(`tx/${hex(this.#transactions, 64)}`));
      this.#transactions += 1;
      if (height === 0 && index === 0) this.#found(graph);
      else this.#transact(graph);
      graphs.push(graph);
      lines.push(...graph.lines);
    }
    lines.push(...this.#header(height, graphs).lines);
    return lines.join('');
  }

  /** The event, its tiers, its gates and devices. */
  #found(graph: TransactionGraph): void {
    const event = id(`event/${EVENT}`);
    graph.say(graph.name, [
      [TYPE, cf('TierCreation')],
      [prov('wasAssociatedWith'), id('agent/venue')],
    ]);
    for (const tier of TIERS) {
      graph.say(id(`tier/${EVENT}/${tier}`), [
        [TYPE, cf('Tier')],
        [cf('partOf'), event],
        [cf('capacity'), integer(20_000)],
        [cf('resaleCapPercent'), integer(110)],
      ]);
    }
    for (const gate of GATES) {
      graph.say(id(`device/${gate}1`), [
        [TYPE, cf('GateDevice')],
        [prov('atLocation'), id(`gate/${gate}`)],
        [prov('actedOnBehalfOf'), id('agent/venue')],
        [cf('leasedFrom'), instant(START_MS)],
        [cf('leasedUntil'), instant(START_MS + 86_400_000)],
      ]);
    }
  }

  #transact(graph: TransactionGraph): void {
    const at = this.#random.next();
    const known = this.#open.length;
    const index = this.#random.below(known);
    const ticket = this.#open[index];
    if (ticket === undefined || known < 40 || at < 0.32) this.#issue(graph);
    else if (at > 0.985) this.#claim(graph, ticket);
    else if (at > 0.97) this.#retire(graph, index, ticket);
    else if (ticket.state === 'Validated') this.#admit(graph, index, ticket);
    else if (at < 0.42) this.#transfer(graph, index, ticket);
    else this.#validate(graph, index, ticket);
  }

  #validate(graph: TransactionGraph, index: number, ticket: Version): void {
    this.#activity(graph, 'Validation', ticket.ticket, 'boxoffice');
    this.#open[index] = this.#revise(graph, ticket, { state: 'Validated' });
  }

  #activity(graph: TransactionGraph, kind: string, ticket: string, agent: string): void {
    graph.say(graph.name, [
      [TYPE, cf(kind)],
      [TYPE, prov('Activity')],
      [cf('ticket'), id(`ticket/${ticket}`)],
      [cf('idempotencyKey'), text(`key-${this.#transactions}`)],
      [prov('endedAtTime'), instant(this.#nowMs)],
      [prov('wasAssociatedWith'), id(`agent/${agent}`)],
    ]);
  }

  #issue(graph: TransactionGraph): void {
    this.#tickets += 1;
    const ticket = `hc${hex(this.#tickets * 7_919, 16)}`;
    const subject = id(`ticket/${ticket}`);
    this.#activity(graph, 'Issuance', ticket, this.#random.pick(ISSUERS));
    graph.say(subject, [
      [TYPE, cf('Ticket')],
      [TYPE, schema('Ticket')],
      [schema('ticketNumber'), text(ticket)],
      [schema('issuedBy'), id('agent/boxoffice')],
      [schema('totalPrice'), typed(`${20 + this.#random.below(80)}.5`, 'decimal')],
      [cf('admitsTo'), id(`event/${EVENT}`)],
      [cf('tier'), id(`tier/${EVENT}/${this.#random.pick(TIERS)}`)],
      [cf('seatLabel'), text(`R${this.#random.below(90)}-${this.#random.below(60)}`)],
      [cf('assignedGate'), id(`gate/${this.#random.pick(GATES)}`)],
    ]);
    const version = { ticket, version: 1, state: 'Issued', standing: 'Good', epoch: 0 };
    this.#version(graph, version);
    this.#open.push(version);
  }

  #version(graph: TransactionGraph, { ticket, version, state, standing, epoch }: Version): string {
    const subject = id(`ticket/${ticket}/v/${version}`);
    graph.say(subject, [
      [TYPE, cf('TicketVersion')],
      [prov('specializationOf'), id(`ticket/${ticket}`)],
      [prov('wasGeneratedBy'), graph.name],
      [cf('version'), integer(version)],
      [cf('state'), cf(state)],
      [cf('standing'), cf(standing)],
      [cf('tokenEpoch'), integer(epoch)],
      [cf('holderCommitment'), text(hex(this.#random.below(1_000_000), 64))],
    ]);
    return subject;
  }

  #revise(graph: TransactionGraph, before: Version, change: Partial<Version>): Version {
    const after = { ...before, ...change, version: before.version + 1 };
    const old = id(`ticket/${before.ticket}/v/${before.version}`);
    graph.say(graph.name, [[prov('used'), old]]);
    graph.say(old, [[prov('wasInvalidatedBy'), graph.name]]);
    graph.say(this.#version(graph, after), [[prov('wasRevisionOf'), old]]);
    return after;
  }

  #transfer(graph: TransactionGraph, index: number, ticket: Version): void {
    this.#activity(graph, 'Transfer', ticket.ticket, 'resale');
    graph.say(graph.name, [
      [cf('channel'), cf('Resale')],
      [cf('salePrice'), typed(`${20 + this.#random.below(100)}.5`, 'decimal')],
    ]);
    this.#open[index] = this.#revise(graph, ticket, { epoch: ticket.epoch + 1 });
  }

  #admit(graph: TransactionGraph, index: number, ticket: Version): void {
    const isTwice = this.#random.chance(0.03);
    this.#activity(graph, isTwice ? 'RejectedAttempt' : 'Consumption', ticket.ticket, 'venue');
    this.#scan(graph);
    if (isTwice) {
      graph.say(graph.name, [[cf('errorCode'), text('WRONG_GATE')]]);
    } else {
      this.#revise(graph, ticket, { state: 'Consumed' });
      this.#open.splice(index, 1);
    }
  }

  #scan(graph: TransactionGraph): void {
    const gate = this.#random.pick(GATES);
    graph.say(graph.name, [
      [prov('atLocation'), id(`gate/${gate}`)],
      [prov('wasAssociatedWith'), id(`device/${this.#random.pick(GATES)}1`)],
    ]);
  }

  #claim(graph: TransactionGraph, ticket: Version): void {
    this.#activity(graph, 'OfflineClaim', ticket.ticket, 'venue');
    this.#scan(graph);
    graph.say(graph.name, [
      [cf('submittedAt'), instant(this.#nowMs + 300_000)],
      [cf('deviceSequence'), integer(this.#transactions)],
    ]);
  }

  /** Disputed or revoked: it goes no further. */
  #retire(graph: TransactionGraph, index: number, ticket: Version): void {
    const isDispute = this.#random.chance(0.5);
    this.#activity(graph, isDispute ? 'DisputeOpening' : 'Revocation', ticket.ticket, 'venue');
    graph.say(graph.name, [[cf('reason'), text(isDispute ? 'DOUBLE_ADMISSION' : 'CHARGEBACK')]]);
    this.#revise(graph, ticket, isDispute ? { state: 'Disputed' } : { standing: 'Revoked' });
    this.#open.splice(index, 1);
  }

  #header(height: number, contained: readonly TransactionGraph[]): TransactionGraph {
    const block = id(`block/${height}`);
    const graph = new TransactionGraph(block);
    const finalization = id(`block/${height}#finalization`);
    const back: Facts = height === 0 ? [] : [[cf('previousBlock'), id(`block/${height - 1}`)]];
    graph.say(block, [
      [TYPE, cf('Block')],
      [TYPE, prov('Bundle')],
      [cf('height'), integer(height)],
      ...back,
      [cf('previousHash'), text(height === 0 ? '0'.repeat(64) : hex(height - 1, 64))],
      [cf('blockHash'), text(hex(height, 64))],
      [cf('graphRoot'), text(hex(height * 31, 64))],
      [cf('stateRoot'), text(hex(height * 37, 64))],
      [cf('txCount'), integer(contained.length)],
      [prov('generatedAtTime'), instant(this.#nowMs)],
      [cf('proposer'), id(`agent/${AGENTS[height % AGENTS.length] ?? ''}`)],
      [prov('wasGeneratedBy'), finalization],
    ]);
    graph.say(finalization, [
      [TYPE, cf('Finalization')],
      [cf('view'), integer(0)],
      ...AGENTS.slice(0, 3).map((agent) => [prov('wasAssociatedWith'), id(`agent/${agent}`)] as const),
    ]);
    for (const [index, { name }] of contained.entries()) {
      graph.say(block, [[cf('contains'), name]]);
      graph.say(name, [
        [cf('graphHash'), text(hex(height * 100 + index, 64))],
        [cf('indexInBlock'), integer(index)],
      ]);
    }
    return graph;
  }
}

/** A number as that many hex digits, spread so that neighbours differ in most of them. */
function hex(value: number, digits: number): string {
  const random = createPrng(value);
  let made = '';
  while (made.length < digits) made += random.below(0x1_0000_0000).toString(16).padStart(8, '0');
  return made.slice(0, digits);
}
