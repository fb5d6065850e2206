import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../../scripts/suites.mjs';
import { type ConfigSources, type ResolvedConfig, resolveConfig } from '../../../../src/node/config/config.ts';
import { parseConfigFile } from '../../../../src/node/config/file.ts';
import { checkPins } from '../../../../src/node/config/pins.ts';
import { ALL_SETTINGS, environmentName, SECTIONS } from '../../../../src/node/config/schema.ts';
import { renderConfig } from '../../../../src/node/config/template.ts';

const HOME = '/home/of/a/node';

function resolve(text: string | undefined, more: Partial<ConfigSources> = {}) {
  let file: ConfigSources['file'];
  if (text !== undefined) {
    const parsed = parseConfigFile('config.toml', text);
    if (!parsed.ok) throw new Error(parsed.error);
    file = parsed.value;
  }
  return resolveConfig({ home: HOME, file, environment: {}, flags: new Map(), ...more });
}

function resolved(text: string | undefined, more: Partial<ConfigSources> = {}): ResolvedConfig {
  const result = resolve(text, more);
  if (!result.ok) throw new Error(result.error.join('\n'));
  return result.value;
}

function problems(text: string, more: Partial<ConfigSources> = {}): readonly string[] {
  const result = resolve(text, more);
  return result.ok ? [] : result.error;
}

describe('config.toml at the root', () => {
  const text = readFileSync(`${ROOT}/config.toml`, 'utf8');

  it('is the template with every default', () => {
    expect(text).toBe(renderConfig(new Map()));
  });

  it('holds every key of the schema with its default, and no other', () => {
    const parsed = parseConfigFile('config.toml', text);
    if (!parsed.ok) throw new Error(parsed.error);
    expect([...parsed.value.tables.keys()]).toEqual([...SECTIONS]);
    for (const section of SECTIONS) {
      const keys = ALL_SETTINGS.filter((named) => named.section === section);
      const initial = Object.fromEntries(keys.map(({ key, setting }) => [key, setting.initial]));
      expect({ ...Object(parsed.value.tables.get(section)) }, section).toEqual(initial);
    }
  });

  it('says the same as no file at all', () => {
    expect(resolved(text).config).toEqual(resolved(undefined).config);
  });
});

describe('precedence', () => {
  const named = (settings: ResolvedConfig['settings'], name: string) =>
    settings.find(({ section, key }) => `${section}.${key}` === name);

  it('takes a flag before the environment before the file before the default', () => {
    const file = '[api]\nport = 1111\n';
    const environment = { COUNTERFOIL_API_PORT: '2222' };
    const flags = new Map([['api.port', { flag: '--api-port', text: '3333' }]]);
    const seen = [{}, { environment }, { environment, flags }].map((more) => {
      const { config, settings } = resolved(file, more);
      const { origin, source } = named(settings, 'api.port') ?? {};
      return [config.api.port, origin, source];
    });
    expect(seen).toEqual([
      [1111, 'file', 'config.toml:2'],
      [2222, 'env', 'COUNTERFOIL_API_PORT'],
      [3333, 'flag', '--api-port'],
    ]);
    const byDefault = resolved(undefined);
    expect(byDefault.config.api.port).toBe(7181);
    expect(named(byDefault.settings, 'api.port')).toMatchObject({ origin: 'default', source: '' });
  });

  it('gives every key an environment variable of its own', () => {
    const names = ALL_SETTINGS.map(({ section, key }) => environmentName(section, key));
    expect(new Set(names).size).toBe(ALL_SETTINGS.length);
    expect(names).toContain('COUNTERFOIL_NETWORK_LISTEN_PORT');
  });

  it('reads lists, times and switches from the environment', () => {
    const { config } = resolved(undefined, {
      environment: {
        COUNTERFOIL_NETWORK_BOOTSTRAP_PEERS: 'venue@10.0.0.2:7281, [::1]:7281',
        COUNTERFOIL_NETWORK_HEARTBEAT_INTERVAL: '2s',
        COUNTERFOIL_CONSENSUS_IS_AUTHORITY: 'false',
        COUNTERFOIL_CONSENSUS_VIEW_TIMEOUT: '750ms',
      },
    });
    expect(config.network.bootstrapPeers).toEqual([
      { name: 'venue', host: '10.0.0.2', port: 7281 },
      { name: undefined, host: '::1', port: 7281 },
    ]);
    expect(config.network.heartbeatIntervalMs).toBe(2_000);
    expect(config.consensus).toMatchObject({ isAuthority: false, viewTimeoutMs: 750 });
  });

  it('warns of a variable that looks like ours and is none', () => {
    const { warnings } = resolved(undefined, { environment: { COUNTERFOIL_NETWORK_LISTEN_PROT: '1', OTHER: '2' } });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('COUNTERFOIL_NETWORK_LISTEN_PORT');
  });
});

