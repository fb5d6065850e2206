import type { TicketId } from '../model/ids.ts';
import type { Iris } from '../provenance/iris.ts';
import type { Iri } from '../provenance/terms.ts';
import { expand, STANDING_NAMES, STATES } from '../provenance/vocabulary.ts';
import { type Act, REJECTED } from './act.ts';
import type { PlannedVersion } from './intent.ts';

/** Texts of each column of a question, empty where a row has no value; IRIs in full. */
export type Row = readonly string[];

/** What a question with these parameters is to be answered. */
export interface ExpectedAnswer {
  readonly question: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

/** What the answers depend on besides what was done. */
export interface Setting {
  readonly iris: Iris;
  /** By the IRI of each. */
  readonly tiers: ReadonlyMap<Iri, { readonly price: number; readonly capacity: number; readonly capPercent: number }>;
  readonly tierOf: ReadonlyMap<TicketId, Iri>;
  /** Whose files are asked for. */
  readonly tickets: readonly TicketId[];
  /** When their states are. */
  readonly instant: number;
  /** Between which times the entries are counted. */
  readonly from: number;
  readonly until: number;
}

/** `xsd:dateTime` as the graphs have it. */
export function instantText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.?0*Z$/, 'Z');
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** By one column after the other. */
function sorted(rows: readonly Row[], ...columns: readonly number[]): readonly Row[] {
  return [...rows].sort((a, b) =>
    columns.reduce((order, column) => order || compare(a[column] ?? '', b[column] ?? ''), 0),
  );
}

/** The answers that follow from what was planned: no graph and no query is asked. */
export function answersOf(acts: readonly Act[], setting: Setting): readonly ExpectedAnswer[] {
  const { tickets, instant, from, until } = setting;
  const whole = (question: string, rows: readonly Row[]): ExpectedAnswer => ({ question, parameters: {}, rows });
  const span = { from: instantText(from), until: instantText(until) };
  return [
    ...tickets.flatMap((ticket): readonly ExpectedAnswer[] => {
      const own = acts.filter((act) => act.tickets.includes(ticket));
      const at = instantText(instant);
      return [
        { question: 'history', parameters: { ticket }, rows: history(own, ticket) },
        { question: 'state-as-of', parameters: { ticket, at }, rows: stateAsOf(own, ticket, instant) },
        { question: 'who-admitted', parameters: { ticket }, rows: whoAdmitted(own) },
      ];
    }),
    { question: 'gate-curve', parameters: span, rows: gateCurve(acts, setting) },
    whole('double-admissions', doubleAdmissions(acts, setting)),
    whole('disputes', disputes(acts, setting)),
    whole('custody-resale', custodyResale(acts, setting)),
    whole('revoked-then-used', revokedThenUsed(acts, setting)),
    whole('reconcile', reconcile(acts, setting)),
  ];
}

interface VersionOfAct {
  readonly act: Act;
  readonly version: PlannedVersion;
}

function versionsOf(acts: readonly Act[], ticket: TicketId): readonly VersionOfAct[] {
  return acts.flatMap((act) =>
    act.versions.filter((version) => version.ticket === ticket).map((version) => ({ act, version })),
  );
}

function stateColumns({ version, state, standing }: PlannedVersion): Row {
  return [`${version}`, expand(STATES[state]), expand(STANDING_NAMES[standing])];
}

function history(acts: readonly Act[], ticket: TicketId): readonly Row[] {
  return versionsOf(acts, ticket).map(({ act, version }) => [
    ...stateColumns(version),
    expand(act.kind),
    instantText(act.at),
    act.agent,
    act.height === null ? '' : `${act.height}`,
    act.id,
  ]);
}

function stateAsOf(acts: readonly Act[], ticket: TicketId, instant: number): readonly Row[] {
  const last = versionsOf(acts, ticket).findLast(({ act }) => act.at <= instant);
  if (last === undefined) return [];
  return [[...stateColumns(last.version), instantText(last.act.at), last.act.id]];
}

function whoAdmitted(acts: readonly Act[]): readonly Row[] {
  return acts
    .filter(({ gate }) => gate !== null)
    .map(({ kind, agent, gate, key, at, heard, code, id }) => [
      expand(kind),
      agent,
      agent.includes('/device/') ? agent.replace(/device\/.*/, 'agent/venue') : '',
      gate ?? '',
      key ?? '',
      instantText(at),
      Number.isNaN(heard) ? '' : instantText(heard),
      code ?? '',
      id,
    ]);
}

const ENTRIES: ReadonlySet<string> = new Set(['cf:Consumption', 'cf:Admission', 'cf:OfflineClaim']);
const SLOT_MS = 300_000;

