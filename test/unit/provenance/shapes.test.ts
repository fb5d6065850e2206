import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser, type Quad, Store } from 'n3';
import SHACLValidator from 'rdf-validate-shacl';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../scripts/suites.mjs';
import { defined } from '../../../src/lib/assert.ts';
import { describeTransaction } from '../../../src/provenance/describe.ts';
import { BASE } from '../../support/described-ledger.ts';
import { firstOfEach, toldStory } from '../../support/described-story.ts';

const shapes = new Store(new Parser().parse(readFileSync(join(ROOT, 'docs/ontology/shapes.ttl'), 'utf8')));
const validator = new SHACLValidator(shapes);

const story = toldStory();
const first = firstOfEach(story);

/** The triples of an N-Quads document: shapes know of no graphs. */
function triples(document: string): Store {
  const quads: Quad[] = new Parser({ format: 'N-Triples' }).parse(document.replaceAll(/ <[^ ]*> \.$/gm, ' .'));
  return new Store(quads);
}

/** What is wrong with a document, in words; empty when nothing is. */
async function faults(document: string): Promise<readonly string[]> {
  const report = await validator.validate(triples(document));
  return report.results.map(({ focusNode, path, message, sourceConstraintComponent }) =>
    [focusNode?.value, JSON.stringify(path), sourceConstraintComponent?.value, message.map(({ value }) => value)].join(
      ' ',
    ),
  );
}

function graphOf(name: string): string {
  const { transaction, receipt, ...place } = defined(first.get(name), `the story has ${name}`);
  return describeTransaction({ ...place, iriBase: BASE }, transaction, receipt);
}

const CF = 'https://w3id.org/counterfoil#';
const PROV = 'http://www.w3.org/ns/prov#';
const INTEGER = '"^^<http://www.w3.org/2001/XMLSchema#integer>';

describe('the shapes', () => {
  it('let every graph of a transaction pass', async () => {
    for (const { transaction, receipt, ...place } of story.all) {
      const document = describeTransaction({ ...place, iriBase: BASE }, transaction, receipt);
      expect(await faults(document), transaction.body.operation.kind).toEqual([]);
    }
  });

  const name = (document: string): string => defined(/ (<[^ ]*>) \.\n/.exec(document)?.[1], 'a line has a graph');
  const add = (document: string, line: string): string => `${document}${line} ${name(document)} .\n`;
  const activity = (document: string): string => name(document);

  const bad: Readonly<Record<string, () => string>> = {
    'a version without a state': () => graphOf('consume').replace(/.*#state> .*\n/, ''),
    'a version in two states': () => {
      const document = graphOf('consume');
      return add(document, `<${BASE}ticket/t-1/v/3> <${CF}state> <${CF}Issued>`);
    },
    'a state that there is not': () => graphOf('consume').replace(`${CF}Consumed`, `${CF}Lost`),
    'a version of a ticket that the activity does not name': () =>
      graphOf('consume')
        .replaceAll('/ticket/t-1/v/', '/ticket/t-2/v/')
        .replace('ticket/t-1> <', 'ticket/t-2> <')
        .replace(/(specializationOf> <.*?ticket\/)t-1/, '$1t-2'),
    'the end of a version that the activity has not followed up': () => {
      const document = graphOf('consume');
      return add(document, `<${BASE}ticket/t-9/v/1> <${PROV}wasInvalidatedBy> ${activity(document)}`);
    },
    'two ends of one version': () => {
      const document = graphOf('consume');
      return add(document, `<${BASE}ticket/t-1/v/2> <${PROV}wasInvalidatedBy> <${BASE}tx/other>`);
    },
    'more of the version before than its end': () => {
      const document = graphOf('consume');
      return add(document, `<${BASE}ticket/t-1/v/2> <http://schema.org/name> "mine"`);
    },
    'a property of another vocabulary': () => {
      const document = graphOf('consume');
      return add(document, `${activity(document)} <http://schema.org/name> "x"`);
    },
    'a consumption without a gate': () => graphOf('consume').replace(/.*atLocation.*\n/, ''),
    'an activity of two kinds': () => {
      const document = graphOf('consume');
      return add(document, `${activity(document)} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <${CF}Validation>`);
    },
    'a refusal that changes a ticket': () => {
      const document = graphOf('ALREADY_CONSUMED');
      return add(document, `<${BASE}ticket/t-1/v/4> <${PROV}wasGeneratedBy> ${activity(document)}`);
    },
    'a refusal without its code': () => graphOf('ALREADY_CONSUMED').replace(/.*errorCode.*\n/, ''),
    'facts of a ticket from whoever validates it': () => {
      const document = graphOf('validate');
      return add(document, `<${BASE}ticket/t-1> <${CF}seatLabel> "VIP-1"`);
    },
    'a ticket that is described and not issued': () => {
      const document = graphOf('validate');
      return add(document, `<${BASE}ticket/t-1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <${CF}Ticket>`);
    },
    'a height in words': () => graphOf('hold').replace(/("\d+")\^\^<[^>]*integer>( <[^>]*> \.\n)/, '$1$2'),
    'a price below nothing': () => graphOf('PRICE_ABOVE_CAP').replace('"7200"', '"-7200"'),
    'a tier from whoever issues': () => {
      const document = graphOf('issue');
      return add(document, `<${BASE}tier/harbour-cup-2026/stand> <${CF}resaleCapPercent> "900${INTEGER}`);
    },
    'statements that are put into the mouth of another organisation': () =>
      graphOf('issue').replace(/(wasAttributedTo> <.*?agent\/)[a-z]+/, '$1city'),
    'an authority outside of the graph of a block': () => {
      const document = graphOf('hold');
      return add(document, `<${BASE}authority/x> <${PROV}actedOnBehalfOf> <${BASE}agent/city>`);
    },
    'a first version that follows another': () => {
      const document = graphOf('issue');
      return add(document, `<${BASE}ticket/t-3/v/1> <${PROV}wasRevisionOf> <${BASE}ticket/t-2/v/1>`);
    },
  };

  for (const [what, make] of Object.entries(bad)) {
    it(`stop ${what}`, async () => {
      expect(await faults(make())).not.toEqual([]);
    });
  }
});
