import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/lib/bytes.ts';
import { FAULTS } from '../../src/verifier/faults.ts';
import { verifyBundle } from '../../src/verifier/verify.ts';
import { deriveProofVectors, type ProofVectors } from './proof-vectors.ts';

const FILE = new URL('proofs.json', import.meta.url);
const text = readFileSync(FILE, 'utf8');
const { genesis, valid, invalid } = JSON.parse(text) as ProofVectors;

describe('the vectors of proofs', () => {
  // A difference here makes proofs worthless that people keep: never change the file to make the test pass.
  it('are those that were frozen', async () => {
    const derived = await deriveProofVectors();
    // For a new version of the chain's bytes alone, whose number then is another one.
    if (process.env['UPDATE'] !== undefined) writeFileSync(FILE, `${JSON.stringify(derived, null, 2)}\n`);
    expect(derived).toEqual({ genesis, valid, invalid });
  });

  it.each(valid.map((one) => [one.name, one] as const))('%s holds', (_, { proof, height, state }) => {
    const verified = verifyBundle(utf8(proof), utf8(genesis));
    expect(verified).toMatchObject({ ok: true, value: { height } });
    expect(verified.ok && (verified.value.record?.state ?? 'ABSENT')).toBe(state);
  });

  it.each(invalid.map((one) => [one.name, one] as const))('%s: refused', (_, { proof, code, genesis: other }) => {
    const verified = verifyBundle(utf8(proof), utf8(other ?? genesis));
    expect(verified.ok ? 'it holds' : verified.error.code).toBe(code);
  });

  it('show nearly every fault', () => {
    const shown = new Set<string>(invalid.map(({ code }) => code));
    // Too many bytes to keep; and what only a quorum that forges can make: the unit tests have such a quorum.
    expect(FAULTS.filter((code) => !shown.has(code))).toEqual(['TOO_LARGE', 'WRONG_AUTHORITIES', 'BAD_RECORD']);
  });
});
