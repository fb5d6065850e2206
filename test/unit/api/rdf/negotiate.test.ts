import { describe, expect, it } from 'vitest';
import { negotiate, negotiateRdf } from '../../../../src/api/rdf/negotiate.ts';
import { API_ACCEPT_CHARS_MAX } from '../../../../src/model/http-limits.ts';

const ALL = ['turtle', 'trig', 'n-triples', 'n-quads', 'json-ld'] as const;

function chosen(accept: string | undefined): string {
  const result = negotiateRdf(accept, ALL);
  return result.ok ? result.value : result.error.code;
}

describe('what is answered to Accept', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'turtle'],
    ['', 'turtle'],
    ['*/*', 'turtle'],
    ['text/*', 'turtle'],
    ['application/*', 'trig'],
    ['application/ld+json', 'json-ld'],
    ['Application/LD+JSON', 'json-ld'],
    ['application/n-quads, text/turtle', 'turtle'],
    ['application/n-quads;q=0.9, text/turtle;q=0.8', 'n-quads'],
    ['application/n-quads ; q=0.9 , text/turtle ; q=0.8', 'n-quads'],
    ['application/ld+json, */*', 'json-ld'],
    ['application/ld+json;q=0.5, */*;q=0.4', 'json-ld'],
    ['application/ld+json;q=0.5, */*', 'turtle'],
    ['text/turtle;q=0, */*', 'trig'],
    ['text/turtle;q=0, application/*;q=0, application/n-quads', 'n-quads'],
    ['text/turtle;q=0', 'NOT_ACCEPTABLE'],
    ['*/*;q=0', 'NOT_ACCEPTABLE'],
    ['*/*;q=0, application/trig', 'trig'],
    ['text/html', 'NOT_ACCEPTABLE'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'turtle'],
    ['application/rdf+xml;q=0.9, text/turtle;q=0.7, application/n-triples;q=0.7', 'turtle'],
    ['application/ld+json; profile="http://www.w3.org/ns/json-ld#expanded"', 'json-ld'],
    ['application/ld+json; profile="a,b;q=0"; q=0.3, text/turtle;q=0.2', 'json-ld'],
    ['application/ld+json; profile="\\"",text/turtle;q=0.1', 'json-ld'],
    ['text/turtle; version=1.2', 'turtle'],
    ['application/trig;q=0.1, application/trig;profile=x;q=0.9, text/turtle;q=0.5', 'trig'],
    ['application/trig;q=2, text/turtle;q=0.1', 'turtle'],
    ['application/trig;q=, text/turtle;q=0.1', 'turtle'],
    ['application/trig;q=0.0001, text/turtle;q=0.1', 'turtle'],
    ['application/trig;q=1.000', 'trig'],
    ['application/trig;Q=1', 'trig'],
    ['*', 'NOT_ACCEPTABLE'],
    ['*/turtle', 'NOT_ACCEPTABLE'],
    ['turtle', 'NOT_ACCEPTABLE'],
    [',,, application/trig,,', 'trig'],
    ['text/tur tle, application/trig', 'trig'],
    ['"text/turtle', 'NOT_ACCEPTABLE'],
  ])('%j: %s', (accept, format) => {
    expect(chosen(accept)).toBe(format);
  });

  it('is 406 with what there is, and varies with what was asked', () => {
    expect(negotiate('image/png', ['application/sparql-results+json', 'text/csv'])).toEqual({
      ok: false,
      error: {
        code: 'NOT_ACCEPTABLE',
        detail: 'ask with Accept for one of application/sparql-results+json, text/csv',
        headers: { vary: 'Accept' },
      },
    });
  });

  it('is 406 to a header without end', () => {
    expect(chosen(`text/turtle,${' '.repeat(API_ACCEPT_CHARS_MAX)}text/turtle`)).toBe('NOT_ACCEPTABLE');
    expect(chosen('text/turtle,'.repeat(API_ACCEPT_CHARS_MAX / 12))).toBe('turtle');
  });
});
