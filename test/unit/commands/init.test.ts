import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Invocation } from '../../../src/commands/command-line.ts';
import { type InitOptions, initNetwork, initNode } from '../../../src/commands/init-action.ts';
import { openTerminal } from '../../../src/commands/terminal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const OPTIONS = { basePort: '7180', iriBase: 'http://localhost/id/', passphrase: false } as const;

/** What the command says, with the invocation that says it. */
function invocationWith(home?: string): { readonly invocation: Invocation; readonly said: string[] } {
  const said: string[] = [];
  const stdout = { write: (text: string) => said.push(text) > 0 };
  const flags = { json: false, color: false, quiet: false, verbose: false };
  const terminal = openTerminal({ stdout, stderr: { write: () => true }, environment: {}, ...flags });
  const unset = { config: undefined, logLevel: undefined, logFormat: undefined };
  return { invocation: { terminal, environment: {}, home, ...unset, verbose: false, quiet: false }, said };
}

describe('a new network', () => {
  async function make(options: Partial<InitOptions>): Promise<string> {
    const network = join(directory, 'network');
    await initNetwork(invocationWith().invocation, { ...OPTIONS, ...options }, network);
    return network;
  }

  it.each([
    ['fewer names than authorities', { authorities: '3', names: 'a,b' }, '--names names 2 of 3'],
    ['more names than authorities', { authorities: '1', names: 'a,b' }, '--names names 2 of 1'],
    ['a name twice', { names: 'a,b,a' }, '"a" twice'],
  ])('is not made of %s', async (_what, options, said) => {
    const refused = { exit: 'USAGE', message: expect.stringContaining(said) };
    await expect(make(options)).rejects.toMatchObject(refused);
    expect(existsSync(join(directory, 'network'))).toBe(false);
  });

  it('has as many authorities as names', async () => {
    const network = await make({ names: 'a,b' });
    expect(['a', 'b', 'venue'].filter((name) => existsSync(join(network, name, 'config.toml')))).toEqual(['a', 'b']);
  });
});

describe('the next steps of a new node', () => {
  it('ask for a genesis document only when there is none yet', async () => {
    const network = join(directory, 'network');
    await initNetwork(invocationWith().invocation, { ...OPTIONS, authorities: '1' }, network);
    const genesis = join(network, 'genesis.json');
    const follower = invocationWith(join(directory, 'follower'));
    await initNode(follower.invocation, { ...OPTIONS, genesis, follower: true });
    expect(existsSync(join(directory, 'follower', 'genesis.json'))).toBe(true);
    expect(follower.said.join('')).not.toContain('genesis');
    expect(follower.said.join('')).toContain('1. name the other nodes');
    const later = invocationWith(join(directory, 'later'));
    await initNode(later.invocation, { ...OPTIONS, follower: true });
    expect(later.said.join('')).toContain('1. put genesis.json into');
  });
});
