import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../../scripts/suites.mjs';
import { QUESTIONS } from '../../../src/provenance/questions.ts';
import { auditExercise } from '../../../src/sample/exercise.ts';
import { Asked } from '../../support/asking.ts';

const BASE = 'http://localhost/id/';
const exercise = auditExercise(BASE);
const asked = new Asked([exercise.document], BASE);

it.each(exercise.answers)('the exercise answers $question $parameters as it was written', (expected) => {
  expect(asked.rows(expected.question, expected.parameters)).toEqual(expected.rows);
});

it('has something for every question, and a control failure that each of them finds', () => {
  const found = new Set(exercise.answers.filter(({ rows }) => rows.length > 0).map(({ question }) => question));
  expect([...found].sort()).toEqual(QUESTIONS.map(({ name }) => name).sort());
  expect(asked.ask('revoked-then-used')[0]?.[5]).toBe('true');
  expect(asked.ask('custody-resale')[0]?.[7]).toBe('true');
  expect(asked.ask('disputes').map((row) => row[7])).toEqual(['true', 'false']);
  expect(asked.ask('double-admissions')[0]?.[2]).toBe('2');
});

it('says that it is an exercise, in the one graph that it is', () => {
  const graphs = new Set(exercise.document.match(/<[^ ]*> \.$/gm));
  expect([...graphs]).toEqual([`<${BASE}exercise/harbour-cup> .`]);
  expect(exercise.document).toContain('#AuditExercise>');
  expect(exercise.document).toContain('no part of any chain');
});

it('is in words that are defined', () => {
  const ontology = readFileSync(join(ROOT, 'docs/ontology/counterfoil.ttl'), 'utf8');
  const words = new Set([...exercise.document.matchAll(/counterfoil#(\w+)>/g)].map(([, word = '']) => word));
  expect([...words].filter((word) => !ontology.includes(`\ncf:${word} a `))).toEqual([]);
  for (const only of ['GateDevice', 'OfflineClaim', 'leasedUntil', 'deviceSequence'])
    expect([...words]).toContain(only);
});
