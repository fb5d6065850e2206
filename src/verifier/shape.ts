import { fromHex } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';

/**
 * Takes one value of parsed JSON, or ends the reading. What it returns has its keys in the order of the shape, so that
 * written again it has the one form that it may have had.
 */
export type Shape<T> = (value: unknown, path: string) => T;

/** Where a value is not what belongs there. */
export interface Misshapen {
  /** As in `$.history[2].receipt`. */
  readonly path: string;
  /** What belongs there. */
  readonly reason: string;
}

class MisshapenSignal extends Error {
  readonly misshapen: Misshapen;

  constructor(misshapen: Misshapen) {
    super(misshapen.reason);
    this.misshapen = misshapen;
  }
}

/** Ends the reading; for shapes alone. */
function wrong(path: string, reason: string): never {
  throw new MisshapenSignal({ path, reason });
}

export function take<T>(shape: Shape<T>, value: unknown): Result<T, Misshapen> {
  try {
    return ok(shape(value, '$'));
  } catch (error) {
    if (error instanceof MisshapenSignal) return err(error.misshapen);
    throw error;
  }
}

/** Exactly these keys. */
export function object<T extends object>(fields: { readonly [Key in keyof T]-?: Shape<T[Key]> }): Shape<T> {
  const entries = Object.entries(fields) as [keyof T & string, Shape<T[keyof T & string]>][];
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(path, 'is an object');
    const given = new Map<string, unknown>(Object.entries(value));
    const taken: Partial<T> = {};
    for (const [key, shape] of entries) {
      if (!given.has(key)) wrong(`${path}.${key}`, 'has to be there');
      taken[key] = shape(given.get(key), `${path}.${key}`);
      given.delete(key);
    }
    for (const key of given.keys()) wrong(`${path}.${key.slice(0, 64)}`, 'is no key of this format');
    return taken as T;
  };
}

export function listOf<T>(item: Shape<T>, least: number, most: number): Shape<readonly T[]> {
  return (value, path) =>
    Array.isArray(value) && value.length >= least && value.length <= most
      ? value.map((one: unknown, index) => item(one, `${path}[${index}]`))
      : wrong(path, `is a list of ${least} to ${most}`);
}

/** Of what there is none yet. */
export const none: Shape<never> = (_, path) => wrong(path, 'is nothing that this version knows');

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

export function whole(most: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
      ? value
      : wrong(path, `is a whole number up to ${most}`);
}

export function textWhere(accepts: (text: string) => boolean, reason: string): Shape<string> {
  return (value, path) => (typeof value === 'string' && accepts(value) ? value : wrong(path, reason));
}

export function exactly<const T extends string>(text: T): Shape<T> {
  return (value, path) => (value === text ? text : wrong(path, `is ${JSON.stringify(text)}`));
}

/** Lower-case hex of `bytes` bytes, or of a multiple of so many. */
export function hex(bytes: number, isMultiple: 'once' | 'repeated' = 'once'): Shape<string> {
  const digits = 2 * bytes;
  return textWhere(
    (text) =>
      (isMultiple === 'once' ? text.length === digits : text.length % digits === 0) && fromHex(text) !== undefined,
    `is lower-case hex of ${isMultiple === 'once' ? bytes : `a multiple of ${bytes}`} bytes`,
  );
}

/** Lower-case hex of one or more bytes. */
export const anyHex: Shape<string> = textWhere(
  (text) => text !== '' && fromHex(text) !== undefined,
  'is lower-case hex of one or more bytes',
);
