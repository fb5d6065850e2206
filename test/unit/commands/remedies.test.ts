import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Invocation } from '../../../src/commands/command-line.ts';
import { genesisCommand } from '../../../src/commands/genesis.ts';
import { buildProgram } from '../../../src/commands/program.ts';
import { openTerminal } from '../../../src/commands/terminal.ts';
import { showTicket } from '../../../src/commands/ticket-action.ts';
import {
  openTicketCase,
  remarkTicket,
  resolveTicket,
  revokeTicket,
  transferTicket,
} from '../../../src/commands/ticket-remedies-action.ts';
import { parseGenesis } from '../../../src/ledger/genesis-document.ts';
import { OrganisationId, TicketId } from '../../../src/model/ids.ts';
import { openWorld, TOKEN, type World } from '../api/world.ts';
import { testKey } from '../ledger/fixture.ts';

const HOLDER = '34'.repeat(32);

let world: World;
let directory: string;
let said: string;

beforeAll(async () => {
  world = await openWorld();
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
  writeFileSync(join(directory, 'operator.token'), TOKEN, { mode: 0o600 });
});
afterEach(() => {
  world.node.organisation = OrganisationId('boxoffice');
});
afterAll(async () => {
  await world.api.close();
  rmSync(directory, { recursive: true, force: true });
});

function invocation(): Invocation {
  said = '';
  const stdout = {
    write: (text: string) => {
      said += text;
      return true;
    },
  };
  const flags = { json: false, color: false, quiet: true, verbose: false };
  const terminal = openTerminal({ stdout, stderr: { write: () => true }, environment: {}, ...flags });
  const unset = { home: undefined, config: undefined, logLevel: undefined, logFormat: undefined };
  return { terminal, environment: {}, ...unset, verbose: false, quiet: true };
}

function options() {
  return { wait: '5s', node: world.url, tokenFile: join(directory, 'operator.token') };
}

async function ticket(id: string) {
  return (await world.ask(`/api/v1/tickets/${id}`)).json();
}

