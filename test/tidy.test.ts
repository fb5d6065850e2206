import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';
import { isInSomeSuite, ROOT } from '../scripts/suites.mjs';
import { importFindings } from './tidy/imports.ts';
import {
  entryFindings,
  ignoreFindings,
  lockFindings,
  mapFindings,
  purposeFindings,
  topLevelFindings,
} from './tidy/repository.ts';
import { describeFinding, type Finding, findingsOf } from './tidy/rules.ts';
import { parseSource, type SourceFile } from './tidy/source.ts';

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Everything below a folder, as paths from the root with slashes. */
function below(folder: string, kind: 'files' | 'folders'): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => (kind === 'files' ? entry.isFile() : entry.isDirectory()))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(ROOT.length + 1)
        .split(sep)
        .join('/'),
    );
}

function parse(folder: string): SourceFile[] {
  return below(folder, 'files')
    .filter((path) => /\.(?:ts|mjs)$/.test(path))
    .map((path) => parseSource(path, read(path)));
}

function expectNone(findings: readonly Finding[]): void {
  expect(findings.map(describeFinding)).toEqual([]);
}

const src = parse('src');
const test_ = parse('test');
const scripts = parse('scripts');

test('the tree that is checked is the whole tree', () => {
  expect(src.length).toBeGreaterThan(10);
  expect(test_.map((file) => file.path)).toContain('test/tidy.test.ts');
  expect(scripts.map((file) => file.path)).toContain('scripts/bootstrap.mjs');
});

test('each file keeps the rules of the code', () => {
  expectNone([...src, ...test_, ...scripts].flatMap(findingsOf));
});

test('imports point down, and only commands construct', () => {
  expectNone(importFindings([...src, ...test_, ...scripts]));
});

test('each folder says what it is for, in itself and in the map of README.md', () => {
  expectNone([...purposeFindings(src), ...mapFindings(read('README.md'), below('src', 'folders'))]);
});

test('each test file belongs to a suite that npm test runs', () => {
  const stray = below('test', 'files').filter((path) => path.endsWith('.test.ts') && !isInSomeSuite(path));
  expect(stray, 'move it into a folder that scripts/suites.mjs lists').toEqual([]);
});

test('the lock file fits every platform and no particular registry', () => {
  expectNone(lockFindings(JSON.parse(read('package-lock.json')).packages));
});

test('the top level holds only what is needed there, and keys stay out of the history', () => {
  expectNone([...topLevelFindings(readdirSync(ROOT)), ...ignoreFindings(read('.gitignore'))]);
});

test('the binary and the exports of the package have sources', () => {
  expectNone(entryFindings(JSON.parse(read('package.json')), below('src', 'files')));
});
