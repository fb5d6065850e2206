/** The rules of the code that one file can break by itself. */
import { FILE_LINES_MAX, FORBIDDEN_FOLDER_NAMES, PURE, rank } from './law.ts';
import { lineAt, type SourceFile } from './source.ts';

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

export function describeFinding({ path, line, rule, message }: Finding): string {
  return `${path}:${line} [${rule}] ${message}`;
}

/** The folder below src that a file belongs to; `main` for files directly in src; undefined outside src. */
export function folderOf(path: string): string | undefined {
  const [top, folder, ...rest] = path.split('/');
  if (top !== 'src' || folder === undefined) return undefined;
  return rest.length === 0 ? 'main' : folder;
}

interface Pattern {
  readonly rule: string;
  /** Searched in code without comments and strings. */
  readonly pattern: RegExp;
  readonly instead: string;
}

const NOT_A_PROPERTY = '(?<![.\\w$#])';
const word = (names: string): RegExp => new RegExp(`${NOT_A_PROPERTY}(?:${names})(?![\\w$])`, 'g');

/** What makes two replicas, or a run and its replay, differ: forbidden in pure folders. */
const IMPURE: readonly Pattern[] = [
  {
    rule: 'clock',
    pattern: /(?<![.\w$])(?:Date\.now|new\s+Date\s*(?:\(\s*\)|(?![\s(]))|performance(?![\w$])|Temporal\.Now)/g,
    instead: 'take the time from the event (a number of milliseconds) instead of asking a clock',
  },
  {
    rule: 'clock',
    pattern: /\.(?:getTimezoneOffset|get(?:Full)?(?:Year|Month|Date|Day|Hours|Minutes|Seconds)\s*\()/g,
    instead: 'local time differs per machine: use the getUTC... methods or toISOString',
  },
  {
    rule: 'randomness',
    pattern: /Math\.random|getRandomValues|randomUUID|randomBytes|(?<![.\w$])crypto(?![\w$])/g,
    instead: 'draw from the generator of src/lib/prng that the caller seeds, or take the bytes from the event',
  },
  {
    rule: 'timers',
    pattern: word('(?:set|clear)(?:Timeout|Interval|Immediate)|queueMicrotask'),
    instead: 'return a timer effect and handle the event it comes back as',
  },
  {
    rule: 'process',
    pattern: word('process|globalThis|require'),
    instead: 'take the value as an argument: src/commands reads the environment',
  },
  {
    rule: 'input and output',
    pattern: word('Buffer|fetch|WebSocket|Worker|localStorage'),
    instead: 'use Uint8Array and src/lib/bytes for bytes, an effect for everything that leaves the program',
  },
  {
    rule: 'async',
    pattern: word('async|await|Promise'),
    instead: 'return effects from a plain function: src/node awaits what they need',
  },
  {
    rule: 'order',
    pattern: /\.(?:sort|toSorted)\s*\(\s*\)|localeCompare|\.toLocale\w+|(?<![.\w$])Intl(?![\w$])/g,
    instead: 'compare with compareBytes (or numbers): the default order is by UTF-16 or by locale',
  },
];

/** Forbidden everywhere in src and test. */
const ANYWHERE: readonly Pattern[] = [
  { rule: 'any', pattern: word('any'), instead: 'say `unknown` and parse it, or name the type' },
  {
    rule: 'non-null',
    pattern: /(?<=[\w$)\]])!(?!=)/g,
    instead: 'handle the missing case, or state it with `defined` of src/lib/assert',
  },
  {
    rule: 'cast',
    pattern: /\bas\s+unknown\s+as\b|\bas\s+never\b/g,
    instead: 'parse the value into its type: a double cast hides an error',
  },
  {
    rule: 'default export',
    pattern: /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g,
    instead: 'export a name: one thing, one name everywhere',
  },
  {
    rule: 'enum',
    pattern: /^[ \t]*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s/gm,
    instead: 'use a union of string literals',
  },
];

const IN_SRC: readonly Pattern[] = [
  {
    rule: 'console',
    pattern: word('console'),
    instead: 'write to the output that the command was given, or log through the port of src/node',
  },
  {
    rule: 'barrel',
    pattern: /\bexport\s*\*/g,
    instead: 'import each name from the file that declares it',
  },
];

