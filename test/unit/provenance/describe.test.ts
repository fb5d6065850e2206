import { type Term as N3Term, Parser } from 'n3';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/lib/bytes.ts';
import { compareCodePoints } from '../../../src/lib/code-points.ts';
import { decode } from '../../../src/model/codec.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { Height, Timestamp } from '../../../src/model/ids.ts';
import { receiptBytes, receiptLayout } from '../../../src/model/receipt.ts';
import { parseTransaction } from '../../../src/model/transaction.ts';
import { writeQuad } from '../../../src/provenance/canonical.ts';
import { describeStatements, describeTransaction, graphLeaf } from '../../../src/provenance/describe.ts';
import type { Term } from '../../../src/provenance/terms.ts';
import { ACTIVITIES } from '../../../src/provenance/vocabulary.ts';
import { BASE, type Described } from '../../support/described-ledger.ts';
import { firstOfEach, toldStory } from '../../support/described-story.ts';

const story = toldStory();
const first = firstOfEach(story);

function placed({ height, timestamp }: Described, iriBase = BASE) {
  return { iriBase, height, timestamp };
}

function graphOf(one: Described, iriBase = BASE): string {
  return describeTransaction(placed(one, iriBase), one.transaction, one.receipt);
}

function termOf(term: N3Term): Term {
  if (term.termType !== 'Literal') return { kind: 'iri', value: term.value };
  return { kind: 'literal', value: term.value, datatype: term.datatype.value, language: term.language };
}

describe('the graphs of a chain', () => {
  it('are canonical: what is read from each line is written the same, and all are in order', () => {
    for (const document of story.documents) {
      const lines = document.split('\n').slice(0, -1);
      const written = new Parser({ format: 'N-Quads' })
        .parse(document)
        .map(({ subject, predicate, object, graph }) =>
          writeQuad({ subject: subject.value, predicate: predicate.value, object: termOf(object), graph: graph.value }),
        );
      expect(written).toEqual(lines);
      expect(new Set(lines).size).toBe(lines.length);
      expect([...lines].sort(compareCodePoints)).toEqual(lines);
      expect(document.endsWith(' .\n')).toBe(true);
    }
  });

  it('have one name each, and nothing without', () => {
    const names = story.documents.map((document) => new Set(document.match(/<[^ ]*> \.$/gm)));
    for (const name of names) expect(name.size).toBe(1);
    expect(new Set(names.flatMap((name) => [...name])).size).toBe(story.documents.length);
  });

  it('begin all of their own things alike', () => {
    const other = story.all.map((one) => graphOf(one, 'http://localhost/id/')).join('');
    expect(other).not.toContain(BASE);
  });
});

describe('the graph of a transaction', () => {
  it('is told of every operation, and of what was refused and repeated', () => {
    for (const kind of Object.keys(ACTIVITIES)) expect([...first.keys()]).toContain(kind);
    for (const name of ['repetition', 'ALREADY_CONSUMED', 'UNKNOWN_TICKET', 'CAPACITY_EXCEEDED', 'SELF_ARBITRATION']) {
      expect([...first.keys()]).toContain(name);
    }
  });

  it('is the same bytes from a transaction and a receipt that were stored and read', () => {
    for (const one of story.all) {
      const transaction = parseTransaction(one.transaction.bytes);
      const receipt = decode(receiptLayout, receiptBytes(one.receipt));
      if (!transaction.ok || !receipt.ok) throw new Error('what is stored can be read');
      expect(describeTransaction(placed(one), transaction.value, receipt.value)).toBe(graphOf(one));
    }
  });

  it('is another one at another place', () => {
    for (const one of story.all) {
      const later = { ...one, timestamp: Timestamp(one.timestamp + 1) };
      const higher = { ...one, height: Height(one.height + 1) };
      expect(new Set([graphOf(one), graphOf(later), graphOf(higher)]).size).toBe(3);
    }
  });

  it('has a version for every change that the receipt tells', () => {
    for (const one of story.all) {
      const versions = graphOf(one).match(/#type> <[^>]*#TicketVersion>/g) ?? [];
      expect(versions.length).toBe(one.receipt.changes.length);
    }
  });

  it('is what the graph root is over, with what was stated beside it', () => {
    for (const one of story.all) {
      const stated = describeStatements(placed(one), one.transaction, one.receipt);
      const leaf = concat(sha256(utf8(graphOf(one))), stated === '' ? new Uint8Array(32) : sha256(utf8(stated)));
      expect(graphLeaf(placed(one), one.transaction, one.receipt)).toEqual(leaf);
    }
  });

  it('has what was stated with it in a graph of its own, once: not when it is repeated', () => {
    const issued = first.get('issue');
    const repeated = first.get('repetition');
    if (issued === undefined || repeated === undefined) throw new Error('the story has both');
    const stated = describeStatements(placed(issued), issued.transaction, issued.receipt);
    expect(stated.split('\n').length).toBe(3);
    expect(stated).toContain(`tx/${issued.transaction.id}#stated> .`);
    expect(graphOf(issued)).toContain('#stated> <http://www.w3.org/ns/prov#wasAttributedTo>');
    expect(describeStatements(placed(repeated), repeated.transaction, repeated.receipt)).toBe('');
  });
});
