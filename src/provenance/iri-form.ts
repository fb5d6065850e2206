import { utf8 } from '../lib/bytes.ts';
import { IRI_BYTES_MAX } from '../model/graph-limits.ts';

/** Why something is not an IRI that is taken, and where in it. */
export interface IriFault {
  readonly code: 'RELATIVE_IRI' | 'BAD_IRI';
  readonly reason: string;
  /** UTF-16 units from its beginning. */
  readonly at: number;
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
// RFC 3987 by its fixed ranges, less what turns the direction of a text or hides in it. Brackets, which only addresses
// of IPv6 have, and the private characters of queries are left out as well.
const CHARACTERS = new RegExp(
  [
    "[\\w\\-.~:/?#@!$&'()*+,;=%",
    '\\u00a0-\\u061b\\u061d-\\u200d\\u2010-\\u2027\\u202f-\\u2065\\u206a-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufefe\\uff00-\\uffef',
    '\\u{10000}-\\u{1fffd}\\u{20000}-\\u{2fffd}\\u{30000}-\\u{3fffd}\\u{40000}-\\u{4fffd}\\u{50000}-\\u{5fffd}',
    '\\u{60000}-\\u{6fffd}\\u{70000}-\\u{7fffd}\\u{80000}-\\u{8fffd}\\u{90000}-\\u{9fffd}\\u{a0000}-\\u{afffd}',
    '\\u{b0000}-\\u{bfffd}\\u{c0000}-\\u{cfffd}\\u{d0000}-\\u{dfffd}\\u{e1000}-\\u{efffd}]*',
  ].join(''),
  'uy',
);
const BAD_PERCENT = /%(?![0-9A-Fa-f]{2})/;
/** A user, a host and a port in digits: what stands between `//` and the path. */
const AUTHORITY = /^(?:[^@]*@)?[^@:]*(?::\d*)?$/;
/** A path that would be another one once somebody resolves it: an IRI could seem to lie in a namespace and leave it. */
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2[eE]){1,2}(?:\/|$)/;

/** What keeps a text from being taken as an IRI: the same on every machine, whatever its version of Unicode. */
export function iriFault(iri: string): IriFault | undefined {
  const scheme = SCHEME.exec(iri)?.[0];
  CHARACTERS.lastIndex = 0;
  CHARACTERS.test(iri);
  const clean = CHARACTERS.lastIndex;
  if (clean < iri.length) return bad('has a character that IRIs cannot have', clean);
  if (scheme === undefined) {
    return { code: 'RELATIVE_IRI', reason: 'is relative: write the whole IRI, with its scheme', at: 0 };
  }
  if (iri.length > IRI_BYTES_MAX || utf8(iri).length > IRI_BYTES_MAX) {
    return bad(`has more than ${IRI_BYTES_MAX} bytes`, 0);
  }
  return structureFault(iri, scheme.length);
}

function structureFault(iri: string, schemeEnd: number): IriFault | undefined {
  const percent = iri.search(BAD_PERCENT);
  if (percent !== -1) return bad('has a percent sign that encodes nothing', percent);
  const hash = iri.indexOf('#');
  if (hash !== -1 && iri.includes('#', hash + 1)) return bad('has two fragments', iri.lastIndexOf('#'));
  const pathEnd = endOf(iri, /[?#]/, schemeEnd);
  let pathStart = schemeEnd;
  if (iri.startsWith('//', schemeEnd)) {
    pathStart = endOf(iri, /[/?#]/, schemeEnd + 2);
    if (!AUTHORITY.test(iri.slice(schemeEnd + 2, pathStart))) {
      return bad('has a host that is none', schemeEnd + 2);
    }
  }
  if (DOT_SEGMENT.test(iri.slice(pathStart, pathEnd))) {
    return bad('has a path with . or .. in it: write the path that is meant', pathStart);
  }
  return undefined;
}

function endOf(iri: string, stop: RegExp, from: number): number {
  const length = iri.slice(from).search(stop);
  return length === -1 ? iri.length : from + length;
}

function bad(reason: string, at: number): IriFault {
  return { code: 'BAD_IRI', reason, at };
}
