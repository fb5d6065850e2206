import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { allCommands } from '../../src/commands/all.ts';
import { buildProgram } from '../../src/commands/program.ts';
import { tryCommands } from '../../src/devnet/report.ts';
import { type Block, blocksOf, commandsOf, pages, readPage } from './markdown.ts';

/** The words of a command line as a shell splits them, without settings of the environment in front. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g) ?? [];
  const start = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  return words.slice(Math.max(0, start)).map((word) => word.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, '$1$2'));
}

/** What stands between `;`, `|`, `&&` and `$(` outside of quotes. */
const PARTS = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$(?!\()|&(?!&)|[^;|&$'"\\])+/g;

/** Calls of this program within a line of shell: `counterfoil x`, `cf x`, `npm run -s cf -- x`, `npm run keys -- x`. */
function callsOf(line: string): readonly (readonly string[])[] {
  return (line.match(PARTS) ?? []).flatMap((part) => {
    const words = wordsOf(part.replace(/\s#.*$/, '').trim());
    const text = words.join(' ');
    const from = (count: number): readonly string[] => words.slice(count).filter((word) => !/^\d?>/.test(word));
    if (text.startsWith('npm run -s cf -- ')) return [from(5)];
    if (text.startsWith('npm start')) return [['devnet', ...from(text.startsWith('npm start -- ') ? 3 : 2)]];
    if (text.startsWith('npm run keys -- ')) return [['keys', 'generate', ...from(4)]];
    if (text.startsWith('npm run bench')) return [['bench', ...from(text.startsWith('npm run bench -- ') ? 4 : 3)]];
    return words[0] === 'counterfoil' || words[0] === 'cf' ? [from(1)] : [];
  });
}

/** Replaces what every command does by a note of its name: only the parsing is tried. */
function dryProgram(heard: string[]): Command {
  const program = buildProgram('0.0.0', allCommands('0.0.0'));
  const visit = (command: Command, path: readonly string[]): void => {
    for (const inner of command.commands) visit(inner, [...path, inner.name()]);
    if (command.commands.length === 0) {
      command.action(() => {
        heard.push(path.join(' '));
      });
    }
  };
  visit(program, []);
  return program;
}

/** The command that a line means. @throws CommanderError when there is none of that name, or it takes other options */
async function understood(args: readonly string[]): Promise<string> {
  const heard: string[] = [];
  await dryProgram(heard).parseAsync([...args], { from: 'user' });
  return heard[0] ?? '';
}

const SHELLS = new Set(['sh', 'shell', 'bash', 'console']);

function shellLines(page: string): readonly { readonly line: string; readonly at: number }[] {
  return blocksOf(readPage(page))
    .filter(({ language }) => SHELLS.has(language))
    .flatMap((block: Block) => commandsOf(block).map((line) => ({ line, at: block.line })));
}

/** Calls named in running text: `counterfoil chain verify`. Options may be missing there, names may not be wrong. */
function inlineCalls(page: string): readonly (readonly string[])[] {
  const text = readPage(page).replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => callsOf(code));
}

function commandNamed(args: readonly string[]): Command | undefined {
  let command: Command | undefined = dryProgram([]);
  for (const word of args) {
    if (word.startsWith('-') || command === undefined || command.commands.length === 0) break;
    command = command.commands.find((inner) => inner.name() === word);
  }
  return command;
}

describe('commands in the pages', () => {
  it.each(pages())('%s: every command line is understood', async (page) => {
    for (const { line, at } of shellLines(page)) {
      for (const args of callsOf(line)) {
        if (args.some((word) => word === '$@')) continue;
        await expect(understood(args), `${page}, block at line ${at}: ${line}`).resolves.not.toBe('');
      }
    }
  });

  it.each(pages())('%s: every command and option named in running text exists', (page) => {
    for (const args of inlineCalls(page)) {
      const command = commandNamed(args);
      expect(command, `${page}: ${args.join(' ')}`).toBeDefined();
      for (const flag of args.filter((word) => word.startsWith('--'))) {
        const known = command?.options.map(({ long }) => long) ?? [];
        expect([...known, '--help'], `${page}: ${args.join(' ')}`).toContain(flag.split('=')[0]);
      }
    }
  });

  it('the README has them', () => {
    const calls = shellLines('README.md').flatMap(({ line }) => callsOf(line));
    expect(calls.length).toBeGreaterThan(25);
  });
});

describe('examples of --help', () => {
  const leaves: Command[] = [];
  const visit = (command: Command): void => {
    if (command.commands.length === 0) leaves.push(command);
    const shown = command.createHelp().visibleCommands(command);
    for (const inner of command.commands.filter((one) => shown.includes(one))) visit(inner);
  };
  visit(buildProgram('0.0.0', allCommands('0.0.0')));

  it.each(leaves.map((command) => [pathOf(command), command] as const))('%s', async (path, command) => {
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    const examples = help
      .slice(help.indexOf('\nExamples:'))
      .split('\n')
      .filter((line) => /^ {2}\S/.test(line));
    expect(examples).toHaveLength(2);
    for (const example of examples) {
      const [args = []] = callsOf(example.trim().split(' > ')[0] ?? '');
      expect(await understood(args.filter((word) => word !== '')), example).toBe(path);
    }
  });
});

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

describe('what a devnet tells to try', () => {
  it('is in the README, word for word', () => {
    const page = readPage('README.md');
    const [first = '', second = ''] = ['1xtekp6hr6rv6240hv16', 'kd40mfwpqq87ps1t27ea'];
    for (const command of tryCommands(7180, [first, second])) expect(page).toContain(command);
  });
});

describe('links and paths', () => {
  it.each(pages())('%s: what it links to is there', (page) => {
    const text = readPage(page).replace(/^```[\s\S]*?^```/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(ROOT, file)), `${page} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(readPage(file)), `${page} links to ${target}`).toContain(anchor);
    }
  });

  it.each(pages())('%s: the files of the repository that it names are there', (page) => {
    const text = readPage(page);
    for (const [name] of text.matchAll(/(?<![\w./-])(?:src|test|scripts|docs)\/[\w./-]*\w/g)) {
      const path = name.replace(/[.,:]$/, '');
      const candidates = [path, `${path}.ts`, `${path}.test.ts`];
      expect(
        candidates.some((candidate) => existsSync(join(ROOT, candidate))),
        `${page} names ${name}`,
      ).toBe(true);
    }
  });
});

function anchorsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the map of the code', () => {
  const rows = [...readPage('README.md').matchAll(/^\| `(src\/\w+)` \| (.+) \|$/gm)];

  it('has every folder of src once, and no other', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}`);
    expect(rows.map(([, folder]) => folder).sort()).toEqual(folders.sort());
  });

  it('lists them in the order in which they may import', () => {
    const law = readFileSync(join(ROOT, 'test', 'tidy', 'law.ts'), 'utf8');
    const order = [...law.matchAll(/^ {2}'(\w+)',$/gm)].map(([, name]) => `src/${name}`);
    const mapped = rows.map(([, folder = '']) => folder);
    expect(mapped).toEqual(order.filter((folder) => mapped.includes(folder)).slice(0, mapped.length));
  });
});
