import { expect } from 'vitest';
import { until } from '../cluster/support/until.ts';
import { type Block, blocksOf, readPage, rewriteBlocks } from './markdown.ts';
import { normalise } from './normalise.ts';
import type { Tour } from './tour.ts';

const PAGE = 'README.md';
const DEADLINE_SLACK_LINES = 40;

export interface StoryOptions {
  readonly section: string;
  /** Everything that the devnet of this tour has printed so far. */
  readonly devnetOutput: () => string;
  /** Runs after each block of commands: what a reader's machine would not need. */
  readonly afterBlock?: (block: Block) => Promise<void>;
}

/**
 * Follows the blocks of a section of the README in order. A `text` block is what the block before it prints, or:
 * `devnet until X`: what the devnet printed since it was last looked at, up to a line that holds X;
 * `NAME until X`: what the background program NAME has printed, up to a line that holds X.
 * A `sh` block marked `background NAME` goes on while the others run; one marked `skip` is not run.
 */
export async function follow(tour: Tour, options: StoryOptions): Promise<number> {
  const blocks = blocksOf(readPage(PAGE)).filter(({ section }) => section === options.section);
  const rewritten = new Map<Block, readonly string[]>();
  const said = new Map<string, number>();
  let output: string | undefined;
  let count = 0;
  for (const block of blocks) {
    const words = block.directive.split(' ');
    if (block.directive === 'skip') continue;
    if (block.language === 'sh') {
      count += 1;
      if (words[0] === 'background') tour.start(words[1] ?? '', block);
      else output = await tour.run(block);
      await options.afterBlock?.(block);
    } else if (block.language === 'text') {
      const actual = block.directive === '' ? output : await told(tour, options, block, said);
      if (actual === undefined) throw new Error(`nothing ran before the block at line ${block.line}`);
      compare(block, actual, rewritten);
    }
  }
  if (rewritten.size > 0) rewriteBlocks(PAGE, rewritten);
  return count;
}

/** New lines of the devnet or of a program in the background, once they are there. */
async function told(tour: Tour, options: StoryOptions, block: Block, said: Map<string, number>): Promise<string> {
  const [name = '', , ...phrase] = block.directive.split(' ');
  const wanted = phrase.join(' ');
  const look = (): string => (name === 'devnet' ? options.devnetOutput() : tour.background(name).output());
  const from = said.get(name) ?? 0;
  const end = await until(
    () => {
      const text = look();
      const at = text.indexOf(wanted, from);
      const newline = at < 0 ? -1 : text.indexOf('\n', at);
      return newline < 0 ? undefined : newline + 1;
    },
    {
      what: `${JSON.stringify(wanted)} from ${name}`,
      describe: () => look().split('\n').slice(-DEADLINE_SLACK_LINES).join('\n'),
    },
  );
  said.set(name, end);
  return tour.written(look().slice(from, end));
}

/** `UPDATE=1` takes what was printed, where it means something else than the page. */
function compare(block: Block, actual: string, rewritten: Map<Block, readonly string[]>): void {
  const expected = normalise(block.lines.join('\n'));
  if (process.env['UPDATE'] !== undefined) {
    if (normalise(actual) !== expected) rewritten.set(block, actual.replace(/^\n+|\s+$/g, '').split('\n'));
    return;
  }
  expect(normalise(actual), `${PAGE}, line ${block.line}; UPDATE=1 takes what was printed`).toBe(expected);
}
