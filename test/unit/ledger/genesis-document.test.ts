import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GenesisDocument } from '../../../src/ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../../../src/ledger/genesis-document.ts';
import { GENESIS_FAULTS } from '../../../src/ledger/genesis-faults.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { GENESIS_FAULTS_MAX } from '../../../src/model/limits.ts';
import { GENESIS, testKey } from './fixture.ts';

type Json = Record<string, unknown>;

const CANONICAL = new TextDecoder().decode(writeGenesis(GENESIS));

/** The canonical document with one value replaced, added or (undefined) taken out. */
function withValue(path: readonly (string | number)[], value: unknown): Uint8Array {
  const document = JSON.parse(CANONICAL) as Json;
  let at: Json = document;
  for (const key of path.slice(0, -1)) at = at[key] as Json;
  at[String(path.at(-1))] = value;
  return utf8(`${JSON.stringify(document, null, 2)}\n`);
}

function faultsOf(bytes: Uint8Array): string[] {
  const parsed = parseGenesis(bytes);
  return parsed.ok ? [] : parsed.error.map(({ code, path }) => `${code} ${path}`);
}

describe('a genesis document', () => {
  it('is read back as it was written, and its hash is the chain id', () => {
    const bytes = writeGenesis(GENESIS);
    const parsed = parseGenesis(bytes);
    const chainId = createHash('sha256').update(bytes).digest('hex');
    expect(parsed).toEqual({ ok: true, value: { ...GENESIS, chainId } });
  });

  it('has its keys in one order, two spaces of indentation and one newline at the end', () => {
    expect(CANONICAL.endsWith('}\n')).toBe(true);
    expect([...CANONICAL.matchAll(/^ {2}"(\w+)"/gm)].map((match) => match[1])).toEqual([
      'network_id',
      'created',
      'iri_base',
      'parameters',
      'authorities',
      'organisations',
    ]);
  });

  it('keeps a title as people write it', () => {
    const titled = { ...GENESIS.organisations[0], title: 'Fußball-„Verband“ \\ "Nord"' };
    const document = { ...GENESIS, organisations: [titled, ...GENESIS.organisations.slice(1)] } as GenesisDocument;
    const parsed = parseGenesis(writeGenesis(document));
    expect(parsed.ok && parsed.value.organisations[0]?.title).toBe('Fußball-„Verband“ \\ "Nord"');
  });
});