describe('the commands of a ticket that has to be put right', () => {
  it('pass it on', async () => {
    world.node.issue('c-1');
    await transferTicket(invocation(), 'c-1', { ...options(), holder: HOLDER, price: '4900', channel: 'resale' });
    expect(said).toMatch(/^c-1 has another holder, final at height \d+ \(transaction [0-9a-f]{64}\)\n$/);
    expect(await ticket('c-1')).toMatchObject({ holder: HOLDER, epoch: 1 });
  });

  it('hold it back, release it and revoke it', async () => {
    world.node.issue('c-2');
    await remarkTicket(invocation(), 'hold', 'c-2', { ...options(), note: 'unpaid' });
    expect(said).toContain('c-2 HELD');
    expect(await ticket('c-2')).toMatchObject({ standing: 'HELD' });
    await remarkTicket(invocation(), 'release', 'c-2', options());
    expect(await ticket('c-2')).toMatchObject({ standing: 'GOOD' });
    await revokeTicket(invocation(), 'c-2', { ...options(), reason: 'refund' });
    expect(said).toContain('c-2 REVOKED');
    await showTicket(invocation(), 'c-2', options());
    expect(said.split('\n')[0]).toMatch(/ISSUED .* REVOKED$/);
    expect(said).toContain('v4');
  });

  it('open a case and decide it with a replacement for the event and tier of the ticket', async () => {
    world.node.issue('c-3');
    await world.post('/api/v1/tickets/admit', { ticket_id: 'c-3' });
    await openTicketCase(invocation(), 'c-3', { ...options(), reason: 'STOLEN', evidence: HOLDER, note: 'Cafe\u0301' });
    expect(await ticket('c-3')).toMatchObject({ case: { reason: 'STOLEN', evidence: HOLDER, note: 'Caf\u00e9' } });
    world.node.organisation = OrganisationId('city');
    const decision = { outcome: 'REISSUED', replacement: 'c-3b', seat: 'A-1', gate: 'south', data: 'order 17' };
    await resolveTicket(invocation(), 'c-3', { ...options(), ...decision });
    expect(said).toContain('c-3 case REISSUED as c-3b');
    const data = Buffer.from('order 17').toString('base64');
    expect(await ticket('c-3b')).toMatchObject({ replaces: 'c-3', event_id: 'cup', seat: 'A-1', gate: 'south', data });
  });

  it('have the node record what is said of it', async () => {
    world.node.issue('c-5');
    const statements = join(directory, 'said.ttl');
    writeFileSync(statements, '@prefix s: <http://schema.org/> .\n<http://localhost/id/ticket/c-5> s:name "x" .\n');
    await remarkTicket(invocation(), 'hold', 'c-5', { ...options(), statements });
    const { body } = world.node.head;
    expect(body[0]?.body.statements).toBe('<http://localhost/id/ticket/c-5> <http://schema.org/name> "x" .\n');
  });

  it('say why nothing came of it', async () => {
    const wrong = resolveTicket(invocation(), 'nobody', { ...options(), outcome: 'UPHELD' });
    await expect(wrong).rejects.toMatchObject({ code: 'UNKNOWN_TICKET' });
    const reissue = { ...options(), outcome: 'REISSUED', replacement: 'n' };
    await expect(resolveTicket(invocation(), 'nobody', reissue)).rejects.toMatchObject({ code: 'UNKNOWN_TICKET' });
  });

  it('tell a long history whole', async () => {
    world.node.issue('c-4');
    const remark = { ticket: TicketId('c-4'), note: '' };
    for (let round = 0; round < 260; round += 1) {
      world.node.addBlock([world.node.transaction({ kind: 'hold', ...remark })]);
      world.node.addBlock([world.node.transaction({ kind: 'release', ...remark })]);
    }
    await showTicket(invocation(), 'c-4', options());
    expect(said.trimEnd().split('\n')).toHaveLength(1 + 521);
  });

  const bad: readonly (readonly [string, () => Promise<void>])[] = [
    [
      'a resale without a price',
      () => transferTicket(invocation(), 't', { ...options(), holder: HOLDER, channel: 'RESALE' }),
    ],
    ['a holder by name', () => transferTicket(invocation(), 't', { ...options(), holder: 'Ada', channel: 'DIRECT' })],
    [
      'a channel nobody knows',
      () => transferTicket(invocation(), 't', { ...options(), holder: HOLDER, channel: 'GIFT' }),
    ],
    [
      'half a cent',
      () => transferTicket(invocation(), 't', { ...options(), holder: HOLDER, price: '0.5', channel: 'DIRECT' }),
    ],
    ['an id with a blank', () => remarkTicket(invocation(), 'hold', 'a b', options())],
    ['a reason that is none to revoke', () => revokeTicket(invocation(), 't', { ...options(), reason: 'STOLEN' })],
    ['a reason that opens no case', () => openTicketCase(invocation(), 't', { ...options(), reason: 'REFUND' })],
    [
      'evidence that is no transaction',
      () => openTicketCase(invocation(), 't', { ...options(), reason: 'FRAUD', evidence: 'x' }),
    ],
    ['an outcome nobody knows', () => resolveTicket(invocation(), 't', { ...options(), outcome: 'MAYBE' })],
    ['a reissue of nothing', () => resolveTicket(invocation(), 't', { ...options(), outcome: 'REISSUED' })],
    [
      'a replacement of a ticket that is not reissued',
      () => resolveTicket(invocation(), 't', { ...options(), outcome: 'UPHELD', replacement: 'n' }),
    ],
  ];
  it.each(bad)('take no %s', async (_, run) => {
    const before = world.node.blocks.length;
    await expect(run()).rejects.toMatchObject({ name: 'CommandError', exit: 'USAGE' });
    expect(world.node.blocks).toHaveLength(before);
  });
});

describe('the namespaces of a new network', () => {
  const network = [
    ...['genesis', 'new', '--network-id', 'cup', '--authority', `venue=${testKey(0)}`],
    ...['--operator', `venue=${testKey(4)}`],
  ];
  const make = (...more: readonly string[]) =>
    buildProgram('0.0.0', [genesisCommand()]).parseAsync([...network, ...more, '-q'], { from: 'user' });

  it('are written into its genesis', async () => {
    const file = join(directory, 'genesis.json');
    await make('--namespace', 'venue=https://venue.example/', '--out', file);
    const parsed = parseGenesis(new Uint8Array(readFileSync(file)));
    expect(parsed.ok && parsed.value.organisations.map(({ id, namespace }) => [id, namespace])).toEqual([
      ['venue', 'https://venue.example/'],
    ]);
  });

  it.each([
    ['of nobody', 'city=https://city.example/'],
    ['that is none', 'venue=venue'],
    ['of the chain itself', 'venue=http://localhost/id/venue/'],
    ['of no organisation', 'https://venue.example/'],
  ])('are refused when one is %s', async (_, namespace) => {
    await expect(make('--namespace', namespace)).rejects.toMatchObject({ name: 'CommandError', exit: 'USAGE' });
  });
});
