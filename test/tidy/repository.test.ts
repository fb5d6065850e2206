import { expect, test } from 'vitest';
import {
  entryFindings,
  ignoreFindings,
  lockFindings,
  mapFindings,
  purposeFindings,
  topLevelFindings,
} from './repository.ts';
import type { Finding } from './rules.ts';
import { parseSource } from './source.ts';

function messages(findings: readonly Finding[]): string[] {
  return findings.map((finding) => finding.message.split(':')[0] ?? '');
}

test('the lock file may not name a registry', () => {
  const packages = {
    'node_modules/a': { resolved: 'https://registry.example/a.tgz' },
    'node_modules/b': { link: true, resolved: 'b' },
  };
  expect(messages(lockFindings(packages))).toEqual(['node_modules/a has a "resolved" address']);
});

test('the lock file holds every dependency, also of other platforms', () => {
  const packages = {
    '': { devDependencies: { a: '1' } },
    'node_modules/a': { dependencies: { b: '1', c: '1' }, optionalDependencies: { 'a-other-os': '1' } },
    'node_modules/a/node_modules/b': { dependencies: { c: '1', '@s/d': '1' } },
    'node_modules/c': {},
    'node_modules/@s/d': {},
  };
  expect(messages(lockFindings(packages))).toEqual([
    'a-other-os, asked for by node_modules/a, is not in the lock file',
  ]);
  expect(lockFindings({ '': { dependencies: { x: '1' } } })).toHaveLength(1);
  expect(lockFindings({ ...packages, 'node_modules/a-other-os': {} })).toEqual([]);
});

test('the top level is a closed list', () => {
  expect(
    topLevelFindings([
      'src',
      'README.md',
      '.gitignore',
      'counterfoil-0.1.0.tgz',
      'my-network',
      'passphrase',
      'chain.cf',
      'notes.txt',
      'lib',
    ]).map((f) => f.path),
  ).toEqual(['notes.txt', 'lib']);
});

test('the map names each folder', () => {
  expect(mapFindings('| `src/lib` | what |', ['src/lib', 'src/lib/deep']).map((f) => f.path)).toEqual(['src/lib/deep']);
});

test('each folder begins with its purpose', () => {
  const files = [
    parseSource('src/lib/a.ts', '/** What any program could use. */\n'),
    parseSource('src/lib/b.ts', 'export {};\n'),
    parseSource('src/node/a.ts', 'export {};\n'),
  ];
  expect(purposeFindings(files).map((f) => f.path)).toEqual(['src/node']);
});

test('keys are ignored by git', () => {
  expect(ignoreFindings('node_modules/\ndist/\nkeys/*\n!keys/README.md\n')).toEqual([]);
  expect(ignoreFindings('node_modules/\ndist/\n')).toHaveLength(2);
});

test('the entries of the package are compiled from files that are there', () => {
  const manifest = { bin: { counterfoil: 'dist/main.js' }, exports: { './client': './dist/client/http.js' } };
  expect(entryFindings(manifest, ['src/main.ts', 'src/client/http.ts'])).toEqual([]);
  expect(messages(entryFindings(manifest, ['src/main.ts']))).toEqual(['./dist/client/http.js has no source']);
  expect(messages(entryFindings(manifest, ['src/client/http.ts']))).toEqual(['dist/main.js has no source']);
});
