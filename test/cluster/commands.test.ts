import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/suites.mjs';
import { startDevnet } from './support/devnet.ts';
import { counterfoil, endPrograms, freeBasePort, startCounterfoil, startProgram } from './support/program.ts';
import { until } from './support/until.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});

afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PASSPHRASE = 'correct horse battery staple';

function passphraseFile(): string {
  const file = join(directory, 'passphrase');
  if (!existsSync(file)) writeFileSync(file, `${PASSPHRASE}\n`, { mode: 0o600 });
  return file;
}

describe('the line itself', () => {
  it.each([
    [['--help'], 0, 'Usage: counterfoil'],
    [['ticket', '--help'], 0, 'ticket'],
    [['version'], 0, 'counterfoil'],
    [['--version'], 0, '0.'],
    [['devnt'], 2, 'Did you mean devnet?'],
    [['ticket', 'admt'], 2, 'Did you mean admit?'],
    [['status', '--nod', 'x'], 2, 'Did you mean --node?'],
    [['status', '--node', 'http://127.0.0.1:9'], 6, ''],
    [['keys', 'show', 'no-such-file'], 4, 'does not exist'],
    [['ticket', 'admit', 'not a name'], 2, 'no id'],
  ])('%j ends with %d', async (args, code, said) => {
    const ended = await counterfoil(args);
    expect(ended.output).toContain(said);
    expect(ended.code).toBe(code);
  });

  it('tells errors as JSON when asked to', async () => {
    const { code, output } = await counterfoil(['keys', 'show', 'no-such-file', '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(output)).toMatchObject({ error: { code: 'KEY_MISSING' } });
  });
});

describe('keys', () => {
  it('are made encrypted, shown without their secret, and moved under a passphrase', async () => {
    const file = join(directory, 'client.key');
    const made = await counterfoil(['keys', 'new', '--out', file, '--passphrase-file', passphraseFile()]);
    expect(made.code).toBe(0);
    const publicKey = made.stdout.trim();
    expect(publicKey).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('"secret_key"');
    const again = await counterfoil(['keys', 'new', '--out', file, '--no-passphrase']);
    expect(again.code).toBe(1);
    expect(again.output).toContain('not replaced');
    expect((await counterfoil(['keys', 'show', file])).stdout).toContain(publicKey);
    const environment = { COUNTERFOIL_PASSPHRASE_FILE: passphraseFile() };
    const exported = await counterfoil(['keys', 'export', file], { environment });
    writeFileSync(join(directory, 'exported'), exported.stdout);
    const args = ['keys', 'import', join(directory, 'exported'), '--out', join(directory, 'imported.key'), '--json'];
    const imported = await counterfoil(args, { environment });
    expect(JSON.parse(imported.stdout)).toMatchObject({ kind: 'client', public_key: publicKey });
  });

  it('ask for a passphrase, and say what to do when there is nobody to ask', async () => {
    const { code, output } = await counterfoil(['keys', 'new', '--out', join(directory, 'never.key')]);
    expect(code).toBe(1);
    expect(output).toContain('--passphrase-file');
    expect(output).toContain('--no-passphrase');
    expect(existsSync(join(directory, 'never.key'))).toBe(false);
  });

  it('come in numbers with the TOML to paste, by the script too', async () => {
    const out = join(directory, 'authorities');
    const made = startProgram(join(ROOT, 'scripts', 'generate-keys'), ['--count', '4', '--out', out]);
    made.child.stdin?.end();
    expect(await made.ended).toBe(0);
    expect(made.output()).toContain('NOT encrypted');
    const keys = /authority_keys = \[([^\]]*)\]/.exec(made.stdout())?.[1]?.match(/[0-9a-f]{64}/g) ?? [];
    expect(new Set(keys).size).toBe(4);
    for (const number of [1, 2, 3, 4]) {
      expect(statSync(join(out, `authority-${number}.key`)).mode & 0o777).toBe(0o600);
      expect(existsSync(join(out, `authority-${number}.journal`))).toBe(true);
    }
  });
});

describe('a network of one’s own', () => {
  it('is prepared whole, checked, and never overwritten', async () => {
    const network = join(directory, 'net');
    const made = await counterfoil(['init', '--network', network, '--authorities', '4', '--no-passphrase', '--json']);
    expect(made.code).toBe(0);
    const { chain_id, homes } = JSON.parse(made.stdout);
    expect(homes).toHaveLength(4);
    const shown = await counterfoil(['genesis', 'show', join(network, 'genesis.json'), '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ chain_id, document: { network_id: 'net' } });
    expect((await counterfoil(['genesis', 'verify', join(network, 'genesis.json')])).code).toBe(0);
    for (const home of homes) {
      const checked = await counterfoil(['config', 'check', '--home', home]);
      expect(checked.output).toContain('fits the pins');
      expect(checked.code).toBe(0);
    }
    const again = await counterfoil(['init', '--network', network, '--no-passphrase']);
    expect(again.code).toBe(1);
    expect(again.output).toContain('nothing is overwritten');
  });

  it('has a genesis document whose every fault is told', async () => {
    const file = join(directory, 'faulty.json');
    writeFileSync(file, '{"network_id": 7}\n');
    const verified = await counterfoil(['genesis', 'verify', file, '--json']);
    expect(verified.code).toBe(8);
    const { faults } = JSON.parse(verified.stdout);
    expect(faults.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(['WRONG_TYPE', 'MISSING_KEY']),
    );
  });

  it('is written from public keys', async () => {
    const key = (
      await counterfoil(['keys', 'new', '--out', join(directory, 'a.key'), '--no-passphrase'])
    ).stdout.trim();
    const operator = (
      await counterfoil(['keys', 'new', '--out', join(directory, 'b.key'), '--no-passphrase'])
    ).stdout.trim();
    const seats = [
      '--authority',
      `n1@club=${key}`,
      '--operator',
      `club=${operator}`,
      '--roles',
      'club=organiser,issuer',
    ];
    const made = await counterfoil(['genesis', 'new', '--network-id', 'cup', ...seats]);
    expect(made.code).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({
      network_id: 'cup',
      authorities: [{ id: 'n1', public_key: key, organisation: 'club' }],
      organisations: [{ id: 'club', roles: ['organiser', 'issuer'], keys: [operator] }],
    });
    const wrong = await counterfoil(['genesis', 'new', '--network-id', 'cup', '--authority', 'n1=abc']);
    expect(wrong.code).toBe(2);
  });

  it('starts with the config.toml of the repository, encrypted keys and a token for writes', async () => {
    const network = join(directory, 'one');
    const passphrase = ['--passphrase-file', passphraseFile()];
    const made = await counterfoil(['init', '--network', network, '--authorities', '1', ...passphrase]);
    expect(made.code).toBe(0);
    const home = join(network, 'federation');
    const port = await freeBasePort();
    const config = ['--config', join(ROOT, 'config.toml'), '--home', home];
    const ports = ['--api-port', `${port}`, '--listen-port', `${port + 1}`];
    const node = startCounterfoil(['start', ...config, ...ports, ...passphrase, '--log-format', 'json']);
    await node.says(/"msg":"running"/);
    const url = ['--node', `http://127.0.0.1:${port}`];
    const second = await counterfoil(['start', '--home', home, ...ports, ...passphrase]);
    expect(second.code).toBe(7);
    const without = await counterfoil(['ticket', 'validate', 'x', ...url]);
    expect(without.code).toBe(1);
    expect(without.output).toContain('--token-file');
    const withToken = await counterfoil([
      'ticket',
      'validate',
      'x',
      ...url,
      '--token-file',
      join(home, 'keys', 'operator.token'),
    ]);
    expect(withToken.output).toContain('No ticket has this id');
    expect(withToken.code).toBe(4);
    node.child.kill('SIGINT');
    expect(await node.ended).toBe(0);
    expect(node.output()).not.toContain(PASSPHRASE);
  });

  it('does not start when genesis is not the one that was pinned', async () => {
    const network = join(directory, 'pinned');
    await counterfoil(['init', '--network', network, '--authorities', '1', '--no-passphrase']);
    const home = join(network, 'federation');
    const environment = { COUNTERFOIL_NETWORK_NETWORK_ID: 'another' };
    const { code, output } = await counterfoil(['start', '--home', home], { environment });
    expect(code).toBe(3);
    expect(output).toContain('"another"');
    expect(output).toContain('"pinned"');
  });
});

describe('config show', () => {
  it('prints each value with its origin', async () => {
    const home = join(directory, 'shown');
    await counterfoil(['init', '--home', home, '--no-passphrase']);
    const environment = { COUNTERFOIL_API_PORT: '8123' };
    const { stdout } = await counterfoil(['config', 'show', '--home', home, '--log-level', 'debug', '--json'], {
      environment,
    });
    const shown = JSON.parse(stdout);
    expect(shown['api.port']).toEqual({ value: 8123, origin: 'env', source: 'COUNTERFOIL_API_PORT' });
    expect(shown['logging.level']).toMatchObject({ value: 'debug', origin: 'flag' });
    expect(shown['consensus.profile'].origin).toBe('file');
    rmSync(join(home, 'config.toml'));
    const bare = await counterfoil(['config', 'show', '--home', home, '--json']);
    expect(JSON.parse(bare.stdout)['consensus.profile'].origin).toBe('default');
  });

  it('names the line of a mistake', async () => {
    const file = join(directory, 'mistaken.toml');
    writeFileSync(file, '[network]\nlisten_prot = 1\n');
    const { code, output } = await counterfoil(['config', 'check', '--config', file]);
    expect(code).toBe(3);
    expect(output).toContain(`${file}:2`);
    expect(output).toContain('Did you mean "listen_port"?');
  });
});

describe('tickets from the command line', () => {
  it('go through their life, signed by the node or by a key', async () => {
    const net = await startDevnet(directory, ['--nodes', '1', '--tickets', '3']);
    const node = ['--node', net.url];
    const [first = '', second = '', third = ''] = net.sample_tickets;
    const watching = startCounterfoil(['ticket', 'watch', ...node, '--from', '1', '--json']);
    await watching.says(new RegExp(`ticket_issued.*${third}`));
    expect((await counterfoil(['ticket', 'admit', first, ...node])).stdout).toContain(`ADMIT ${first}`);
    const again = await counterfoil(['ticket', 'admit', first, ...node, '--json']);
    expect(again.code).toBe(5);
    expect(JSON.parse(again.stdout)).toMatchObject({ decision: 'REFUSE', code: 'ALREADY_CONSUMED' });
    const key = ['--key', join(net.nodes[0]?.home ?? '', 'keys', 'operator.key')];
    expect((await counterfoil(['ticket', 'validate', second, ...node, ...key])).code).toBe(0);
    expect((await counterfoil(['ticket', 'consume', second, ...node, ...key, '--gate', 'north'])).code).toBe(0);
    const twice = await counterfoil(['ticket', 'consume', second, ...node, ...key]);
    expect(twice.code).toBe(5);
    expect(twice.output).toContain('ALREADY_CONSUMED');
    await counterfoil(['ticket', 'validate', third, ...node]);
    expect((await counterfoil(['ticket', 'dispute', third, '--reason', 'FRAUD', ...node])).stdout).toContain(
      'DISPUTED',
    );
    const shown = await counterfoil(['ticket', 'show', third, ...node, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ state: 'DISPUTED', versions: [{}, {}, { state: 'DISPUTED' }] });
    const issue = ['ticket', 'issue', 'A-1', 'A-2', '--event', 'harbour-cup-final', '--tier', 'cat3'];
    expect((await counterfoil([...issue, ...node])).code).toBe(0);
    expect((await counterfoil([...issue, ...node])).code).toBe(5);
    const listed = await counterfoil(['ticket', 'list', '--state', 'ISSUED', ...node]);
    expect(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['A-1', 'A-2']);
    expect((await counterfoil(['ticket', 'show', 'none', ...node])).code).toBe(4);
    const head = JSON.parse((await counterfoil(['chain', 'head', ...node, '--json'])).stdout);
    const block = JSON.parse((await counterfoil(['chain', 'block', `${head.height}`, ...node, '--json'])).stdout);
    expect(block).toMatchObject({ header: { height: head.height } });
    expect((await counterfoil(['explain', ...node])).stdout).toContain('moving');
    expect((await counterfoil(['peers', ...node])).stdout).toContain('no peers');
    await until(() => (/ticket_disputed/.test(watching.stdout()) ? true : undefined), {
      what: 'a dispute',
      describe: watching.output,
    });
    watching.child.kill('SIGINT');
    expect(await watching.ended).toBe(0);
    net.program.child.kill('SIGTERM');
    await net.program.ended;
  });
});
