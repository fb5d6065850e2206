import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPassphrase } from '../../../../src/node/keys/passphrase.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-passphrase-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, mode = 0o600): string {
  const path = join(folder, 'passphrase');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** A terminal at which somebody has typed `keys`, and which keeps what is written to it and how it was set. */
function terminal(keys: readonly (string | Uint8Array)[], isTTY = true) {
  const shown: string[] = [];
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: (isRaw: boolean) => raw.push(isRaw) });
  for (const key of keys) input.write(key);
  const output = { write: (text: string) => shown.push(text) };
  return { sources: { environment: {}, input, output }, shown, raw };
}

describe('a passphrase', () => {
  it('is the first line of the file that the flag names, or else the environment', async () => {
    const { sources, shown } = terminal([]);
    const path = file('of the file \r\nnot this\n');
    expect(await readPassphrase({ ...sources, file: path }, 'Q')).toEqual({ ok: true, value: 'of the file ' });
    const environment = { COUNTERFOIL_PASSPHRASE_FILE: path };
    expect(await readPassphrase({ ...sources, environment }, 'Q')).toEqual({ ok: true, value: 'of the file ' });
    const other = { COUNTERFOIL_PASSPHRASE_FILE: join(folder, 'none') };
    expect(await readPassphrase({ ...sources, file: path, environment: other }, 'Q')).toMatchObject({ ok: true });
    expect(shown).toEqual([]);
  });

  it('is not taken from a file that is missing, empty or open to others', async () => {
    const { sources } = terminal([]);
    const code = async (path: string) => {
      const result = await readPassphrase({ ...sources, file: path }, 'Q');
      return result.ok ? 'ok' : result.error.code;
    };
    expect(await code(join(folder, 'none'))).toBe('PASSPHRASE_FILE');
    expect(await code(file('secret\n', 0o644))).toBe('PASSPHRASE_FILE');
    expect(await code(file('\nsecond line\n'))).toBe('PASSPHRASE_EMPTY');
  });

  it('is asked for on a terminal, which shows the question and nothing that is typed', async () => {
    const { sources, shown, raw } = terminal(['open ', 'sesamex', '\u007f', '\r']);
    expect(await readPassphrase(sources, 'Passphrase of node.json')).toEqual({ ok: true, value: 'open sesame' });
    expect(shown).toEqual(['Passphrase of node.json: ', '\n']);
    expect(raw).toEqual([true, false]);
  });

  it('may be typed in pieces of characters, and begun anew', async () => {
    const { sources } = terminal(['wrong\u0015', Uint8Array.of(0xc3), Uint8Array.of(0xa4, 0x0d)]);
    expect(await readPassphrase(sources, 'Q')).toEqual({ ok: true, value: 'ä' });
  });

  it('is asked for twice when it is new, also when both answers come at once', async () => {
    expect(await readPassphrase(terminal(['one\rone\r']).sources, 'Q', true)).toEqual({ ok: true, value: 'one' });
    expect(await readPassphrase(terminal(['one\r', 'two\r']).sources, 'Q', true)).toMatchObject({
      error: { code: 'PASSPHRASE_DIFFERS' },
    });
  });

  it.each([
    ['Ctrl-C', ['abc\u0003']],
    ['Ctrl-D', ['\u0004']],
    ['more keys than a person types', ['x'.repeat(2_000)]],
  ])('is not given by %s, and the terminal is as before', async (_, keys) => {
    const { sources, raw } = terminal(keys);
    expect(await readPassphrase(sources, 'Q')).toMatchObject({ error: { code: 'PASSPHRASE_ABORTED' } });
    expect(raw).toEqual([true, false]);
  });

  it('is not given when the input ends', async () => {
    const { sources } = terminal(['half']);
    sources.input.end();
    expect(await readPassphrase(sources, 'Q')).toMatchObject({ error: { code: 'PASSPHRASE_ABORTED' } });
  });

  it('has at least one character', async () => {
    const { sources } = terminal(['\r']);
    expect(await readPassphrase(sources, 'Q')).toMatchObject({ error: { code: 'PASSPHRASE_EMPTY' } });
  });

  it('is missing when there is nobody to ask', async () => {
    const { sources, shown } = terminal(['piped\n'], false);
    expect(await readPassphrase(sources, 'Q')).toMatchObject({ error: { code: 'PASSPHRASE_MISSING' } });
    expect(shown).toEqual([]);
  });
});