describe('a fault of a genesis document', () => {
  const smallOrder = '01'.padEnd(64, '0');
  const unreduced = `f0${'ff'.repeat(30)}7f`;
  const many = Array.from({ length: 32 }, (_, index) => ({
    id: `a${index}`,
    public_key: testKey(0),
    organisation: 'city',
  }));
  const cases: readonly (readonly [path: readonly (string | number)[], value: unknown, ...faults: string[]])[] = [
    [['network_id'], undefined, 'MISSING_KEY $.network_id'],
    [['network_id'], 'with space', 'BAD_VALUE $.network_id'],
    [['network_id'], 7, 'WRONG_TYPE $.network_id'],
    [['surprise'], 1, 'UNKNOWN_KEY $.surprise'],
    [['parameters', 'extra'], 1, 'UNKNOWN_KEY $.parameters.extra'],
    [['created'], '2026-06-12T00:00:00Z', 'BAD_VALUE $.created'],
    [['created'], '2026-02-30T00:00:00.000Z', 'BAD_VALUE $.created'],
    [['created'], '2026-06-12T24:00:00.000Z', 'BAD_VALUE $.created'],
    [['created'], '2026-06-12T02:00:00.000+02:00', 'BAD_VALUE $.created'],
    [['created'], '1969-12-31T23:59:59.999Z', 'BAD_VALUE $.created'],
    [['iri_base'], 'https://ledger.example.org', 'BAD_VALUE $.iri_base'],
    [['iri_base'], 'ftp://ledger.example.org/', 'BAD_VALUE $.iri_base'],
    [['iri_base'], 'https://ledger.example.org/a b/', 'BAD_VALUE $.iri_base'],
    [['iri_base'], 'https://ledger.example.org/?a/', 'BAD_VALUE $.iri_base'],
    [['parameters'], [], 'WRONG_TYPE $.parameters'],
    [['parameters', 'window_max'], undefined, 'MISSING_KEY $.parameters.window_max'],
    [['parameters', 'window_max'], 9, 'OUT_OF_BOUNDS $.parameters.window_max'],
    [['parameters', 'window_max'], 0, 'OUT_OF_BOUNDS $.parameters.window_max'],
    [['parameters', 'window_max'], 1.5, 'WRONG_TYPE $.parameters.window_max'],
    [['parameters', 'window_max'], '4', 'WRONG_TYPE $.parameters.window_max'],
    [['parameters', 'block_transactions_max'], 501, 'OUT_OF_BOUNDS $.parameters.block_transactions_max'],
    [['parameters', 'block_bytes_max'], 262_151, 'OUT_OF_BOUNDS $.parameters.block_bytes_max'],
    [['parameters', 'checkpoint_interval'], 0, 'OUT_OF_BOUNDS $.parameters.checkpoint_interval'],
    [['parameters', 'rotation_interval'], -1, 'OUT_OF_BOUNDS $.parameters.rotation_interval'],
    [['parameters', 'block_interval_ms'], 99, 'OUT_OF_BOUNDS $.parameters.block_interval_ms'],
    [['parameters', 'transaction_life_ms_max'], 3_600_001, 'OUT_OF_BOUNDS $.parameters.transaction_life_ms_max'],
    [['authorities'], {}, 'WRONG_TYPE $.authorities'],
    [['authorities'], [], 'OUT_OF_BOUNDS $.authorities'],
    [['authorities'], many, 'OUT_OF_BOUNDS $.authorities'],
    [['authorities', 1], 'me', 'WRONG_TYPE $.authorities[1]'],
    [['authorities', 1], null, 'WRONG_TYPE $.authorities[1]'],
    [['authorities', 1, 'id'], 'authority-0', 'DUPLICATE $.authorities[1].id'],
    [['authorities', 1, 'public_key'], testKey(0), 'DUPLICATE $.authorities[1].public_key'],
    [['authorities', 1, 'public_key'], testKey(0).toUpperCase(), 'BAD_VALUE $.authorities[1].public_key'],
    [['authorities', 1, 'public_key'], smallOrder, 'UNUSABLE_KEY $.authorities[1].public_key'],
    [['authorities', 1, 'public_key'], unreduced, 'UNUSABLE_KEY $.authorities[1].public_key'],
    [['authorities', 2, 'organisation'], 'nobody', 'UNKNOWN_ORGANISATION $.authorities[2].organisation'],
    [['organisations'], [], 'OUT_OF_BOUNDS $.organisations'],
    [['organisations', 4, 'id'], 'city', 'DUPLICATE $.organisations[4].id'],
    [['organisations', 4, 'title'], '', 'BAD_VALUE $.organisations[4].title'],
    [['organisations', 4, 'title'], 'a\u202eb', 'BAD_VALUE $.organisations[4].title'],
    [['organisations', 4, 'title'], 'é'.repeat(129), 'BAD_VALUE $.organisations[4].title'],
    [['organisations', 4, 'roles'], ['king'], 'BAD_VALUE $.organisations[4].roles[0]'],
    [['organisations', 4, 'roles'], ['gate', 'gate'], 'DUPLICATE $.organisations[4].roles[1]'],
    [['organisations', 4, 'keys'], [testKey(4)], 'DUPLICATE $.organisations[4].keys[0]'],
    [['organisations', 4, 'keys'], [testKey(0)], 'DUPLICATE $.organisations[4].keys[0]'],
    [['organisations', 4, 'keys', 0], smallOrder, 'UNUSABLE_KEY $.organisations[4].keys[0]'],
    [['organisations', 4, 'keys'], [null], 'WRONG_TYPE $.organisations[4].keys[0]'],
    [['organisations', 4, 'namespace'], undefined, 'MISSING_KEY $.organisations[4].namespace'],
    [['organisations', 4, 'namespace'], 7, 'WRONG_TYPE $.organisations[4].namespace'],
    [['organisations', 4, 'namespace'], 'https://market.example', 'BAD_VALUE $.organisations[4].namespace'],
    [['organisations', 4, 'namespace'], GENESIS.iriBase, 'DUPLICATE $.organisations[4].namespace'],
    [['organisations', 4, 'namespace'], `${GENESIS.iriBase}market/`, 'DUPLICATE $.organisations[4].namespace'],
  ];

  const rows = cases.map(([path, value, ...faults]) => ({ path, value, faults, at: path.join('.') }));
  it.each(rows)('at $at: $faults', ({ path, value, faults }) => {
    expect(faultsOf(withValue(path, value))).toEqual(faults);
  });

  it.each([
    ['https://a.example/', 'https://a.example/', ['DUPLICATE $.organisations[2].namespace']],
    ['https://a.example/', 'https://a.example/b/', ['DUPLICATE $.organisations[2].namespace']],
    ['https://a.example/b/', 'https://a.example/', ['DUPLICATE $.organisations[2].namespace']],
    ['https://a.example/b/', 'https://a.example/c/', []],
    ['https://a.example/', null, []],
  ])('is two namespaces of which one holds the other: %s and %s', (first, second, faults) => {
    const organisations = GENESIS.organisations.map((organisation, index) => ({
      ...organisation,
      namespace: index === 1 ? first : index === 2 ? second : null,
    }));
    expect(faultsOf(writeGenesis({ ...GENESIS, organisations }))).toEqual(faults);
  });

  it('is that nobody can create an event', () => {
    const organisations = GENESIS.organisations.map((organisation) => ({
      ...organisation,
      ...(organisation.roles.includes('organiser') ? { keys: [] } : {}),
    }));
    expect(faultsOf(writeGenesis({ ...GENESIS, organisations }))).toEqual(['NO_ORGANISER $.organisations']);
  });

  it.each([
    ['no newline at the end', CANONICAL.trimEnd()],
    ['two newlines at the end', `${CANONICAL}\n`],
    ['other indentation', `${JSON.stringify(JSON.parse(CANONICAL), null, 4)}\n`],
    ['another order of keys', CANONICAL.replace(/^( {2}"network_id".*\n)( {2}"created".*\n)/m, '$2$1')],
    ['a key given twice', CANONICAL.replace(/^( {2}"network_id".*\n)/m, '$1$1')],
    ['an escape where none is needed', CANONICAL.replace('harbour-cup', 'h\\u0061rbour-cup')],
    ['a number with an exponent', CANONICAL.replace('"window_max": 4', '"window_max": 0.4e1')],
    ['a carriage return', CANONICAL.replace('\n', '\r\n')],
  ])('is %s', (_, text) => {
    expect(text).not.toBe(CANONICAL);
    expect(faultsOf(utf8(text))).toEqual(['NOT_CANONICAL $']);
  });

  it('names the line from which on the bytes are not canonical', () => {
    const parsed = parseGenesis(utf8(CANONICAL.replace('  "created"', '   "created"')));
    expect(!parsed.ok && parsed.error[0]?.message).toContain('line 3');
  });

  it.each([
    ['nothing', new Uint8Array(), 'NOT_JSON $'],
    ['not JSON', utf8(CANONICAL.replace('}', '')), 'NOT_JSON $'],
    ['a byte order mark', utf8(`\ufeff${CANONICAL}`), 'NOT_JSON $'],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'NOT_JSON $'],
    ['too long', new Uint8Array(8 * 1_048_576 + 1), 'TOO_LARGE $'],
    ['not an object', utf8('[]\n'), 'WRONG_TYPE $'],
    ['null', utf8('null\n'), 'WRONG_TYPE $'],
  ])('is that it is %s', (_, bytes, fault) => {
    expect(faultsOf(bytes)).toEqual([fault]);
  });

  it('is told with the others', () => {
    const document = JSON.parse(CANONICAL) as Json;
    document['network_id'] = '';
    document['authorities'] = [{ id: 'a', organisation: 7 }];
    delete document['created'];
    expect(faultsOf(utf8(JSON.stringify(document)))).toEqual([
      'BAD_VALUE $.network_id',
      'MISSING_KEY $.created',
      'MISSING_KEY $.authorities[0].public_key',
      'WRONG_TYPE $.authorities[0].organisation',
    ]);
  });

  it('is told at most a hundred times', () => {
    const keys = Array.from({ length: 500 }, () => 'none');
    expect(faultsOf(withValue(['organisations', 0, 'keys'], keys))).toHaveLength(GENESIS_FAULTS_MAX);
  });

  it('has one of the codes, and each code is in use', () => {
    const byForm = rows.flatMap(({ faults }) => faults.map((fault) => fault.split(' ')[0]));
    const used = new Set([...byForm, 'TOO_LARGE', 'NOT_JSON', 'NO_ORGANISER', 'NOT_CANONICAL']);
    expect([...used].sort()).toEqual([...GENESIS_FAULTS].sort());
  });

  it('is told in a sentence', () => {
    for (const { path, value } of rows) {
      const parsed = parseGenesis(withValue(path, value));
      for (const { message } of parsed.ok ? [] : parsed.error) expect(message).toMatch(/^[A-Z].*\.$/);
    }
  });
});