describe('what is wrong', () => {
  it.each([
    ['[network]\nlisten_prot = 1\n', 'config.toml:2', 'Did you mean "listen_port"?'],
    ['[netwrok]\nlisten_port = 1\n', 'config.toml:1', 'Did you mean "network"?'],
    ['[node]\nlisten_port = 1\n', 'config.toml:2', 'It belongs below [network].'],
    ['listen_port = 1\n', 'listen_port', 'It belongs below [network].'],
    ['api = 3\n', 'config.toml', 'write [api]'],
    ['[api]\nport = 70000\n', 'config.toml:2', 'a whole number from 0 to 65535, got 70000'],
    ['[api]\nport = "7181"\n', 'config.toml:2', 'got "7181"'],
    ['[network]\nconnection_timeout = 5\n', 'config.toml:2', 'a time with its unit'],
    ['[network]\nconnection_timeout = "5"\n', 'config.toml:2', 'a time with its unit'],
    ['[network]\nconnection_timeout = "2h"\n', 'config.toml:2', '"1m"'],
    ['[network]\nbootstrap_peers = ["venue@"]\n', 'config.toml:2', 'name@host:port'],
    ['[consensus]\nauthority_keys = ["AB"]\n', 'config.toml:2', '64 hex digits'],
    ['[consensus]\nprofile = "moon"\n', 'config.toml:2', 'one of "lan", "wan"'],
    ['[api]\naddress = "localhost"\n', 'config.toml:2', 'an IP address'],
    ['[logging]\nlevel = "loud"\n', 'config.toml:2', '"info"'],
    ['[provenance]\nanything = 1\n', 'config.toml:2', 'unknown key anything'],
  ])('%j is refused with the place and the way out', (text, place, hint) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(place);
    expect(found[0]).toContain(hint);
  });

  it('is said all at once', () => {
    expect(problems('[api]\nport = -1\nprot = 1\n[logging]\nlevel = 3\n')).toHaveLength(3);
  });

  it('names the variable of a bad value', () => {
    const found = problems('', { environment: { COUNTERFOIL_API_PORT: 'http' } });
    expect(found[0]).toMatch(/^COUNTERFOIL_API_PORT: \[api\] port: expected .* got "http"$/);
  });

  it.each([
    ['[api\nport = 1', 'config.toml:1:5'],
    ['[api]\nport = 1\nport = 2', 'config.toml:3'],
    ['[api]\nport = 99999999999999999999', 'config.toml:2'],
  ])('%j is no TOML, and the line is named', (text, place) => {
    const parsed = parseConfigFile('config.toml', text);
    expect(parsed.ok ? '' : parsed.error).toContain(place);
  });
});

describe('paths', () => {
  it('start at the home unless they are absolute', () => {
    const { config } = resolved('[storage]\ndata_dir = "/var/lib/data"\n');
    expect(config.storage).toEqual({
      dataDir: '/var/lib/data',
      journalDir: `${HOME}/journal`,
      retainedBlocks: null,
      sync: 'full',
      fillHistory: false,
    });
    expect(config.node.genesisFile).toBe(`${HOME}/genesis.json`);
  });
});

describe('pins', () => {
  const key = (digit: string) => digit.repeat(64);
  const genesis = { networkId: 'cup', authorityKeys: [key('a'), key('b')] };

  it('pass when nothing is pinned, and when everything fits in any order', () => {
    expect(checkPins(resolved(undefined).config, genesis).ok).toBe(true);
    const text = `[network]\nnetwork_id = "cup"\n[consensus]\nauthority_keys = ["${key('b')}", "${key('a')}"]\n`;
    expect(checkPins(resolved(text).config, genesis).ok).toBe(true);
  });

  it('name both values when they differ', () => {
    const other = checkPins(resolved('[network]\nnetwork_id = "league"\n').config, genesis);
    expect(other.ok ? '' : other.error).toMatch(/"league".*"cup"/);
    const text = `[consensus]\nauthority_keys = ["${key('a')}"]\n`;
    const fewer = checkPins(resolved(text).config, genesis);
    expect(fewer.ok ? '' : fewer.error).toContain(`${key('a')}, ${key('b')}`);
  });
});

describe('a mirror', () => {
  const section = (...lines: readonly string[]) => ['[provenance]', ...lines].join('\n');
  const at = 'mirror = "http://store:3030/data"';

  it('is where its address says, with its files below the home', () => {
    expect(resolved(undefined).config.provenance.mirror).toBe(undefined);
    expect(resolved(section(at)).config.provenance.mirror).toEqual({
      url: 'http://store:3030/data',
      by: 'graphs',
      queryUrl: undefined,
      tokenFile: undefined,
    });
    const all = section(at, 'mirror_query = "https://store/q?a=b"', 'mirror_by = "quads"', 'mirror_token_file = "t"');
    expect(resolved(all).config.provenance.mirror).toMatchObject({
      by: 'quads',
      queryUrl: 'https://store/q?a=b',
      tokenFile: `${HOME}/t`,
    });
  });

  it.each(['http://user:sesame@store/data', 'http://:sesame@store/data', 'https://sesame@store/'])(
    'has no password in its address: %s',
    (url) => {
      const [problem = ''] = problems(section(`mirror = "${url}"`));
      expect(problem).toContain('an http or https address without user, password and fragment');
      expect(problem).not.toContain('sesame');
    },
  );

  it.each([
    'store:3030',
    'ftp://store/',
    'file:///etc/passwd',
    'http://store/#a',
    `http://${'a'.repeat(3_000)}/`,
    'http://a b/',
  ])('is at an address of HTTP, not %s', (url) => {
    expect(problems(section(`mirror_query = "${url}"`))).toHaveLength(1);
  });

  it.each([
    [section(at, 'index = "off"'), 'mirror: what is mirrored comes from the index'],
    [section('mirror_query = "http://store/query"'), 'mirror_query: nothing is put there'],
    [section('mirror_token_file = "t"'), 'mirror_token_file: there is no mirror'],
  ])('needs what it is made of: %j', (text, problem) => {
    expect(problems(text)[0]).toContain(problem);
  });
});
