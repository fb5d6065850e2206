import { fromUtf8 } from '../lib/bytes.ts';
import { ok, type Result } from '../lib/result.ts';
import { isCleanText } from '../model/codec.ts';
import { API_JSON_DEPTH_MAX } from '../model/http-limits.ts';
import { fail, type Problem } from './problems.ts';

const STRING = /"(?:[^"\\]|\\.)*"/y;
const LONE_SURROGATE = /\p{Cs}/u;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** What `JSON.parse` lets pass and this interface does not: what it would change, hide or drop without a word. */
interface Scan {
  readonly text: string;
  at: number;
  /** Keys seen in each open object; null for an open array. */
  readonly open: (Set<string> | null)[];
  expectsKey: boolean;
  /** The last key of the outermost object. */
  field: string | undefined;
  /** The one whose text is a document with a grammar of its own: it may have several lines. */
  readonly document: string | undefined;
}

/**
 * Reads a body as JSON (RFC 8259), refusing what JavaScript would not keep exactly: repeated keys, whole numbers
 * above 2^53, numbers without end, lone surrogates and control characters, and the key `__proto__`. Bytes that are not
 * UTF-8 are refused as well.
 *
 * @param document the field whose text is a document: its reader judges the characters of it, beside lone surrogates
 */
export function parseJson(bytes: Uint8Array, document?: string): Result<unknown, Problem> {
  const text = fromUtf8(bytes);
  if (text === undefined) return fail('BAD_JSON', 'the body is not UTF-8; encode it as UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, 120) : '';
    return fail('BAD_JSON', `the body is not JSON: ${reason}`);
  }
  const fault = inexactness({ text, at: 0, open: [], expectsKey: false, field: undefined, document });
  return fault === undefined ? ok(value) : fail('BAD_JSON', fault);
}

/** The text is valid JSON, so the scan only has to tell tokens apart. */
function inexactness(scan: Scan): string | undefined {
  while (scan.at < scan.text.length) {
    const fault = token(scan);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function token(scan: Scan): string | undefined {
  const character = scan.text[scan.at] ?? '';
  if (character === '"') return string(scan);
  if (character === '-' || (character >= '0' && character <= '9')) return number(scan);
  scan.at += 1;
  if (character === '{' || character === '[') {
    scan.open.push(character === '{' ? new Set() : null);
    scan.expectsKey = character === '{';
    if (scan.open.length > API_JSON_DEPTH_MAX) return `nested more than ${API_JSON_DEPTH_MAX} deep`;
  } else if (character === '}' || character === ']') {
    scan.open.pop();
    scan.expectsKey = false;
  } else if (character === ',') {
    scan.expectsKey = scan.open.at(-1) !== null;
  } else if (character === ':') {
    scan.expectsKey = false;
  }
  return undefined;
}

function string(scan: Scan): string | undefined {
  const source = match(STRING, scan);
  const value: unknown = JSON.parse(source);
  const isDocument = !scan.expectsKey && scan.open.length === 1 && scan.field === scan.document;
  if (typeof value !== 'string' || !(isDocument ? !LONE_SURROGATE.test(value) : isCleanText(value))) {
    return 'a text with control characters, direction overrides or half a surrogate pair; remove them';
  }
  const keys = scan.open.at(-1);
  if (!scan.expectsKey || keys === undefined || keys === null) return undefined;
  if (value === '__proto__') return 'the key "__proto__" is not taken';
  if (keys.has(value)) return `the key ${JSON.stringify(value.slice(0, 64))} comes twice in one object; keep one`;
  keys.add(value);
  if (scan.open.length === 1) scan.field = value;
  return undefined;
}

function number(scan: Scan): string | undefined {
  const source = match(NUMBER, scan);
  const value = Number(source);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    return `the number ${source.slice(0, 32)} is beyond 2^53 - 1 and would be changed; send a smaller one`;
  }
  return undefined;
}

function match(pattern: RegExp, scan: Scan): string {
  pattern.lastIndex = scan.at;
  const found = pattern.exec(scan.text)?.[0] ?? scan.text[scan.at] ?? '';
  scan.at += found.length;
  return found;
}
