import { describe, expect, test } from 'vitest';
import { importFindings } from './imports.ts';
import { parseSource } from './source.ts';

/** Findings of a tree given as path and text, as `path rule`. */
function broken(tree: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(tree).map(([path, text]) => parseSource(path, text));
  return importFindings(files).map((finding) => `${finding.path} ${finding.rule}`);
}

describe('folders', () => {
  test.each([
    ['src/lib/a.ts', '../model/b.ts'],
    ['src/ledger/a.ts', '../consensus/b.ts'],
    ['src/store/a.ts', '../node/b.ts'],
    ['src/store/a.ts', '../network/b.ts'],
    ['src/network/a.ts', '../store/b.ts'],
    ['src/node/a.ts', '../client/b.ts'],
    ['src/commands/a.ts', '../main.ts'],
    ['src/devnet/a.ts', '../bench/b.ts'],
    ['src/dashboard/a.ts', '../api/b.ts'],
    ['src/simulator/a.ts', '../network/b.ts'],
    ['src/simulator/a.ts', '../api/b.ts'],
    ['src/simulator/a.ts', '../node/metrics.ts'],
    ['src/api/deep/a.ts', '../../commands/b.ts'],
    ['src/node/a.ts', '../../test/b.ts'],
  ])('%s may not import %s', (path, specifier) => {
    expect(broken({ [path]: `import { b } from '${specifier}';` })).toEqual([`${path} import`]);
    expect(broken({ [path]: `import type { B } from '${specifier}';` })).toEqual([`${path} import`]);
    expect(broken({ [path]: `const b = await import('${specifier}');` })).toEqual([`${path} import`]);
    expect(broken({ [path]: `export {\n  b,\n} from '${specifier}';` })).toEqual([`${path} import`]);
    expect(broken({ [path]: `import '${specifier}';` })).toEqual([`${path} import`]);
  });

  test.each([
    ['src/model/a.ts', '../lib/b.ts'],
    ['src/model/a.ts', './b.ts'],
    ['src/node/a.ts', '../network/b.ts'],
    ['src/simulator/a.ts', '../node/host.ts'],
    ['src/simulator/a.ts', '../node/keys/signatures.ts'],
    ['src/simulator/a.ts', '../store/memory.ts'],
    ['src/bench/a.ts', '../devnet/b.ts'],
    ['src/main.ts', './commands/start.ts'],
    ['test/unit/lib/a.test.ts', '../../../src/commands/b.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(broken({ [path]: `import { b } from '${specifier}';` })).toEqual([]);
  });

  test('an import that a comment or a string mentions is none', () => {
    expect(
      broken({ 'src/lib/a.ts': "// import { b } from '../model/b.ts';\nconst c = \"import('../model/b.ts')\";" }),
    ).toEqual([]);
  });

  test('imports name the .ts file', () => {
    expect(broken({ 'src/node/a.ts': "import { b } from './b.js';" })).toEqual(['src/node/a.ts extension']);
    expect(broken({ 'test/a.ts': "import { b } from '../src/node/b';" })).toEqual(['test/a.ts extension']);
    expect(broken({ 'test/cluster/a.mjs': "import { b } from '../../dist/node/b.js';" })).toEqual([]);
  });
});

describe('packages', () => {
  test.each([
    ['src/consensus/a.ts', 'node:crypto', 'node:'],
    ['src/consensus/a.ts', '@noble/hashes/sha2.js', 'package'],
    ['src/model/a.ts', 'zod', 'package'],
    ['src/node/a.ts', 'koa', 'package'],
    ['src/commands/a.ts', '@koa/router', 'package'],
    ['src/store/a.ts', 'n3', 'package'],
    ['src/node/a.ts', 'oxigraph/web.js', 'package'],
    ['src/node/a.ts', 'lmdb', 'package'],
    ['src/api/a.ts', 'commander', 'package'],
  ])('%s may not import %s', (path, specifier, rule) => {
    expect(broken({ [path]: `import { b } from '${specifier}';` })).toEqual([`${path} ${rule}`]);
  });

  test('a signature check is an argument, never an import', () => {
    const text = "import { Point, verify } from '@noble/ed25519';";
    expect(broken({ 'src/model/a.ts': text })).toEqual(['src/model/a.ts package']);
    expect(broken({ 'src/model/a.ts': text.replace(', verify', '') })).toEqual([]);
    expect(broken({ 'src/ledger/a.ts': text.replace(', verify', '') })).toEqual(['src/ledger/a.ts package']);
    expect(broken({ 'src/node/a.ts': text })).toEqual([]);
  });

  test.each([
    ['src/model/a.ts', '@noble/hashes/sha2.js'],
    ['src/api/a.ts', 'koa'],
    ['src/store/a.ts', 'lmdb'],
    ['src/node/a.ts', 'node:crypto'],
    ['src/main.ts', 'commander'],
  ])('%s may import %s', (path, specifier) => {
    expect(broken({ [path]: `import { b } from '${specifier}';` })).toEqual([]);
  });
});

describe('cycles', () => {
  test('are found across files, and through types', () => {
    const tree = {
      'src/lib/a.ts': "import { b } from './b.ts';",
      'src/lib/b.ts': "import type { C } from './c.ts';",
      'src/lib/c.ts': "import { a } from './a.ts';",
      'src/lib/d.ts': "import { a } from './a.ts';",
    };
    expect(broken(tree)).toEqual(['src/lib/a.ts cycle']);
  });

  test('two ways to one file are none', () => {
    const tree = {
      'src/lib/a.ts': "import { b } from './b.ts';\nimport { c } from './c.ts';",
      'src/lib/b.ts': "import { c } from './c.ts';",
      'src/lib/c.ts': '',
    };
    expect(broken(tree)).toEqual([]);
  });
});

describe('construction', () => {
  const text = "import { Store, openStore } from '../store/lmdb.ts';\nconst a = new Store(1);\nconst b = openStore(2);";

  test('belongs to commands', () => {
    expect(broken({ 'src/node/a.ts': text })).toEqual(['src/node/a.ts construction', 'src/node/a.ts construction']);
    expect(broken({ 'src/commands/a.ts': text })).toEqual([]);
    expect(broken({ 'src/store/a.ts': text.replace('../store', '.') })).toEqual([]);
  });

  test('does not mean errors and types', () => {
    const harmless = "import { StoreError, type Store } from '../store/lmdb.ts';\nthrow new StoreError();";
    expect(broken({ 'src/node/a.ts': harmless })).toEqual([]);
  });
});

describe('the simulator', () => {
  const tree = (how: string): Record<string, string> => ({
    'src/simulator/world.ts': "import { host } from '../node/host.ts';",
    'src/node/host.ts': `${how} { Peer } from '../network/session.ts';`,
    'src/network/session.ts': "import { connect } from 'node:tls';",
  });

  test('loads no socket, however far away', () => {
    expect(broken(tree('import'))).toEqual(['src/network/session.ts simulator']);
    expect(broken(tree('import type'))).toEqual([]);
  });
});
