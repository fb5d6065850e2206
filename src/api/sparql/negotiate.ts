/** SPARQL over HTTP (SPARQL 1.1 Protocol). This file: which format an Accept header asks for (RFC 9110 §12.5.1). */

/** A format under the name that is asked for, and the name that the engine knows it by. */
export interface Format {
  readonly mediaType: string;
  readonly engine: string;
}

function format(mediaType: string, engine = mediaType): Format {
  return { mediaType, engine };
}

/** Of rows and of yes or no; the first is what is sent to who does not mind. */
export const ROW_FORMATS: readonly Format[] = [
  format('application/sparql-results+json'),
  format('application/sparql-results+xml'),
  format('text/csv'),
  format('text/tab-separated-values'),
  format('application/json', 'application/sparql-results+json'),
  format('application/xml', 'application/sparql-results+xml'),
];

export const GRAPH_FORMATS: readonly Format[] = [
  format('text/turtle'),
  format('application/n-triples'),
  format('application/n-quads'),
  format('application/trig'),
  format('application/rdf+xml'),
  format('application/ld+json'),
  format('application/json', 'application/ld+json'),
  format('application/xml', 'application/rdf+xml'),
];

interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

const RANGE = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)\/([!#$%&'*+.^_`|~0-9a-z-]+)\s*(;.*)?$/i;
const QUALITY = /;\s*q\s*=\s*([\d.]+)/i;
/** Ranges of a header that are looked at: browsers send ten. */
const RANGES_MAX = 50;

function ranges(accept: string): readonly Range[] {
  return accept
    .split(',', RANGES_MAX)
    .map((text) => RANGE.exec(text))
    .filter((match) => match !== null)
    .map(([, type = '', subtype = '', parameters = '']) => ({
      type: type.toLowerCase(),
      subtype: subtype.toLowerCase(),
      quality: Math.min(1, Number(QUALITY.exec(parameters)?.[1] ?? 1) || 0),
    }));
}

/** Of the ranges that fit, the most exact one says how welcome a format is. */
function quality(mediaType: string, all: readonly Range[]): number {
  const [type, subtype] = mediaType.split('/');
  const exact = all.find((range) => range.type === type && range.subtype === subtype);
  const part = all.find((range) => range.type === type && range.subtype === '*');
  const whole = all.find((range) => range.type === '*' && range.subtype === '*');
  return (exact ?? part ?? whole)?.quality ?? 0;
}

/** The most welcome of `formats`, the first of equals; undefined when none is. Without a header every one is welcome. */
export function negotiate(accept: string | undefined, formats: readonly Format[]): Format | undefined {
  if (accept === undefined || accept.trim() === '') return formats[0];
  const all = ranges(accept);
  let best: Format | undefined;
  let bestQuality = 0;
  for (const one of formats) {
    const its = quality(one.mediaType, all);
    if (its > bestQuality) {
      best = one;
      bestQuality = its;
    }
  }
  return best;
}

/** As a Content-Type: what is text says how its characters are written. */
export function contentType(mediaType: string): string {
  return mediaType.startsWith('text/') ? `${mediaType}; charset=utf-8` : mediaType;
}
