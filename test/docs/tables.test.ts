import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { pages, readPage } from './markdown.ts';
import { tablesFromCode } from './tables.ts';

const PAGE = 'docs/operations.md';
const HEAD_LINES = 3;

type Rows = readonly (readonly string[])[];

/** Where the rows of a table begin and end in the lines of the page. */
function rangeOf(lines: readonly string[], name: string): { readonly from: number; readonly to: number } {
  const marker = lines.indexOf(`<!-- table: ${name} -->`);
  if (marker < 0) throw new Error(`${PAGE} has no table ${name}`);
  const from = marker + HEAD_LINES;
  let to = from;
  while (lines[to]?.startsWith('|')) to += 1;
  return { from, to };
}

function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Rows of the code, with the words that people added to them in the page. */
function rewrite(rows: Rows): void {
  const lines = readPage(PAGE).split('\n');
  const { from, to } = rangeOf(lines, current);
  const added = new Map(lines.slice(from, to).map((line) => [cellsOf(line)[0] ?? '', cellsOf(line)]));
  const width = cellsOf(lines[from - 1] ?? '').length;
  const written = rows.map((row) => {
    const more = (added.get(row[0] ?? '') ?? []).slice(row.length, width);
    const cells = [...row, ...more, ...Array<string>(width).fill('')].slice(0, width);
    return `| ${cells.join(' | ')} |`;
  });
  lines.splice(from, to - from, ...written);
  writeFileSync(join(ROOT, PAGE), lines.join('\n'));
}

let tables: Awaited<ReturnType<typeof tablesFromCode>>;
let current = '';
beforeAll(async () => {
  tables = await tablesFromCode();
});

describe('the tables of the operations page', () => {
  it.each(['config', 'routes', 'errors', 'causes', 'exits', 'metrics', 'limits'])('%s is what the code has', (name) => {
    current = name;
    const rows = tables.get(name) ?? [];
    expect(rows.length).toBeGreaterThan(3);
    if (process.env['UPDATE'] !== undefined) rewrite(rows);
    const lines = readPage(PAGE).split('\n');
    const { from, to } = rangeOf(lines, name);
    const written = lines.slice(from, to).map(cellsOf);
    expect(written.map((cells, index) => cells.slice(0, rows[index]?.length))).toEqual(rows);
    const empty = written.filter((cells) => cells[0] === '' || cells.at(-1) === '');
    expect(empty.length === 0 || name === 'config', `${name}: cells without words: ${JSON.stringify(empty)}`).toBe(
      true,
    );
  });

  it('are all looked at', () => {
    const named = [...readPage(PAGE).matchAll(/^<!-- table: (\w+) -->$/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...tables.keys()].sort());
  });
});

describe('names in the pages', () => {
  it('every metric is one that a node exposes', () => {
    const known = new Set((tables.get('metrics') ?? []).map(([name]) => name?.replaceAll('`', '')));
    for (const page of pages()) {
      for (const [name] of readPage(page).matchAll(/\bcounterfoil_[a-z_]+/g)) {
        expect(known, `${page} names ${name}`).toContain(name);
      }
    }
  });

  it('every environment variable sets something', () => {
    const keys = (tables.get('config') ?? []).map(([key = '']) =>
      key.replaceAll('`', '').replace('.', '_').toUpperCase(),
    );
    const known = new Set(
      [...keys, 'PASSPHRASE_FILE', 'HOME', 'CONFIG', 'SECTION_KEY'].map((key) => `COUNTERFOIL_${key}`),
    );
    for (const page of pages()) {
      for (const [name] of readPage(page).matchAll(/\bCOUNTERFOIL_[A-Z]+(_[A-Z]+)*/g)) {
        expect(known, `${page} names ${name}`).toContain(name);
      }
    }
  });
});
