import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../scripts/suites.mjs';
import { parseSource } from '../../tidy/source.ts';
import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
  world.node.issue('t-1');
});
afterAll(() => world.api.close());
afterEach(() => {
  world.node.proofs.trouble = null;
});

/** Source files that these need, themselves included. */
function needed(...entries: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const left = [...entries];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const { imports } = parseSource(path, readFileSync(join(ROOT, path), 'utf8'));
    const own = imports.filter(({ isType, specifier }) => !isType && specifier.startsWith('.'));
    left.push(...own.map(({ specifier }) => join(path, '..', specifier)));
  }
  return found;
}

describe('proofs', () => {
  it.each([
    ['', false, false],
    ['?history=true', true, false],
    ['?history=false', false, false],
    // Whoever wants graphs wants the history that they are of.
    ['?graphs=true', true, true],
    ['?graphs=true&history=false&pretty', true, true],
  ])('come as the bytes that they are: %s', async (query, history, graphs) => {
    const response = await world.ask(`/api/v1/tickets/t-1/proof${query}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.text()).toBe(`{"proof_of":"t-1","history":${history},"graphs":${graphs}}\n`);
  });

  it.each([
    ['t-1/proof?history=yes', 400, 'BAD_REQUEST'],
    ['t-1/proof?history', 400, 'BAD_REQUEST'],
    ['t-1/proof?height=3', 400, 'BAD_REQUEST'],
    ['t%201/proof', 400, 'BAD_REQUEST'],
  ])('%s is refused', async (path, status, code) => {
    const response = await world.ask(`/api/v1/tickets/${path}`);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  it.each([
    ['NOTHING_FINAL', 404, 'UNKNOWN_BLOCK', 'genesis'],
    ['NOT_KEPT', 410, 'PRUNED', 'ask an archive'],
    ['BUSY', 503, 'OVERLOADED', 'another node'],
    ['TOO_LARGE', 422, 'PROOF_TOO_LARGE', 'without graphs'],
  ] as const)('%s is said', async (trouble, status, code, said) => {
    world.node.proofs.trouble = trouble;
    const response = await world.ask('/api/v1/tickets/t-1/proof');
    const body: unknown = await response.json();
    expect([response.status, body]).toMatchObject([status, { code, detail: expect.stringContaining(said) }]);
  });
});

describe('the page that verifies', () => {
  it('runs what the node serves, and nothing else', async () => {
    const page = await world.ask('/verify');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'sha256-\S+' 'sha256-\S+' 'self';/);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(await page.text()).toContain('<script type="importmap">');
  });

  it('finds every file that it needs, and finds no other', async () => {
    const files = needed('src/verifier/verify.ts', 'src/verifier/words.ts');
    expect(files).toContain('src/lib/bytes.ts');
    for (const path of files) {
      const file = await world.ask(`/verify/modules/${path.replace('src/', '')}`);
      expect([path, file.status]).toEqual([path, 200]);
      expect(file.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    }
    for (const name of ['@noble/ed25519/index.js', '@noble/hashes/sha2.js', '@noble/hashes/utils.js']) {
      expect((await world.ask(`/verify/modules/${name}`)).status).toBe(200);
    }
    for (const name of ['node/node.ts', 'api/server.ts', '..%2fpackage.json', '@noble/hashes/scrypt.js', '']) {
      expect((await world.ask(`/verify/modules/${name}`)).status).toBe(404);
    }
  });
});
