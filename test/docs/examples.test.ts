import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { SAMPLES } from '../vectors/model-samples.ts';
import { readPage } from './markdown.ts';

const PAGE = 'docs/protocol.md';
const EXAMPLE = /^<!-- vector: ([\w-]+) \/ (.+) -->\n```text\n([\s\S]*?)^```$/gm;

/** Hex without the comments and blanks that make it readable. */
function hexOf(text: string): string {
  return text.replace(/#.*$/gm, '').replace(/\s/g, '');
}

describe('the worked examples of the protocol', () => {
  const examples = [...readPage(PAGE).matchAll(EXAMPLE)].map(([, file = '', key = '', text = '']) => ({
    file,
    key,
    hex: hexOf(text),
  }));

  it('are found', () => {
    const marked = [...readPage(PAGE).matchAll(/^<!-- vector: /gm)];
    expect(examples).toHaveLength(marked.length);
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it.each(examples)('$file: $key is what the code derives, and what is frozen', ({ file, key, hex }) => {
    expect(hex).toBe(SAMPLES[file]?.[key]);
    const frozen: unknown = JSON.parse(readFileSync(join(ROOT, 'test', 'vectors', `${file}.json`), 'utf8'));
    expect(frozen).toHaveProperty([key], hex);
  });
});
