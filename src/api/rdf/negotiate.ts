import { err, ok, type Result } from '../../lib/result.ts';
import { API_ACCEPT_CHARS_MAX } from '../../model/http-limits.ts';
import type { Problem } from '../problems.ts';
import { RDF_MEDIA_TYPES, type RdfFormat } from './media-types.ts';

/** One entry of `Accept`; `*` where anything will do. */
interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The media type to answer in (RFC 9110 §12.5.1): of those offered the one that is wanted most, of equals the one that
 * was named most exactly, then the one offered first. Without `Accept` it is the first. Parameters other than `q` are
 * not looked at: a client that asks for a profile or a version of a form is better served with the form than with 406.
 *
 * Koa's own `accepts` has no answer for such a client, and routes have no context of Koa.
 *
 * @param offered media types in lower case, without parameters; the one by default comes first
 */
export function negotiate<T extends string>(
  accept: string | undefined,
  offered: readonly [T, ...T[]],
): Result<T, Problem> {
  const asked = (accept ?? '').trim();
  if (asked === '') return ok(offered[0]);
  if (asked.length > API_ACCEPT_CHARS_MAX) {
    return err(notAcceptable(`the header Accept has at most ${API_ACCEPT_CHARS_MAX} characters`));
  }
  const ranges = splitOutsideQuotes(asked, ',').flatMap(parseRange);
  let best: { readonly offer: T; readonly quality: number; readonly exactness: number } | undefined;
  for (const offer of offered) {
    const { quality, exactness } = preference(offer, ranges);
    if (quality === 0) continue;
    if (best === undefined || quality > best.quality || (quality === best.quality && exactness > best.exactness)) {
      best = { offer, quality, exactness };
    }
  }
  return best === undefined ? err(notAcceptable(`ask with Accept for one of ${offered.join(', ')}`)) : ok(best.offer);
}

/** The same among forms of RDF: the first is the one by default. */
export function negotiateRdf(
  accept: string | undefined,
  offered: readonly [RdfFormat, ...RdfFormat[]],
): Result<RdfFormat, Problem> {
  const [first, ...others] = offered;
  const chosen = negotiate(accept, [RDF_MEDIA_TYPES[first], ...others.map((format) => RDF_MEDIA_TYPES[format])]);
  return chosen.ok ? ok(offered.find((format) => RDF_MEDIA_TYPES[format] === chosen.value) ?? first) : chosen;
}

function notAcceptable(detail: string): Problem {
  return { code: 'NOT_ACCEPTABLE', detail, headers: { vary: 'Accept' } };
}

/** How much a media type is wanted, by the range that names it most exactly. */
function preference(offer: string, ranges: readonly Range[]): { readonly quality: number; readonly exactness: number } {
  const [type, subtype] = offer.split('/');
  let quality = 0;
  let exactness = -1;
  for (const range of ranges) {
    const isMatch = (range.type === '*' || range.type === type) && (range.subtype === '*' || range.subtype === subtype);
    const own = (range.type === '*' ? 0 : 1) + (range.subtype === '*' ? 0 : 1);
    if (!isMatch || own < exactness) continue;
    // Named twice, as with two profiles: the friendlier word counts.
    quality = own === exactness ? Math.max(quality, range.quality) : range.quality;
    exactness = own;
  }
  return { quality, exactness };
}

/** A range, or nothing where an entry cannot be read. */
function parseRange(entry: string): readonly Range[] {
  const [name = '', ...parameters] = splitOutsideQuotes(entry, ';').map((part) => part.trim().toLowerCase());
  const cut = name.indexOf('/');
  const type = name.slice(0, Math.max(cut, 0));
  const subtype = name.slice(cut + 1);
  if (!TOKEN.test(type) || !TOKEN.test(subtype) || (type === '*' && subtype !== '*')) return [];
  const said = parameters.find((parameter) => /^q\s*=/.test(parameter));
  const quality = said === undefined ? '1' : said.slice(said.indexOf('=') + 1).trim();
  return QUALITY.test(quality) ? [{ type, subtype, quality: Number(quality) }] : [];
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted && character === '\\') at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
