import { TicketId } from '../model/ids.ts';
import { writeString } from '../provenance/canonical.ts';
import { type Iris, irisUnder } from '../provenance/iris.ts';
import { dateTime, GraphLines, integer, ref, type Sheet, word } from '../provenance/lines.ts';
import type { Iri } from '../provenance/terms.ts';
import { STANDING_NAMES, STATES } from '../provenance/vocabulary.ts';
import type { Act } from './act.ts';
import { answersOf, type ExpectedAnswer, instantText, type Row, type Setting } from './answers.ts';
import { drawName } from './draw.ts';
import {
  DEVICES,
  EXERCISE_ACTS,
  EXERCISE_AUTHORITIES,
  EXERCISE_BLOCKS,
  EXERCISE_TIER,
  SCRIPTED,
  type Scene,
} from './exercise-script.ts';

/** A set of graphs to be examined, and what the questions find in it. */
export interface Exercise {
  /** One graph, which says that it is an exercise; canonical N-Quads. */
  readonly document: string;
  readonly answers: readonly ExpectedAnswer[];
}

const NOTE =
  'An audit exercise, and no part of any chain. It shows control failures that the ledger refuses: a revoked ticket that ' +
  'is let in by a gate without connection, a device that acts after its lease, an organisation that decides its own case, ' +
  'a resale above the cap, an admission without activation, and a block that does not follow the one before it.';

/** The control failures that no chain has, as evidence to try the questions on. */
export function auditExercise(iriBase: Iri): Exercise {
  const iris = irisUnder(iriBase);
  const acts = EXERCISE_ACTS.map((scene, index) => actOf(iris, scene, index));
  const name = `${iriBase}exercise/harbour-cup`;
  const sheet: Sheet = { iris, graph: new GraphLines(name), activity: '' };
  sheet.graph.add(ref(name), word('rdf:type'), word('cf:AuditExercise'));
  sheet.graph.add(ref(name), word('cf:note'), writeString(NOTE));
  describeThings(sheet);
  for (const act of acts) describeAct(sheet, act);
  describeBlocks(sheet);
  return { document: sheet.graph.document(), answers: answersIn(iris, acts) };
}

function ticketOf(number: number): TicketId {
  return TicketId(drawName('exercise', number));
}

function actOf(iris: Iris, scene: Scene, index: number): Act & { readonly informedBy: readonly Iri[] } {
  const { name, ticket, kind, by, at, gate, submitted, versions } = scene;
  const id = ticketOf(ticket);
  const act = (other: string): Iri => `${iris.base}exercise/${other}`;
  return {
    id: act(name),
    kind,
    agent: by.startsWith('device/') ? iris.base + by : `${iris.base}agent/${by}`,
    at,
    heard: submitted ?? Number.NaN,
    height: null,
    index,
    tickets: [id],
    gate: gate === undefined ? null : `${iris.base}gate/${gate}`,
    key: scene.key ?? null,
    code: null,
    price: scene.price ?? null,
    reason: scene.reason ?? null,
    outcome: scene.outcome === undefined ? null : `https://w3id.org/counterfoil#${scene.outcome}`,
    versions: versions.map((version) => ({ ...version, ticket: id })),
    informedBy: (scene.informedBy ?? []).map(act),
  };
}

function describeThings({ iris, graph }: Sheet): void {
  const tier = ref(iris.tier(EXERCISE_TIER.event, EXERCISE_TIER.tier));
  graph.add(tier, word('rdf:type'), word('cf:Tier'));
  graph.add(tier, word('cf:price'), integer(EXERCISE_TIER.price));
  graph.add(tier, word('cf:capacity'), integer(EXERCISE_TIER.capacity));
  graph.add(tier, word('cf:resaleCapPercent'), integer(EXERCISE_TIER.capPercent));
  for (const number of SCRIPTED) {
    const ticket = ref(iris.ticket(ticketOf(number)));
    graph.add(ticket, word('rdf:type'), word('cf:Ticket'));
    graph.add(ticket, word('cf:tier'), tier);
    graph.add(ticket, word('cf:admitsTo'), ref(iris.event(EXERCISE_TIER.event)));
  }
  for (const { name, gate, from, until } of DEVICES) {
    const device = ref(`${iris.base}device/${name}`);
    graph.add(device, word('rdf:type'), word('cf:GateDevice'));
    graph.add(device, word('prov:actedOnBehalfOf'), ref(`${iris.base}agent/venue`));
    graph.add(device, word('prov:atLocation'), ref(`${iris.base}gate/${gate}`));
    graph.add(device, word('cf:leasedFrom'), dateTime(from));
    graph.add(device, word('cf:leasedUntil'), dateTime(until));
    graph.add(ref(leaseOf(iris, name)), word('rdf:type'), word('cf:Lease'));
  }
}

function leaseOf(iris: Iris, device: string): Iri {
  return `${iris.base}lease/${device}`;
}

