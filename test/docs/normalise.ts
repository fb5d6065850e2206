/** What differs from run to run, replaced by a name; what is left is compared word for word. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/\S*counterfoil-devnet-[A-Za-z0-9]+/g, '<devnet>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b(?=[0-9a-f]*[0-9])[0-9a-f]{32,128}\b/g, '<hex>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>'],
  [/\b\d\d:\d\d:\d\d\b/g, '<clock>'],
  [/final in +[\d.]+ m?s/g, 'final in <ms>'],
  [/\bsigned \d\/4/g, 'signed <n>/4'],
  [/\bReady in [\d.]+ s/g, 'Ready in <s>'],
  [/\b([\d.]+) m?s\b/g, '<ms>'],
  [/^up +\S+ \S+$/gm, 'up <time>'],
  [/^waiting +\d+ /gm, 'waiting <n> '],
  [/("(?:height|nonce|since|uptime_seconds|mempool|peers|provenance_lag_blocks)": ?)\d+/g, '$1<n>'],
  [/\b(height|block|blocks) \d+/g, '$1 <n>'],
  [/(http\S+ +)\d+( +http)/g, '$1<n>$2'],
  [/\bWrote \d+ bytes/g, 'Wrote <n> bytes'],
  [/(signed by \d of \d authorities: )[a-z, ]+/g, '$1<some>'],
  [/^(head +)\d+,/gm, '$1<n>,'],
  [/^ +\d+ {2}/gm, '<n>  '],
  // Which three of the four are counted first, and who proposes after somebody was slow.
  [/"seat": \d,\n +"authority": "\w+"/g, '"seat": <one of four>'],
  [/^(<n> {2}<clock> {2})\S+ +/gm, '$1<proposer> '],
  [/("view": ?|^view +)\d+/gm, '$1<n>'],
  [/("primary": ?"|, primary )\w+/g, '$1<one of four>'],
  [/("proposer": ?)\d/g, '$1<seat>'],
  [/("latency_ms": ?)[\d.]+/g, '$1<n>'],
  [/\b(pid|r|t)=?("?: ?|=)\d+/g, '$1$2<n>'],
  [/^(Date|Content-Length): .*$/gim, '$1: <any>'],
  [/127\.0\.0\.1:\d{5}\b/g, '127.0.0.1:<port>'],
  [/^( {2}\S+ +(?:authority|follower) +\S+ +\S+ +)\d+$/gm, '$1<pid>'],
  [/MOVING|IDLE/g, '<MOVING or IDLE>'],
  [/Blocks become final; the last one came|Nothing waits; the last block came/g, '<moving>'],
];

/** One text in the form in which two runs of the same commands agree. */
export function normalise(text: string): string {
  const replaced = RULES.reduce((sofar, [pattern, name]) => sofar.replace(pattern, name), text);
  return mergeSeeding(replaced)
    .split('\n')
    .map((line) => line.trimEnd().replace(/ {2,}/g, '  '))
    .join('\n')
    .trim();
}

const SEEDED = /^<n> {2}<clock> +<proposer> +((?:\d+ (?:tiers?|roles? granted|tickets? issued)(?:, )?)+) .*$/;

/** How many transactions of the sample fall into one block is up to the moment: only their sum is told again. */
function mergeSeeding(text: string): string {
  const sums = new Map<string, number>();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const words = SEEDED.exec(line)?.[1];
    if (words === undefined) {
      flush(sums, lines);
      lines.push(line);
      continue;
    }
    for (const [, count, what] of words.matchAll(/(\d+) (tier|role|ticket)/g)) {
      sums.set(`${what}`, (sums.get(`${what}`) ?? 0) + Number(count));
    }
  }
  flush(sums, lines);
  return lines.join('\n');
}

function flush(sums: Map<string, number>, lines: string[]): void {
  if (sums.size === 0) return;
  lines.push([...sums].map(([what, count]) => `${what} ${count}`).join(', '));
  sums.clear();
}
