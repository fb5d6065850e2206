import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NewHome, writeHome } from '../../../src/commands/homes.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { resolveConfig } from '../../../src/node/config/config.ts';
import { parseConfigFile } from '../../../src/node/config/file.ts';
import { readKeyFile } from '../../../src/node/keys/key-file.ts';
import { openNodeDisk } from '../../../src/store/node-disk.ts';
import { openJournal } from '../../../src/store/open-journal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function newHome(more: Partial<NewHome> = {}): NewHome {
  return {
    directory: join(directory, 'home'),
    genesis: new TextEncoder().encode('{}\n'),
    config: new Map([['api.port', 4321]]),
    authority: devnetKeyPair('test/authority'),
    node: devnetKeyPair('test/node'),
    operator: devnetKeyPair('test/operator'),
    protection: { kind: 'no-passphrase' },
    ...more,
  };
}

function modeOf(...path: readonly string[]): string {
  return (statSync(join(directory, 'home', ...path)).mode & 0o777).toString(8);
}

describe('a new home', () => {
  it('holds what a node starts with, for its owner alone', async () => {
    await writeHome(newHome());
    expect(modeOf('keys')).toBe('700');
    for (const file of ['authority.key', 'node.key', 'operator.key', 'operator.token']) {
      expect(modeOf('keys', file), file).toBe('600');
    }
    const home = join(directory, 'home');
    expect(readKeyFile(join(home, 'keys', 'authority.key'), undefined, 'authority')).toMatchObject({
      ok: true,
      value: { publicKey: devnetKeyPair('test/authority').publicKey },
    });
    expect(readFileSync(join(home, 'keys', 'operator.token'), 'utf8').trim()).toMatch(/^[\w-]{43}$/);
    const parsed = parseConfigFile('config.toml', readFileSync(join(home, 'config.toml'), 'utf8'));
    if (!parsed.ok) throw new Error(parsed.error);
    const resolved = resolveConfig({ home, file: parsed.value, environment: {}, flags: new Map() });
    expect(resolved).toMatchObject({ ok: true, value: { config: { api: { port: 4321 } } } });
  });

  it('has the journal that its authority key votes with', async () => {
    await writeHome(newHome());
    const { publicKey } = devnetKeyPair('test/authority');
    const disk = openNodeDisk(join(directory, 'home', 'journal'));
    const opened = await new Promise<boolean>((resolve) => {
      const of = { publicKey: Buffer.from(publicKey, 'hex'), chainId: new Uint8Array(32) };
      openJournal({ disk, ...of, onFatal: () => resolve(false) }, (result) => {
        if (result.ok) result.value.journal.close(() => resolve(true));
        else resolve(false);
      });
    });
    expect(opened).toBe(true);
  });

  it('has neither authority key nor journal without a vote', async () => {
    await writeHome(newHome({ authority: undefined }));
    expect(() => modeOf('keys', 'authority.key')).toThrow();
    expect(() => modeOf('journal')).toThrow();
  });

  it('never replaces anything', async () => {
    await writeHome(newHome());
    await expect(writeHome(newHome())).rejects.toThrow(/exists, and nothing is overwritten/);
    rmSync(join(directory, 'home'), { recursive: true });
    await writeHome(newHome({ genesis: undefined }));
    rmSync(join(directory, 'home', 'config.toml'));
    await expect(writeHome(newHome())).rejects.toThrow(/exists/);
  });

  it('may stand beside other files', async () => {
    writeFileSync(join(directory, 'README'), 'mine');
    await writeHome(newHome({ directory }));
    expect(readFileSync(join(directory, 'README'), 'utf8')).toBe('mine');
  });
});
