/** Documentation is tested: what the pages say is run, looked up or re-derived. This file reads the pages. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/suites.mjs';

/** One fenced block. */
export interface Block {
  readonly language: string;
  /** What an HTML comment of the form `<!-- tour: ... -->` right above it says; '' when there is none. */
  readonly directive: string;
  readonly lines: readonly string[];
  /** Number of its first line of content, from 1. */
  readonly line: number;
  /** The `##` heading above it. */
  readonly section: string;
}

const DIRECTIVE = /^<!-- tour: (.+) -->$/;

/** Every page of the documentation, by path from the root. */
export function pages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', 'CHANGELOG.md', 'keys/README.md', ...docs.sort()];
}

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function blocksOf(page: string): readonly Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  let section = '';
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (text.startsWith('## ')) section = text.slice(3);
    if (!text.startsWith('```')) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`the block at line ${index + 1} has no end`);
    blocks.push({
      language: text.slice(3),
      directive: DIRECTIVE.exec(lines[index - 1] ?? '')?.[1] ?? '',
      lines: lines.slice(index + 1, end),
      line: index + 2,
      section,
    });
    index = end;
  }
  return blocks;
}

/** Puts other contents into blocks of a page, the last first so that the line numbers hold. */
export function rewriteBlocks(path: string, contents: ReadonlyMap<Block, readonly string[]>): void {
  const lines = readPage(path).split('\n');
  const latestFirst = [...contents].sort(([a], [b]) => b.line - a.line);
  for (const [block, content] of latestFirst) lines.splice(block.line - 1, block.lines.length, ...content);
  writeFileSync(join(ROOT, path), lines.join('\n'));
}

/** Lines of a shell block that are commands, joined where a backslash continues them. */
export function commandsOf(block: Block): readonly string[] {
  return block.lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