const IN_TEST: readonly Pattern[] = [
  {
    rule: 'mock',
    pattern: /\bvi\.(?:mock|doMock|hoisted)\b/g,
    instead: 'pass an implementation of the port (src/store/memory, the simulator) as an argument',
  },
];

const IN_TEST_CASES: readonly Pattern[] = [
  {
    rule: 'sleep',
    pattern: /(?<![.\w$])(?:setTimeout|sleep|delay)\s*\(/g,
    instead: 'wait for an observed condition with a deadline, in a function beside the test file',
  },
];

/** @returns what the file breaks, in the order of its lines */
export function findingsOf(file: SourceFile): Finding[] {
  const folder = folderOf(file.path);
  const patterns = [...ANYWHERE];
  if (folder !== undefined) patterns.push(...IN_SRC);
  else patterns.push(...IN_TEST);
  if (folder !== undefined && PURE.has(folder)) patterns.push(...IMPURE);
  if (file.path.endsWith('.test.ts')) patterns.push(...IN_TEST_CASES);
  return [
    ...patterns.flatMap((pattern) => matchesOf(file, pattern)),
    ...sizeOf(file),
    ...namesOf(file),
    ...suppressionsOf(file),
    ...barrelOf(file),
  ].sort((a, b) => a.line - b.line);
}

function matchesOf({ path, code }: SourceFile, { rule, pattern, instead }: Pattern): Finding[] {
  return [...code.matchAll(pattern)].map((match) => ({
    path,
    line: lineAt(code, match.index),
    rule,
    message: `${JSON.stringify(match[0].trim())}: ${instead}`,
  }));
}

function sizeOf({ path, text }: SourceFile): Finding[] {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= FILE_LINES_MAX) return [];
  const message = `${lines} lines: ${FILE_LINES_MAX} is the most, 150 the aim; give the second subject its own file`;
  return [{ path, line: FILE_LINES_MAX + 1, rule: 'size', message }];
}

function namesOf({ path }: SourceFile): Finding[] {
  const folders = path.split('/').slice(0, -1);
  const bad = folders.filter((name) => FORBIDDEN_FOLDER_NAMES.has(name));
  const findings = bad.map((name) => ({
    path,
    line: 1,
    rule: 'folder name',
    message: `"${name}" says nothing: name the folder after what it is about`,
  }));
  const folder = folderOf(path);
  if (folder !== undefined && rank(folder) === -1) {
    const message = `src/${folder} is not in the list: put the file into a listed folder, or add a line to the map in README.md and to test/tidy/law.ts`;
    findings.push({ path, line: 1, rule: 'unlisted folder', message });
  }
  if (folder === 'main' && path !== 'src/main.ts') {
    const message = 'only main.ts lives directly in src: put the file into the folder whose purpose it serves';
    findings.push({ path, line: 1, rule: 'unlisted folder', message });
  }
  return findings;
}

const REASON_CHARACTERS_MIN = 10;

/** A suppression states why it is right; those that hide every error of a line or file are never right. */
function suppressionsOf({ path, comments }: SourceFile): Finding[] {
  return comments.flatMap(({ text, line }) => {
    const rule = 'suppression';
    if (/@ts-(?:ignore|nocheck)\b|eslint-disable/.test(text)) {
      return [{ path, line, rule, message: 'fix the error, or use @ts-expect-error with the reason behind it' }];
    }
    const match = /(?:@ts-expect-error|biome-ignore(?:-\w+)?\s+[\w/]+:?|\b(?:v8|c8|istanbul)\s+ignore\s*\w*)(.*)/s.exec(
      text,
    );
    if (!match || (match[1] ?? '').replace(/[^\p{L}]/gu, '').length >= REASON_CHARACTERS_MIN) return [];
    return [{ path, line, rule, message: 'say in the same comment why the rule is wrong here' }];
  });
}

function barrelOf({ path, code, imports }: SourceFile): Finding[] {
  if (folderOf(path) === undefined) return [];
  const message = 'a barrel hides where things live: import each name from the file that declares it';
  const isIndex = path.endsWith('/index.ts');
  const reExports = imports.filter((entry) => entry.isReExport).length;
  const ownExports = [...code.matchAll(/^export\s/gm)].length - reExports;
  if (!isIndex && (reExports === 0 || ownExports > 0)) return [];
  return [{ path, line: 1, rule: 'barrel', message }];
}