function gateCurve(acts: readonly Act[], { from, until }: Setting): readonly Row[] {
  const counts = new Map<string, number>();
  for (const { kind, gate, at } of acts) {
    if (gate === null || !ENTRIES.has(kind) || at < from || at >= until) continue;
    const slot = `${gate} ${instantText(at - (at % SLOT_MS))}`;
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  return sorted(
    [...counts].map(([slot, entries]) => [...slot.split(' '), `${entries}`]),
    0,
    1,
  );
}

function doubleAdmissions(acts: readonly Act[], { iris }: Setting): readonly Row[] {
  const scans = new Map<TicketId, Act[]>();
  for (const act of acts) {
    if (act.gate === null) continue;
    for (const ticket of act.tickets) scans.set(ticket, [...(scans.get(ticket) ?? []), act]);
  }
  const rows = [...scans]
    .filter(([, list]) => list.length > 1)
    .map(([ticket, list]) => [
      iris.ticket(ticket),
      `${list.length}`,
      `${list.filter(({ kind }) => kind !== REJECTED).length}`,
      `${new Set(list.map(({ gate }) => gate)).size}`,
      instantText(Math.min(...list.map(({ at }) => at))),
      instantText(Math.max(...list.map(({ at }) => at))),
    ]);
  return sorted(rows, 0).toSorted((a, b) => Number(b[1]) - Number(a[1]));
}

function disputes(acts: readonly Act[], { iris }: Setting): readonly Row[] {
  const ended = new Map(
    acts.filter(({ kind }) => kind === 'cf:DisputeResolution').map((act) => [act.tickets[0], act] as const),
  );
  const rows = acts
    .filter(({ kind }) => kind === 'cf:DisputeOpening' || kind === 'cf:CaseOpening')
    .map(({ tickets: [ticket], reason, at, agent }) => {
      const end = ended.get(ticket);
      const decided = end === undefined ? ['', '', ''] : [end.outcome ?? '', instantText(end.at), end.agent];
      const isOwn = end !== undefined && end.agent === agent;
      return [
        ticket === undefined ? '' : iris.ticket(ticket),
        reason ?? '',
        instantText(at),
        agent,
        ...decided,
        `${isOwn}`,
      ];
    });
  return sorted(rows, 2, 0);
}

function custodyResale(acts: readonly Act[], { iris, tiers, tierOf }: Setting): readonly Row[] {
  const rows = acts.flatMap(({ id, kind, price, tickets: [ticket], at, agent }): readonly Row[] => {
    const tier = ticket === undefined ? undefined : tiers.get(tierOf.get(ticket) ?? '');
    if (price === null || ticket === undefined || tier === undefined) return [];
    if (price * 100 <= tier.price * tier.capPercent) return [];
    const prices = [`${tier.price}`, `${price}`, `${tier.capPercent}`];
    return [[iris.ticket(ticket), id, instantText(at), agent, ...prices, `${kind === 'cf:Transfer'}`]];
  });
  return sorted(rows, 2, 0, 1);
}

function revokedThenUsed(acts: readonly Act[], { iris }: Setting): readonly Row[] {
  const revocations = new Map(
    acts.filter(({ kind }) => kind === 'cf:Revocation').map((act) => [act.tickets[0], act] as const),
  );
  const rows = acts.flatMap(({ id, kind, gate, tickets: [ticket], at }): readonly Row[] => {
    const revocation = revocations.get(ticket);
    if (gate === null || ticket === undefined || revocation === undefined || at < revocation.at) return [];
    const { reason, at: revoked } = revocation;
    const times = [instantText(revoked), instantText(at)];
    return [[iris.ticket(ticket), reason ?? '', ...times, gate, `${kind !== REJECTED}`, id]];
  });
  return sorted(rows, 3, 0, 6);
}

function reconcile(acts: readonly Act[], { tiers, tierOf }: Setting): readonly Row[] {
  const current = new Map<TicketId, PlannedVersion>();
  for (const { versions } of acts) for (const version of versions) current.set(version.ticket, version);
  const counts = new Map<string, number>();
  for (const [ticket, { state, standing }] of current) {
    const tier = tierOf.get(ticket) ?? '';
    const capacity = `${tiers.get(tier)?.capacity}`;
    const line = [tier, capacity, expand(STATES[state]), expand(STANDING_NAMES[standing])].join(' ');
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return sorted(
    [...counts].map(([line, tickets]) => [...line.split(' '), `${tickets}`]),
    0,
    2,
    3,
  );
}
