/** Reads TypeScript just well enough for the rules: what is code, what is comment, what is imported. */

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the insides of strings blanked; same length, same lines. */
  readonly code: string;
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
}

interface Comment {
  readonly text: string;
  readonly line: number;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased by the compiler: nothing is loaded at run time. */
  readonly isType: boolean;
  readonly isReExport: boolean;
  /** Names by which the file knows the values that it imports. */
  readonly values: readonly string[];
}

export function parseSource(path: string, text: string): SourceFile {
  const { code, comments } = mask(text);
  return { path, text, code, comments, imports: findImports(code, text) };
}

/** Number of the line, from 1, that holds the character at `index`. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

interface Masked {
  readonly code: string;
  readonly comments: readonly Comment[];
}

/** Blanks comments, strings, template texts and regular expressions; `${...}` inside a template stays code. */
function mask(text: string): Masked {
  const comments: Comment[] = [];
  /** For each open template: how many braces are open inside its current `${`. */
  const templates: number[] = [];
  let code = '';
  let at = 0;

  const keep = (length: number): void => {
    code += text.slice(at, at + length);
    at += length;
  };
  const blank = (end: number): void => {
    code += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  const comment = (end: number): void => {
    comments.push({ text: text.slice(at, end), line: lineAt(text, at) });
    blank(end);
  };
  const quoted = (end: number): void => {
    keep(1);
    blank(Math.max(at, end - 1));
    keep(1);
  };
  const template = (): void => {
    blank(endOfTemplateText(text, at));
    if (text[at] === '`') keep(1);
    else {
      keep(2);
      templates.push(0);
    }
  };

  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const char = text[at] ?? '';
    const depth = templates.at(-1);
    if (two === '//') comment(endOr(text, text.indexOf('\n', at)));
    else if (two === '/*') comment(endOr(text, text.indexOf('*/', at + 2), 2));
    else if (char === '"' || char === "'") quoted(endOfQuoted(text, at, char));
    else if (char === '/' && startsRegex(code) && isRegex(text, at)) quoted(endOfRegex(text, at));
    else if (char === '`') {
      keep(1);
      template();
    } else if (char === '}' && depth === 0) {
      templates.pop();
      keep(1);
      template();
    } else {
      if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === '}') templates[templates.length - 1] = depth - 1;
      keep(1);
    }
  }
  return { code, comments };
}

function endOr(text: string, index: number, length = 0): number {
  return index === -1 ? text.length : index + length;
}

/** Index after the closing quote; a string that is not closed ends with its line. */
function endOfQuoted(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at + 1;
    else if (text[at] === '\n') return at;
  }
  return text.length;
}

/** Index of the closing backtick or of the next `${`. */
function endOfTemplateText(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`' || text.startsWith('${', at)) return at;
  }
  return text.length;
}

/** Without a closing slash on its line it was a division. */
function isRegex(text: string, start: number): boolean {
  return endOfRegex(text, start) > start + 1;
}

/** Index after the closing slash. */
function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') inClass = true;
    else if (text[at] === ']') inClass = false;
    else if (text[at] === '/' && !inClass) return at + 1;
  }
  return start + 1;
}

/** A slash after a value divides; after an operator, an opening bracket or a keyword it starts a regular expression. */
function startsRegex(before: string): boolean {
  const tail = before.slice(-40).trimEnd();
  const word = /[\w$]+$/.exec(tail)?.[0];
  if (word) return /^(return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/.test(word);
  return tail === '' || !/[)\]'"`}/]$/.test(tail);
}

const STATEMENT = /^[ \t]*(import|export)\s+(type\s+)?([^'"`;()=]*?)\bfrom\s*(['"])/gm;
const BARE = /^[ \t]*import\s*(['"])/gm;
const DYNAMIC = /\bimport\s*\(\s*(['"])/g;

function findImports(code: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (match: RegExpMatchArray, quote: string, rest: Omit<Import, 'specifier' | 'line'>): void => {
    const start = (match.index ?? 0) + match[0].length;
    const specifier = text.slice(start, code.indexOf(quote, start));
    found.push({ specifier, line: lineAt(text, start), ...rest });
  };
  for (const match of code.matchAll(STATEMENT)) {
    const [, keyword, type, clause = '', quote = ''] = match;
    const isType = type !== undefined;
    add(match, quote, { isType, isReExport: keyword === 'export', values: isType ? [] : valueNames(clause) });
  }
  for (const match of code.matchAll(BARE)) add(match, match[1] ?? '', { isType: false, isReExport: false, values: [] });
  for (const match of code.matchAll(DYNAMIC)) {
    add(match, match[1] ?? '', { isType: false, isReExport: false, values: [] });
  }
  return found;
}

/** The local names in `a, { b, type C, d as e }` and `* as f`, without the types. */
function valueNames(clause: string): string[] {
  return clause
    .replace(/[{}]/g, ',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('type '))
    .map((part) => part.split(/\s+as\s+/).at(-1) ?? part);
}
