import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type OutputStream, openTerminal, type TerminalOptions } from '../../../src/commands/terminal.ts';

class Sink extends Writable implements OutputStream {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function open(more: Partial<TerminalOptions> = {}) {
  const stdout = new Sink(true);
  const stderr = new Sink(true);
  const options = { stdout, stderr, environment: {}, json: false, color: true, quiet: false, verbose: false, ...more };
  return { terminal: openTerminal(options), stdout, stderr };
}

describe('a terminal', () => {
  it('keeps data and talk apart', () => {
    const { terminal, stdout, stderr } = open();
    terminal.data('data');
    terminal.talk('talk');
    terminal.detail('detail');
    expect([stdout.text, stderr.text]).toEqual(['data\n', 'talk\n']);
  });

  it('says less with -q and more with -v', () => {
    const quiet = open({ quiet: true });
    quiet.terminal.talk('talk');
    expect(quiet.stderr.text).toBe('');
    const verbose = open({ verbose: true });
    verbose.terminal.detail('detail');
    expect(verbose.stderr.text).toBe('detail\n');
  });

  it('answers with one JSON value per line when asked to, and is then nobody’s screen', () => {
    const { terminal, stdout } = open({ json: true });
    terminal.result({ a: 1 }, () => 'for people');
    expect(stdout.text).toBe('{"a":1}\n');
    expect(terminal.isInteractive).toBe(false);
    const people = open();
    people.terminal.result({ a: 1 }, () => 'for people');
    expect(people.stdout.text).toBe('for people\n');
  });

  it('has colours on a screen that wants them only', () => {
    const red = '\u001b[31mno\u001b[0m';
    expect(open().terminal.style.red('no')).toBe(red);
    expect(open({ color: false }).terminal.style.red('no')).toBe('no');
    expect(open({ environment: { NO_COLOR: '1' } }).terminal.style.red('no')).toBe('no');
    expect(open({ environment: { NO_COLOR: '' } }).terminal.style.red('no')).toBe(red);
    expect(open({ environment: { TERM: 'dumb' } }).terminal.style.red('no')).toBe('no');
    expect(open({ stdout: new Sink(false) }).terminal.style.red('no')).toBe('no');
  });
});
