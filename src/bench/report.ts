import { medianOf, type Spread } from './percentiles.ts';
import type { Asked, BenchReport, Loaded } from './run.ts';

function ms(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}

function spread(each: readonly Spread[]): string {
  const column = (pick: (one: Spread) => number): string => {
    const values = each.map(pick);
    return `${ms(medianOf(values))} (${ms(Math.min(...values))}-${ms(Math.max(...values))})`;
  };
  return `p50 ${column(({ p50 }) => p50)}   p95 ${column(({ p95 }) => p95)}   p99 ${column(({ p99 }) => p99)}`;
}

/** The figures for people: the median over the rounds, and the smallest and largest beside it. */
export function renderReport(report: BenchReport): string {
  const { ceilings, nodes } = report;
  const lines = [
    'What this machine can do at best, one core, in the same run',
    `  Ed25519 checks        ${Math.round(ceilings.verifiesPerSecond)} /s, signatures ${Math.round(ceilings.signsPerSecond)} /s`,
    `  append + fdatasync    p50 ${ms(ceilings.journalMs.p50)} ms   p95 ${ms(ceilings.journalMs.p95)} ms`,
    `  durable LMDB commit   p50 ${ms(ceilings.commitMs.p50)} ms   p95 ${ms(ceilings.commitMs.p95)} ms`,
    '',
    `Finality in ms, ${nodes} processes, durable, client-signed, HTTP: median over the rounds (smallest-largest)`,
  ];
  for (const isPrimary of [true, false]) {
    const rows = report.alone.filter((one) => one.isPrimary === isPrimary);
    if (rows.length === 0) continue;
    const via = isPrimary ? 'the primary' : 'another node';
    lines.push(`  one in flight, ${via.padEnd(13)} ${spread(rows.map(({ latencyMs }) => latencyMs))}`);
  }
  lines.push('', 'Under load, closed loop over all nodes');
  for (const lanes of new Set(report.loaded.map((one) => one.lanes))) {
    lines.push(loadedLine(report.loaded.filter((one) => one.lanes === lanes)));
  }
  if (report.asked.length > 0) lines.push('', ...askedLines(report.asked));
  return lines.join('\n');
}

/** What queries cost those who write: ratios of one run, since both share the machine with everything else. */
function askedLines(rows: readonly Asked[]): readonly string[] {
  const ratios = rows.map(({ quietMs, askedMs }) => askedMs.p95 / quietMs.p95);
  const rates = rows.map(({ load }) => load.answered / load.seconds);
  const refused = rows.reduce((sum, { load }) => sum + load.refused, 0);
  const around = (values: readonly number[]): string =>
    `${ms(medianOf(values))} (${ms(Math.min(...values))}-${ms(Math.max(...values))})`;
  return [
    `One in flight through the primary, while ${rows[0]?.clients ?? 0} clients ask another node in SPARQL`,
    `  nobody asks           ${spread(rows.map(({ quietMs }) => quietMs))}`,
    `  they ask              ${spread(rows.map(({ askedMs }) => askedMs))}`,
    `  p95 is                ${around(ratios)} times as long; ${around(rates)} answers a second, ${refused} refused`,
  ];
}

function loadedLine(rows: readonly Loaded[]): string {
  const rates = rows.map(({ perSecond }) => perSecond);
  const cpu = rows.flatMap(({ cpuMsEach }) => (cpuMsEach === null ? [] : [cpuMsEach]));
  const failed = rows.reduce((sum, one) => sum + one.failed, 0);
  const rate = `${Math.round(medianOf(rates))} /s (${Math.round(Math.min(...rates))}-${Math.round(Math.max(...rates))})`;
  const cost = cpu.length === 0 ? '' : `   ${ms(medianOf(cpu))} ms CPU each, all nodes`;
  const lanes = `${rows[0]?.lanes ?? 0} lanes`;
  return `  ${lanes.padEnd(11)} ${rate.padEnd(22)} ${spread(rows.map(({ latencyMs }) => latencyMs))}${cost}   ${failed} failed`;
}
