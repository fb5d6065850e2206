import { describe, expect, test } from 'vitest';
import { findingsOf } from './rules.ts';
import { parseSource } from './source.ts';

function rulesBrokenBy(path: string, text: string): string[] {
  return findingsOf(parseSource(path, text)).map((finding) => finding.rule);
}

const PURE = 'src/model/example.ts';
const SHELL = 'src/node/example.ts';

describe('pure folders', () => {
  test.each([
    ['clock', 'const now = Date.now();'],
    ['clock', 'const now = new Date();'],
    ['clock', 'const now = performance.now();'],
    ['clock', 'const clock = new Date;'],
    ['clock', 'const hour = when.getHours();'],
    ['randomness', 'const dice = Math.random();'],
    ['randomness', 'const id = crypto.randomUUID;'],
    ['timers', 'setTimeout(act, 5);'],
    ['timers', 'clearInterval(timer);'],
    ['process', 'const { env } = process;'],
    ['process', 'const x = globalThis.y;'],
    ['input and output', "const bytes = Buffer.from('a');"],
    ['async', 'export async function step() {}'],
    ['async', 'function f(): Promise<void> { return wait; }'],
    ['order', 'const sorted = names.sort();'],
    ['order', 'names.sort((a, b) => a.localeCompare(b));'],
  ])('reject %s in `%s`', (rule, text) => {
    expect(rulesBrokenBy(PURE, text)).toContain(rule);
    expect(rulesBrokenBy(SHELL, text)).not.toContain(rule);
  });

  test.each([
    'const at = new Date(timeMs).toISOString();',
    'const later = new Date(Date.UTC(2026, 0, 1));',
    'replica.process(message);',
    'const asynchronous = timers.setTimeout;',
    'names.sort(compareBytes);',
    '// Date.now() is what the shell calls',
    "const message = 'Math.random() is not used';",
    'const text = `no setTimeout( here`;',
    'const pattern = /process|async/;',
  ])('accept `%s`', (text) => {
    expect(rulesBrokenBy(PURE, text)).toEqual([]);
  });

  test('see into the code inside a template', () => {
    const hole = (inner: string): string => ['`at $', '{', inner, '} setTimeout(`'].join('');
    expect(rulesBrokenBy(PURE, `const text = ${hole(hole('Date.now()'))};`)).toEqual(['clock']);
    expect(rulesBrokenBy(PURE, `const text = ${hole("{ a: 'Date.now()' }.a")};`)).toEqual([]);
  });

  test('name the line and what to write instead', () => {
    expect(findingsOf(parseSource(PURE, "/** A\n * b */\nconst a = 'b';\nlet c = Math.random();\n"))).toEqual([
      {
        path: PURE,
        line: 4,
        rule: 'randomness',
        message: expect.stringContaining('"Math.random": draw from the generator of src/lib/prng'),
      },
    ]);
  });
});

describe('every file', () => {
  test.each([
    ['any', 'const x: any = 1;'],
    ['any', 'const x = y as any;'],
    ['any', 'const x: Map<string, any[]> = y;'],
    ['non-null', 'const x = list[0]!.name;'],
    ['non-null', 'const x = find(y)!;'],
    ['non-null', 'class A { x!: number; }'],
    ['cast', 'const x = y as unknown as Height;'],
    ['cast', 'send(y as never);'],
    ['default export', 'export default function f() {}'],
    ['default export', 'export { f as default };'],
    ['enum', 'export const enum Colour { Red }'],
    ['suppression', '// @ts-ignore because of reasons that are long'],
    ['suppression', '// @ts-expect-error'],
    ['suppression', '// biome-ignore lint/suspicious/noConsole: no'],
    ['suppression', '/* v8 ignore next */'],
  ])('rejects %s in `%s`', (rule, text) => {
    expect(rulesBrokenBy(SHELL, text)).toContain(rule);
    expect(rulesBrokenBy('test/unit/example.test.ts', text)).toContain(rule);
  });

  test.each([
    'const many = Promise.any(list);',
    'const x = a !== b && !c && a != d;',
    'const text = "is it any good!";',
    '// @ts-expect-error a wrong type is what this test passes',
    '// biome-ignore lint/style/useTemplate: concatenation is measurably faster here',
    'const half = a / 2; const b = "x" / c;',
  ])('accepts `%s`', (text) => {
    expect(rulesBrokenBy(SHELL, text)).toEqual([]);
  });

  test('has 400 lines at most', () => {
    expect(rulesBrokenBy(SHELL, 'a();\n'.repeat(400))).toEqual([]);
    expect(rulesBrokenBy(SHELL, 'a();\n'.repeat(401))).toEqual(['size']);
  });

  test('lives in a folder with a telling name that the law lists', () => {
    expect(rulesBrokenBy('src/node/utils/example.ts', '')).toEqual(['folder name']);
    expect(rulesBrokenBy('test/helpers/example.ts', '')).toEqual(['folder name']);
    expect(rulesBrokenBy('src/common/example.ts', '')).toEqual(['folder name', 'unlisted folder']);
    expect(rulesBrokenBy('src/wallet/example.ts', '')).toEqual(['unlisted folder']);
    expect(rulesBrokenBy('src/example.ts', '')).toEqual(['unlisted folder']);
    expect(rulesBrokenBy('src/main.ts', '')).toEqual([]);
  });
});

describe('src', () => {
  test.each([
    ['console', 'console.log(1);'],
    ['barrel', "export * from './a.ts';"],
    ['barrel', "export { a } from './a.ts';\nexport type { B } from './b.ts';"],
  ])('rejects %s in `%s`', (rule, text) => {
    expect(rulesBrokenBy(SHELL, text)).toContain(rule);
  });

  test('has no index files', () => {
    expect(rulesBrokenBy('src/node/index.ts', 'export const a = 1;')).toEqual(['barrel']);
  });

  test('may pass on a name beside its own', () => {
    expect(rulesBrokenBy(SHELL, "export { a } from './a.ts';\nexport const b = 1;")).toEqual([]);
  });
});

describe('test', () => {
  test('mocks nothing by import and does not sleep', () => {
    expect(rulesBrokenBy('test/unit/example.test.ts', "vi.mock('../src/a.ts');")).toEqual(['mock']);
    expect(rulesBrokenBy('test/unit/example.test.ts', 'await new Promise((go) => setTimeout(go, 5));')).toEqual([
      'sleep',
    ]);
    expect(rulesBrokenBy('test/cluster/wait.ts', 'await new Promise((go) => setTimeout(go, 5));')).toEqual([]);
  });
});
