import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { describeStatements, describeTransaction } from '../../src/provenance/describe.ts';
import { BASE, type Described } from '../support/described-ledger.ts';
import { firstOfEach, toldStory } from '../support/described-story.ts';

const FOLDER = new URL('graphs/', import.meta.url);

function frozen(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

function graphsOf({ transaction, receipt, ...place }: Described): string {
  const where = { ...place, iriBase: BASE };
  return describeTransaction(where, transaction, receipt) + describeStatements(where, transaction, receipt);
}

// A difference here forks every network that runs: never change a file to make the test pass.
describe('the graphs of transactions, one of each kind', () => {
  const story = toldStory();

  for (const [kind, described] of firstOfEach(story)) {
    it(`${kind} is what was frozen`, () => {
      expect(graphsOf(described)).toBe(frozen(`${kind}.nq`));
    });
  }

  it('and of the first blocks', () => {
    const blocks = story.documents.filter((document) => /\/block\/[01]> \.\n/.test(document));
    expect(blocks.join('')).toBe(frozen('block-0-and-1.nq'));
  });

  it('are all there', () => {
    const names = [...firstOfEach(story).keys()].map((kind) => `${kind}.nq`);
    expect(readdirSync(FOLDER).sort()).toEqual([...names, 'block-0-and-1.nq'].sort());
    expect(defined(firstOfEach(story).get('issue'), 'an issue').receipt.accepted).toBe(true);
  });
});
