import { negotiate } from '../rdf/negotiate.ts';

/** A format under the name that is asked for, and the name that the engine knows it by. */
export interface Format {
  readonly mediaType: string;
  readonly engine: string;
}

type Formats = readonly [Format, ...Format[]];

function format(mediaType: string, engine = mediaType): Format {
  return { mediaType, engine };
}

/** Of rows and of yes or no; the first is what is sent to who does not mind. */
export const ROW_FORMATS: Formats = [
  format('application/sparql-results+json'),
  format('application/sparql-results+xml'),
  format('text/csv'),
  format('text/tab-separated-values'),
  format('application/json', 'application/sparql-results+json'),
  format('application/xml', 'application/sparql-results+xml'),
];

export const GRAPH_FORMATS: Formats = [
  format('text/turtle'),
  format('application/n-triples'),
  format('application/n-quads'),
  format('application/trig'),
  format('application/rdf+xml'),
  format('application/ld+json'),
  format('application/json', 'application/ld+json'),
  format('application/xml', 'application/rdf+xml'),
];

/** The one of `formats` that is most welcome; undefined when none is. */
export function formatFor(accept: string | undefined, formats: Formats): Format | undefined {
  const [first, ...others] = formats;
  const chosen = negotiate(accept, [first.mediaType, ...others.map(({ mediaType }) => mediaType)]);
  return chosen.ok ? formats.find(({ mediaType }) => mediaType === chosen.value) : undefined;
}

/** As a Content-Type: what is text says how its characters are written. */
export function contentType(mediaType: string): string {
  return mediaType.startsWith('text/') ? `${mediaType}; charset=utf-8` : mediaType;
}
