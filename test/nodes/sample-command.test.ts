import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Invocation } from '../../src/commands/command-line.ts';
import { writeSample } from '../../src/commands/sample-action.ts';
import { openTerminal } from '../../src/commands/terminal.ts';
import { parseGenesis } from '../../src/ledger/genesis-document.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const said: string[] = [];
const stdout = { write: (text: string) => said.push(text) > 0 };
const flags = { json: false, color: false, quiet: false, verbose: false };
const terminal = openTerminal({ stdout, stderr: { write: () => true }, environment: {}, ...flags });
const unset = { home: undefined, config: undefined, logLevel: undefined, logFormat: undefined };
const invocation: Invocation = { terminal, environment: {}, ...unset, verbose: false, quiet: false };

it('counterfoil sample writes four files that fit each other, and nothing over what is there', () => {
  const out = join(directory, 'sample');
  writeSample(invocation, { size: 'S', out });
  const read = (name: string): Buffer => readFileSync(join(out, name));
  expect(readdirSync(out).sort()).toEqual(['audit-exercise.nq', 'chain.cf', 'genesis.json', 'manifest.json']);
  const manifest = JSON.parse(read('manifest.json').toString());
  for (const { name, bytes, sha256 } of manifest.files) {
    expect(read(name).length).toBe(bytes);
    expect(createHash('sha256').update(read(name)).digest('hex')).toBe(sha256);
  }
  const genesis = parseGenesis(read('genesis.json'));
  expect(genesis.ok && genesis.value.chainId).toBe(manifest.chain_id);
  expect(said.join('')).toContain(`The head is block ${manifest.head.height}, ${manifest.head.hash}.`);
  expect(() => writeSample(invocation, { size: 'S', out })).toThrow('nothing is overwritten');
});
