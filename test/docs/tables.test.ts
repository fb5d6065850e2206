import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { pages, readPage } from './markdown.ts';
import { tablesFromCode } from './tables.ts';

const HEAD_LINES = 3;

type Rows = readonly (readonly string[])[];

/** Where the rows of a table begin and end in the lines of its page. */
function rangeOf(lines: readonly string[], name: string): { readonly from: number; readonly to: number } {
  const marker = lines.indexOf(`<!-- table: ${name} -->`);
  if (marker < 0) throw new Error(`there is no table ${name}`);
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

/** What a row is about: its first cell that is no mere place in a list. */
function subjectOf(cells: readonly string[]): string {
  return cells.find((cell) => cell.startsWith('`')) ?? cells[0] ?? '';
}

/** Rows of the code, with the words that people added to them in the page. */
function rewrite(page: string, name: string, rows: Rows): void {
  const lines = readPage(page).split('\n');
  const { from, to } = rangeOf(lines, name);
  const before = lines.slice(from, to).map(cellsOf);
  const width = cellsOf(lines[from - 2] ?? '').length;
  const written = rows.map((row) => {
    const added = before.find((cells) => subjectOf(cells) === subjectOf(row))?.slice(row.length, width) ?? [];
    const cells = [...row, ...added, ...Array<string>(width).fill('')].slice(0, width);
    return `| ${cells.join(' | ')} |`;
  });
  lines.splice(from, to - from, ...written);
  writeFileSync(join(ROOT, page), lines.join('\n'));
}

const tables = await tablesFromCode();
const named = [...tables].flatMap(([page, ofPage]) => [...ofPage].map(([name, rows]) => ({ page, name, rows })));

describe('the tables of the pages', () => {
  it.each(named)('$page: $name is what the code has', ({ page, name, rows }) => {
    expect(rows.length).toBeGreaterThan(3);
    if (process.env['UPDATE'] !== undefined) rewrite(page, name, rows);
    const lines = readPage(page).split('\n');
    const { from, to } = rangeOf(lines, name);
    const written = lines.slice(from, to).map(cellsOf);
    expect(written.map((cells, index) => cells.slice(0, rows[index]?.length))).toEqual(rows);
    const wordless = written.filter((cells) => cells.slice(rows[0]?.length).includes(''));
    expect(wordless, `${page}, ${name}: rows that say nothing`).toEqual([]);
  });

  it('are all looked at', () => {
    for (const page of pages()) {
      const marked = [...readPage(page).matchAll(/^<!-- table: ([\w-]+) -->$/gm)].map(([, name]) => name);
      expect(marked.sort()).toEqual([...(tables.get(page)?.keys() ?? [])].sort());
    }
  });
});

describe('names in the pages', () => {
  it('every metric is one that a node exposes', () => {
    const known = new Set(
      (tables.get('docs/operations.md')?.get('metrics') ?? []).map(([name]) => name?.replaceAll('`', '')),
    );
    for (const page of pages()) {
      for (const [name] of readPage(page).matchAll(/\bcounterfoil_[a-z_]+/g)) {
        expect(known, `${page} names ${name}`).toContain(name);
      }
    }
  });

  it('every environment variable sets something', () => {
    const keys = (tables.get('docs/operations.md')?.get('config') ?? []).map(([key = '']) =>
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

describe('codes in the pages', () => {
  const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n');

  it.each(['README.md', 'docs/operations.md'])('%s: each stands in the program', (page) => {
    const rows = readPage(page)
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const codes = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]);
    expect(codes.length).toBeGreaterThan(20);
    for (const [, code] of codes) expect(source, `${page} names ${code}`).toMatch(new RegExp(`\\b${code}\\b`));
  });

  it('every domain tag is in the protocol, and no other', () => {
    const used = [...source.matchAll(/\bdomain\('([A-Z]+)'\)|counterfoil\/2\/([A-Z]+)\\0/g)].map(([, a, b]) => a ?? b);
    const written = [...readPage('docs/protocol.md').matchAll(/tag\(([A-Z]+)\)/g)].map(([, name]) => name);
    expect(new Set(written)).toEqual(new Set([...used, 'NAME']));
  });

  it('every cause that explain gives is in the table of troubles, but those that are none', () => {
    const troubles = readPage('README.md');
    const causes = tables.get('docs/operations.md')?.get('causes') ?? [];
    const calm = ['`MOVING`', '`IDLE`', '`WAITING`', '`FAILED`'];
    for (const [cause = ''] of causes) if (!calm.includes(cause)) expect(troubles).toContain(cause);
  });
});