function describeAct({ iris, graph }: Sheet, act: ReturnType<typeof actOf>): void {
  const self = ref(act.id);
  graph.add(self, word('rdf:type'), word(act.kind));
  graph.add(self, word('prov:endedAtTime'), dateTime(act.at));
  graph.add(self, word('prov:wasAssociatedWith'), ref(act.agent));
  for (const ticket of act.tickets) graph.add(self, word('cf:ticket'), ref(iris.ticket(ticket)));
  if (act.gate !== null) graph.add(self, word('prov:atLocation'), ref(act.gate));
  if (act.key !== null) graph.add(self, word('cf:idempotencyKey'), writeString(act.key));
  if (act.price !== null) graph.add(self, word('cf:salePrice'), integer(act.price));
  if (act.price !== null) graph.add(self, word('cf:channel'), word('cf:Resale'));
  if (act.reason !== null) graph.add(self, word('cf:reason'), writeString(act.reason));
  if (act.outcome !== null) graph.add(self, word('cf:outcome'), ref(act.outcome));
  for (const other of act.informedBy) graph.add(self, word('prov:wasInformedBy'), ref(other));
  if (act.kind === 'cf:OfflineClaim') {
    const device = act.agent.slice(act.agent.lastIndexOf('/') + 1);
    graph.add(self, word('cf:submittedAt'), dateTime(act.heard));
    graph.add(self, word('cf:deviceSequence'), integer(400 + act.index));
    graph.add(self, word('cf:lease'), ref(leaseOf(iris, device)));
  }
  for (const { ticket, version, state, standing } of act.versions) {
    const made = ref(iris.version(ticket, version));
    graph.add(made, word('rdf:type'), word('cf:TicketVersion'));
    graph.add(made, word('prov:specializationOf'), ref(iris.ticket(ticket)));
    graph.add(made, word('prov:wasGeneratedBy'), self);
    graph.add(made, word('cf:version'), integer(version));
    graph.add(made, word('cf:state'), word(STATES[state]));
    graph.add(made, word('cf:standing'), word(STANDING_NAMES[standing]));
    if (version === 1) continue;
    const before = ref(iris.version(ticket, version - 1));
    graph.add(made, word('prov:wasRevisionOf'), before);
    graph.add(before, word('prov:wasInvalidatedBy'), self);
  }
}

function describeBlocks({ iris, graph }: Sheet): void {
  for (const [seat, name] of EXERCISE_AUTHORITIES.entries()) {
    const authority = ref(iris.authority(name));
    graph.add(authority, word('rdf:type'), word('cf:Authority'));
    graph.add(authority, word('cf:seat'), integer(seat));
    graph.add(authority, word('prov:actedOnBehalfOf'), ref(`${iris.base}agent/${name}`));
  }
  for (const { height, hash, previous, proposer, signers } of EXERCISE_BLOCKS) {
    const block = ref(blockOf(iris, height));
    const finalization = ref(`${blockOf(iris, height)}#finalization`);
    graph.add(block, word('rdf:type'), word('cf:Block'));
    graph.add(block, word('cf:height'), integer(height));
    graph.add(block, word('cf:blockHash'), writeString(hash));
    graph.add(block, word('cf:proposer'), ref(iris.authority(proposer)));
    graph.add(block, word('prov:wasGeneratedBy'), finalization);
    graph.add(finalization, word('rdf:type'), word('cf:Finalization'));
    for (const name of signers) graph.add(finalization, word('prov:wasAssociatedWith'), ref(iris.authority(name)));
    if (previous === null) continue;
    graph.add(block, word('cf:previousHash'), writeString(previous));
    graph.add(block, word('cf:previousBlock'), ref(blockOf(iris, height - 1)));
  }
}

/** Beside those of the chain: an exercise that is loaded with one breaks none of its blocks. */
function blockOf(iris: Iris, height: number): Iri {
  return `${iris.base}exercise/block/${height}`;
}

function answersIn(iris: Iris, acts: readonly Act[]): readonly ExpectedAnswer[] {
  const tier = iris.tier(EXERCISE_TIER.event, EXERCISE_TIER.tier);
  const setting: Setting = {
    iris,
    tiers: new Map([[tier, EXERCISE_TIER]]),
    tierOf: new Map(SCRIPTED.map((number) => [ticketOf(number), tier])),
    tickets: SCRIPTED.map(ticketOf),
    instant: Date.UTC(2026, 5, 18, 18, 30),
    from: Date.UTC(2026, 5, 18),
    until: Date.UTC(2026, 5, 19),
  };
  const whole = (question: string, rows: readonly Row[]): ExpectedAnswer => ({ question, parameters: {}, rows });
  const late = acts.filter(({ agent, at }) => {
    const device = DEVICES.find(({ name }) => agent.endsWith(`device/${name}`));
    return device !== undefined && (at < device.from || at > device.until);
  });
  const leap = acts.filter(({ id }) => id.endsWith('/10/in'));
  const [first, second] = EXERCISE_BLOCKS;
  return [
    ...answersOf(acts, setting),
    whole(
      'illegal-transitions',
      leap.map(({ id, tickets }) => [
        ...tickets.map((ticket) => iris.ticket(ticket)),
        'https://w3id.org/counterfoil#Issued',
        'https://w3id.org/counterfoil#Consumed',
        id,
      ]),
    ),
    whole('chain-breaks', [
      [`${first?.height}`, 'missing', ''],
      [`${second?.height}`, `${second?.previous}`, `${first?.hash}`],
    ]),
    whole(
      'authorities',
      EXERCISE_AUTHORITIES.map((name) => authorityRow(iris, name)),
    ),
    whole(
      'out-of-lease',
      late.map(({ id, agent, at, gate }) => [id, agent, instantText(at), gate ?? '', 'TIME']),
    ),
  ];
}

function authorityRow(iris: Iris, name: string): Row {
  const signed = EXERCISE_BLOCKS.filter(({ signers }) => signers.some((signer) => signer === name)).length;
  const proposed = EXERCISE_BLOCKS.filter(({ proposer }) => proposer === name).length;
  const quorum = EXERCISE_AUTHORITIES.length - Math.floor((EXERCISE_AUTHORITIES.length - 1) / 3);
  const weak = EXERCISE_BLOCKS.filter(({ signers }) => signers.length < quorum).length;
  return [iris.authority(name), `${iris.base}agent/${name}`, `${signed}`, `${proposed}`, `${weak}`];
}
