import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../../src/commands/all.ts';
import { buildProgram } from '../../../src/commands/program.ts';

const program = buildProgram('1.2.3', allCommands('1.2.3'));

/** What the pages show: a process that the program starts for itself is none of it. */
function leavesOf(command: Command, path: string): readonly (readonly [string, Command])[] {
  const visible = command.createHelp().visibleCommands(command);
  return command.commands
    .filter((inner) => visible.includes(inner))
    .flatMap((inner) => {
      const name = `${path} ${inner.name()}`.trim();
      return inner.commands.length === 0 ? [[name, inner] as const] : leavesOf(inner, name);
    });
}

function pageOf(command: Command): string {
  let page = '';
  command.configureOutput({
    writeOut: (text) => {
      page += text;
    },
  });
  command.outputHelp();
  return page;
}

const leaves = leavesOf(program, '');

describe('every command', () => {
  it('is one that the interface promises', () => {
    expect(leaves.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'devnet',
        'start',
        'init',
        'keys new',
        'keys show',
        'keys export',
        'keys import',
        'keys generate',
        'genesis new',
        'genesis verify',
        'genesis show',
        'status',
        'peers list',
        'peers connect',
        'peers disconnect',
        'peers ban',
        'peers unban',
        'peers banned',
        'explain',
        'ticket issue',
        'ticket validate',
        'ticket consume',
        'ticket admit',
        'ticket dispute',
        'ticket show',
        'ticket list',
        'ticket watch',
        'chain head',
        'chain block',
        'chain log',
        'evidence verify',
        'simulate',
        'config show',
        'config check',
        'version',
      ]),
    );
  });

  it.each(leaves)('%s teaches: purpose, usage, two examples, options with a word on each', (name, command) => {
    const page = pageOf(command);
    expect(page).toContain(`Usage: counterfoil ${name}`);
    expect(command.description()).not.toBe('');
    const examples = page.slice(page.indexOf('Examples:')).match(/^ {2}\S.*$/gm) ?? [];
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    expect(page).toContain('Global options:');
  });

  it.each(leaves)('%s is in its own examples', (name, command) => {
    const examples = pageOf(command).split('Examples:')[1] ?? '';
    expect(examples).toContain(name);
  });
});

describe('examples', () => {
  it.each(leaves)('of %s parse', (name, command) => {
    const lines = (pageOf(command).split('Examples:')[1] ?? '').match(/counterfoil .*$/gm) ?? [];
    for (const line of lines) {
      const words = line.split(' ').slice(1 + name.split(' ').length);
      for (const word of words.filter((each) => each.startsWith('--'))) {
        expect(
          command.options.map(({ long }) => long),
          `${line}: ${word}`,
        ).toContain(word.split('=')[0]);
      }
    }
  });
});
