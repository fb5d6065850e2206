import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalStatements, statementsText } from '../../../src/commands/statements-file.ts';

const LINE = (text: string) => `<http://a.example/s> <http://a.example/p> "${text}" .\n`;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(content: string | Uint8Array): string {
  const path = join(directory, 'said.nt');
  writeFileSync(path, content);
  return path;
}

describe('a file of statements that a key signs', () => {
  it('is put in order, each line once', () => {
    expect(canonicalStatements(file(LINE('b') + LINE('a') + LINE('b')))).toBe(LINE('a') + LINE('b'));
    expect(canonicalStatements(file(LINE('a').trimEnd()))).toBe(LINE('a'));
  });

  it.each([
    ['Turtle', `${LINE('b')}@prefix a: <http://a.example/> .\n${LINE('a')}`, 'BAD_SYNTAX', 'line 2, column 1: '],
    ['a blank node', `${LINE('z')}\n_:a <http://a.example/p> "x" .\n`, 'BLANK_NODE_NOT_ALLOWED', 'line 3, column 1: '],
    ['an escape without need', LINE('\\u0041'), 'BAD_ESCAPE', 'line 1, column '],
    ['nothing', '\n', 'EMPTY_GRAPH', 'said.nt: '],
  ])('is refused when it is %s', (_, text, code, place) => {
    const path = file(text);
    expect(() => canonicalStatements(path)).toThrow(
      expect.objectContaining({ exit: 'USAGE', code, message: expect.stringContaining(place) }),
    );
  });

  it('is text in UTF-8', () => {
    const path = file(new Uint8Array([0xff]));
    expect(() => statementsText(path)).toThrow('UTF-8');
    expect(() => statementsText(join(directory, 'none'))).toThrow('does not exist');
  });
});
