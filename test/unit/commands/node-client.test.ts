import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandName, type Invocation, sameNode, shellWord } from '../../../src/commands/command-line.ts';
import { loadConfig } from '../../../src/commands/files.ts';
import { connect, failureError } from '../../../src/commands/node-client.ts';
import { openTerminal } from '../../../src/commands/terminal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function invocationWith(home: string | undefined): Invocation {
  const silent = { write: () => true };
  const flags = { json: false, color: false, quiet: true, verbose: false };
  const terminal = openTerminal({ stdout: silent, stderr: silent, environment: {}, ...flags });
  const unset = { config: undefined, logLevel: undefined, logFormat: undefined };
  return { terminal, environment: {}, home, ...unset, verbose: false, quiet: true };
}

describe('the home of a command', () => {
  const refused = { exit: 'CONFIG_INVALID', code: 'NO_SUCH_HOME' };

  it('that does not exist is refused: it must not mean the default node', async () => {
    const home = join(directory, 'my-ntework');
    await expect(connect(invocationWith(home), {})).rejects.toMatchObject(refused);
    await expect(connect(invocationWith(home), { node: 'http://localhost:1' })).rejects.toMatchObject(refused);
  });

  it('that holds no node is refused, with the homes that it does hold', async () => {
    await expect(connect(invocationWith(directory), {})).rejects.toMatchObject(refused);
    mkdirSync(join(directory, 'venue'));
    writeFileSync(join(directory, 'venue', 'config.toml'), '');
    const advice = `The homes in it: ${join(directory, 'venue')}.`;
    await expect(connect(invocationWith(directory), {})).rejects.toMatchObject({ ...refused, advice });
  });

  it('that holds a whole network is refused: its genesis document makes no node of it', async () => {
    mkdirSync(join(directory, 'venue'));
    writeFileSync(join(directory, 'venue', 'config.toml'), '');
    writeFileSync(join(directory, 'genesis.json'), '{}');
    const advice = `The homes in it: ${join(directory, 'venue')}.`;
    await expect(connect(invocationWith(directory), {})).rejects.toMatchObject({ ...refused, advice });
    expect(() => loadConfig(invocationWith(directory))).toThrow(expect.objectContaining({ ...refused, advice }));
  });

  it('is one without a config.toml too: with keys of its own, or with nothing in it but a genesis document', async () => {
    writeFileSync(join(directory, 'genesis.json'), '{}');
    expect((await connect(invocationWith(directory), {})).url).toMatch(/^http:/);
    mkdirSync(join(directory, 'keys'));
    mkdirSync(join(directory, 'copy'));
    writeFileSync(join(directory, 'copy', 'config.toml'), '');
    expect((await connect(invocationWith(directory), {})).url).toMatch(/^http:/);
  });

  it('says where its node is', async () => {
    writeFileSync(join(directory, 'config.toml'), '[api]\nport = 4321\n');
    expect((await connect(invocationWith(directory), {})).url).toBe('http://127.0.0.1:4321');
  });
});

describe('what a node could not do', () => {
  it.each([
    ['NO_QUORUM', 503, 'FAILED', 'explain'],
    ['UNKNOWN_TICKET', 404, 'NOT_FOUND', ''],
    ['TIMEOUT', null, 'UNREACHABLE', 'explain'],
    ['UNAUTHORIZED', 401, 'FAILED', '--token-file'],
  ])('%s keeps its code and says where to look', (code, status, exit, advised) => {
    const error = failureError({ code, status, detail: 'what happened' });
    expect(error).toMatchObject({ code, exit, message: 'what happened.' });
    expect(error.advice).toContain(advised);
  });
});

describe('the advice to ask why', () => {
  const late = { code: 'NOT_FINAL_YET', status: 504, detail: 'not final yet', transactionId: 'ab12' } as const;

  it('means the node that the failed command meant', () => {
    const words = ['ticket', 'admit', 'x', '--node', 'http://localhost:7182', '--home=my net/venue'];
    const { advice } = failureError(late, words);
    expect(advice).toMatch(
      /^Transaction ab12\. Why: .* explain --node http:\/\/localhost:7182 --home 'my net\/venue'$/,
    );
  });

  it('names none when none was named', () => {
    expect(failureError(late, ['ticket', 'admit', 'x', '--wait', '5s']).advice).toMatch(/ explain$/);
    expect(sameNode(['ticket', '--', '--home', 'x'])).toBe('');
    expect(sameNode(['--home', 'a', 'ticket', '--homes=b', '--home', 'c'])).toBe(' --home c');
  });
});

describe('a command to copy', () => {
  it('is the one that was typed', () => {
    expect(commandName({ npm_lifecycle_event: 'cf' })).toBe('npm run -s cf --');
    expect(commandName({ npm_lifecycle_event: 'npx' })).toBe('npx counterfoil');
    expect(commandName({})).toBe('counterfoil');
  });

  it('is quoted for a shell where it must be', () => {
    expect(shellWord('my-net/venue')).toBe('my-net/venue');
    expect(shellWord("it's here")).toBe("'it'\\''s here'");
  });
});
