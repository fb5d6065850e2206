/** The forms in which graphs come and go: what a client may send, what it may ask for. */
export type RdfFormat = 'turtle' | 'trig' | 'n-triples' | 'n-quads' | 'json-ld';

/** As `Accept` names them. All are UTF-8. */
export const RDF_MEDIA_TYPES: Readonly<Record<RdfFormat, string>> = {
  turtle: 'text/turtle',
  trig: 'application/trig',
  'n-triples': 'application/n-triples',
  'n-quads': 'application/n-quads',
  'json-ld': 'application/ld+json',
};

/** As `Content-Type` has them: a `text` type says its encoding, the others have but one. */
export function contentTypeOf(format: RdfFormat): string {
  return format === 'turtle' ? `${RDF_MEDIA_TYPES.turtle}; charset=utf-8` : RDF_MEDIA_TYPES[format];
}
