import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../../scripts/suites.mjs';
import type { Question } from '../../../src/provenance/question.ts';
import { QUESTIONS } from '../../../src/provenance/questions.ts';

/** A question as its section in docs/questions.md tells it. */
function section({ name, title, purpose, honest, parameters, columns, sparql }: Question): string {
  const takes = parameters.map((one) => `- \`${one.name}\`: ${one.description}. Example: \`${one.example}\``);
  return [
    `## ${name}`,
    `**${title}**`,
    purpose,
    `An honest ledger: ${honest}`,
    ...(takes.length === 0 ? [] : [`Parameters:\n\n${takes.join('\n')}`]),
    `Columns: ${columns.map((column) => `\`${column}\``).join(', ')}.`,
    `\`\`\`sparql\n${sparql}\n\`\`\``,
  ].join('\n\n');
}

it('docs/questions.md has a section for every question, in the words of the program', () => {
  const text = readFileSync(join(ROOT, 'docs/questions.md'), 'utf8');
  const sections = text.slice(text.indexOf('\n## ') + 1);
  expect(sections).toBe(`${QUESTIONS.map(section).join('\n\n')}\n`);
});
