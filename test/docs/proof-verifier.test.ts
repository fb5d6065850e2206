import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { FAULTS } from '../../src/verifier/faults.ts';
import type { ProofVectors } from '../vectors/proof-vectors.ts';
import { readPage } from './markdown.ts';
import { whyNot } from './proof-verifier.ts';

const text = readFileSync(join(ROOT, 'test', 'vectors', 'proofs.json'), 'utf8');
const { genesis, valid, invalid } = JSON.parse(text) as ProofVectors;

describe('a verifier that was written from docs/proofs.md', () => {
  it.each(valid.map(({ name, proof }) => [name, proof] as const))('takes %s', (_, proof) => {
    expect(whyNot(Buffer.from(proof), Buffer.from(genesis))).toBeUndefined();
  });

  it.each(invalid.map((one) => [one.name, one] as const))('refuses %s', (_, { proof, genesis: other }) => {
    expect(whyNot(Buffer.from(proof), Buffer.from(other ?? genesis))).toBeTypeOf('string');
  });
});

it('docs/proofs.md names every code of a fault', () => {
  const page = readPage('docs/proofs.md');
  expect(FAULTS.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
