import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

/** What TOML can hold where this program expects a value. */
export type RawValue = string | number | boolean | readonly string[];

/** How one kind of value is written in TOML and in an environment variable, and what it becomes. */
export interface Kind<T> {
  /** From what TOML holds. Its issues read "expected ..., got ...". */
  readonly schema: z.ZodType<T>;
  /** From the text of a flag or an environment variable to what TOML would hold. */
  readonly fromText: (text: string) => unknown;
}

function kind<T>(expected: string, read: (raw: unknown) => T | undefined, fromText = asIs): Kind<T> {
  const schema = z.unknown().transform((raw, context): T => {
    const value = read(raw);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `expected ${expected}, got ${shown(raw)}` });
    return z.NEVER;
  });
  return { schema, fromText };
}

function asIs(text: string): unknown {
  return text;
}

/** A value as its reader would find it in the file, cut where it would fill the screen, and without a password in it. */
function shown(raw: unknown): string {
  const whole = raw instanceof Date ? raw.toISOString() : (JSON.stringify(raw) ?? String(raw));
  const text = whole.replaceAll(/\/\/[^/]*@/g, '//(removed)@');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export const boolean: Kind<boolean> = kind(
  'true or false',
  (raw) => (typeof raw === 'boolean' ? raw : undefined),
  (text) => (text === 'true' ? true : text === 'false' ? false : text),
);

export function integer(min: number, max: number): Kind<number> {
  return kind(
    `a whole number from ${min} to ${max}`,
    (raw) => (typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= min && raw <= max ? raw : undefined),
    (text) => (/^[0-9]{1,15}$/.test(text) ? Number(text) : text),
  );
}

/** 0 lets the system choose. */
export const port: Kind<number> = integer(0, 65_535);

/** Text that `accepts`, described for people by `expected`. */
export function textWhere(expected: string, accepts: (text: string) => boolean): Kind<string> {
  return kind(expected, (raw) => (typeof raw === 'string' && accepts(raw) ? raw : undefined));
}

/** The same, and `""` for "not set", which becomes undefined. */
export function optional<T>(expected: string, inner: Kind<T>): Kind<{ readonly set: T | undefined }> {
  return kind(expected, (raw) => {
    if (raw === '') return { set: undefined };
    const parsed = inner.schema.safeParse(raw);
    return parsed.success ? { set: parsed.data } : undefined;
  });
}

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  const expected = `one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`;
  return kind(expected, (raw) => choices.find((choice) => choice === raw));
}

export function list(expected: string, accepts: (text: string) => boolean, countMax: number): Kind<readonly string[]> {
  return kind(
    `a list of at most ${countMax}, each ${expected}`,
    (raw) => {
      if (!Array.isArray(raw) || raw.length > countMax) return undefined;
      const items: readonly unknown[] = raw;
      const texts = items.filter((item): item is string => typeof item === 'string' && accepts(item));
      return texts.length === items.length ? texts : undefined;
    },
    (text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
  );
}

const PATH_CHARS_MAX = 4_096;

/** A file or directory; relative ones start at the home. */
export const path: Kind<string> = textWhere(
  'a path',
  (text) => text.length > 0 && text.length <= PATH_CHARS_MAX && !text.includes('\0'),
);

/** The same, or none. */
export const pathOrEmpty: Kind<string> = textWhere(
  'a path, or ""',
  (text) => text.length <= PATH_CHARS_MAX && !text.includes('\0'),
);

/** An interface to listen on. */
export const address: Kind<string> = textWhere(
  'an IP address to listen on, such as "127.0.0.1" or "0.0.0.0"',
  (text) => isIPv4(text) || isIPv6(text),
);

/** Where an HTTP service is. */
export function httpAddress(example: string, charsMax: number): Kind<string> {
  const expected = `an http or https address without user, password and fragment, such as ${JSON.stringify(example)}, or ""`;
  return textWhere(expected, (text) => text === '' || (text.length <= charsMax && isHttpAddress(text)));
}

function isHttpAddress(text: string): boolean {
  if (!URL.canParse(text) || /[\s#]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** A time in milliseconds, written with its unit. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const expected = `a time with its unit from "${formatDuration(minMs)}" to "${formatDuration(maxMs)}", such as "5s"`;
  return kind(expected, (raw) => {
    const parsed = typeof raw === 'string' ? parseDuration(raw) : undefined;
    return parsed !== undefined && parsed >= minMs && parsed <= maxMs ? parsed : undefined;
  });
}

/** A number of bytes, written with its unit. */
export function size(minBytes: number, maxBytes: number): Kind<number> {
  const expected = `a size with its unit from "${formatSize(minBytes)}" to "${formatSize(maxBytes)}", such as "1GiB"`;
  return kind(expected, (raw) => {
    const parsed = typeof raw === 'string' ? parseSize(raw) : undefined;
    return parsed !== undefined && parsed >= minBytes && parsed <= maxBytes ? parsed : undefined;
  });
}
