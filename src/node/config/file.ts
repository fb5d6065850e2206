import { parse } from 'toml';
import { err, ok, type Result } from '../../lib/result.ts';

/** A configuration file: its tables, and where each key stands. */
export interface ConfigFile {
  readonly path: string;
  readonly tables: ReadonlyMap<string, unknown>;
  /** Line of `key` in `[section]`, or of the section's header when `key` is null; undefined when not found. */
  lineOf(section: string, key: string | null): number | undefined;
}

/**
 * Reads TOML.
 *
 * @param path is what people know the file by, for the problem's text: "config.toml:12: ...".
 */
export function parseConfigFile(path: string, text: string): Result<ConfigFile, string> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return err(syntaxProblem(path, error));
  }
  const tables = new Map<string, unknown>(Object.entries(document ?? {}));
  const lines = linesOf(text);
  return ok({ path, tables, lineOf: (section, key) => lines.get(key === null ? section : `${section}.${key}`) });
}

/** Syntax errors carry `location.start`, errors of meaning carry `line`. */
function syntaxProblem(path: string, error: unknown): string {
  if (!(error instanceof Error)) return `${path}: not TOML`;
  const at = 'location' in error ? startOf(error.location) : error;
  const line = numberIn(at, 'line');
  const column = numberIn(at, 'column');
  const place = [path, line, column].filter((part) => part !== undefined).join(':');
  return `${place}: ${error.message}`;
}

function startOf(location: unknown): unknown {
  return typeof location === 'object' && location !== null && 'start' in location ? location.start : undefined;
}

function numberIn(value: unknown, name: string): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, name);
  return typeof found === 'number' ? found : undefined;
}

const HEADER = /^\s*\[\s*([A-Za-z0-9_-]+)\s*\]/;
const ASSIGNMENT = /^\s*([A-Za-z0-9_-]+)\s*=/;

/** Lines, from 1, of bare headers and bare keys: what people write. Of quoted or dotted ones the line is not known. */
function linesOf(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let section = '';
  for (const [index, line] of text.split('\n').entries()) {
    const header = HEADER.exec(line)?.[1];
    const key = ASSIGNMENT.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      lines.set(section, index + 1);
    } else if (key !== undefined) {
      lines.set(section === '' ? key : `${section}.${key}`, index + 1);
    }
  }
  return lines;
}
