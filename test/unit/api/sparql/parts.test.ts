import { describe, expect, test } from 'vitest';
import { countRows } from '../../../../src/api/sparql/count-rows.ts';
import { FairQueue } from '../../../../src/api/sparql/fair-queue.ts';
import { bracketDepth, placeAfter } from '../../../../src/api/sparql/gate-text.ts';
import { Penalties } from '../../../../src/api/sparql/penalties.ts';
import { countsOf, statisticsOf } from '../../../../src/api/sparql/statistics.ts';

describe('the queue', () => {
  test('gives callers their turns, and each its own in order', () => {
    const queue = new FairQueue<string>(10, 5);
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) expect(queue.offer(item.slice(0, 1), item)).toBe(true);
    const taken = Array.from({ length: 7 }, () => queue.take());
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined]);
    expect(queue.size).toBe(0);
  });

  test('has room for so many in all and of one caller', () => {
    const queue = new FairQueue<number>(3, 2);
    expect([1, 2, 3].map((item) => queue.offer('a', item))).toEqual([true, true, false]);
    expect([4, 5].map((item) => queue.offer('b', item))).toEqual([true, false]);
    expect(queue.remove('a', 1)).toBe(true);
    expect(queue.remove('a', 1)).toBe(false);
    expect(queue.offer('b', 5)).toBe(true);
    expect([queue.take(), queue.take(), queue.take(), queue.size]).toEqual([2, 4, 5, 0]);
  });
});

describe('a penalty', () => {
  test('doubles up to the longest, and is forgotten', () => {
    const penalties = new Penalties(60, 200);
    expect(penalties.left('a', 0)).toBe(0);
    penalties.punish('a', 0);
    expect([penalties.left('a', 0), penalties.left('a', 59), penalties.left('a', 60), penalties.left('b', 0)]).toEqual([
      60, 1, 0, 0,
    ]);
    penalties.punish('a', 100);
    penalties.punish('a', 300);
    expect(penalties.left('a', 300)).toBe(200);
    penalties.punish('a', 800);
    expect(penalties.left('a', 800)).toBe(60);
  });
});

describe('rows', () => {
  test.each([
    [
      'application/sparql-results+json',
      '{"head":{"vars":["a"]},"results":{"bindings":[{"a":{"type":"literal","value":"}{\\"{"}},{}]}}',
      2,
    ],
    ['application/sparql-results+json', '{"head":{"vars":[]},"results":{"bindings":[]}}', 0],
    [
      'application/sparql-results+xml',
      '<results><result></result><result><binding>&lt;result></binding></result></results>',
      2,
    ],
    ['text/csv', 'a,b\r\n"x\n""y""\n",2\r\n,\r\n', 2],
    ['text/tab-separated-values', '?a\t?b\n"x\\n"\t2\n', 1],
    ['text/turtle', '<a> <b> <c> .\n', undefined],
  ])('of %s are counted', (format, text, rows) => {
    expect(countRows(format, text)).toBe(rows);
  });
});

describe('the text of a query', () => {
  test.each([
    ['SELECT * { { } }', 2],
    ['ASK { ?s <http://((([[[> "{{{", \'{{\', """{"{""{""", \'\'\'{\'\'\' # {{{\n}', 1],
    ['ASK { ?s ?p "a\\"{{{" . [ (1 (2)) ] }', 4],
    ['ASK { FILTER(?a<?b) FILTER(?c > 1) }', 2],
    ['"""{ never ended {', 2],
    ['}}}{{', 0],
  ])('%j is so deep', (text, depth) => {
    expect(bracketDepth(text)).toBe(Math.max(0, depth));
  });

  test('is scanned in a moment, whatever it is', () => {
    for (const piece of ['"', "'", '<', '"""', "'''", '#', '{"', '<"', '\\', '"\\']) {
      const started = performance.now();
      bracketDepth(piece.repeat(16_384 / piece.length));
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });

  test('has places', () => {
    expect(placeAfter('a\nbc  # x\n d', 2, 2)).toEqual({ line: 3, column: 2, character: 'd' });
    expect(placeAfter('a ', 1, 1)).toEqual({ line: 1, column: 3, character: '' });
  });
});

test('counts are read from what the engine counts', () => {
  const csv = 'p,n,ns,no\r\nhttp://a/p,10,5,2\r\n"http://a/,q",3,3,3\r\nhttp://a/r,1,1,1\r\n';
  const statistics = statisticsOf(csv, 14, 2);
  expect(statistics.predicates).toEqual({
    'http://a/p': { triples: 10, subjects: 5, objects: 2 },
    'http://a/,q': { triples: 3, subjects: 3, objects: 3 },
  });
  expect(countsOf(statistics, null).triples).toBe(14);
  const grown = { ...statistics, quads: 140 };
  expect(countsOf(grown, 'http://a/,q')).toEqual({ triples: 30, subjects: 30, objects: 30 });
  expect(countsOf(grown, 'http://a/p')).toEqual({ triples: 100, subjects: 50, objects: 2 });
  expect(countsOf(statistics, '__proto__').triples).toBe(1);
});
