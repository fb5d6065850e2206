import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import { post, startDevnet } from './support/devnet.ts';
import { counterfoil, endPrograms } from './support/program.ts';

const VECTORS = new URL('../vectors/proofs.json', import.meta.url);

interface Vectors {
  readonly genesis: string;
  readonly valid: readonly { readonly name: string; readonly proof: string }[];
  readonly invalid: readonly { readonly name: string; readonly proof: string; readonly code: string }[];
}

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
});
afterEach(endPrograms);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text?: string): string {
  const path = join(directory, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

describe('a proof that somebody kept', () => {
  const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as Vectors;
  const verify = (proof: string, ...more: string[]) =>
    counterfoil([
      'proof',
      'verify',
      file('proof.json', proof),
      '--genesis',
      file('genesis.json', vectors.genesis),
      ...more,
    ]);

  it('tells what it proves, in words and as JSON', async () => {
    const history = defined(
      vectors.valid.find(({ name }) => name === 'history'),
      'there is one',
    ).proof;
    const said = await verify(history, '--as-of', '3');
    expect(said.code).toBe(0);
    expect(said.stdout).toContain(
      'Ticket A-1 of event harbour-cup-2026, tier stand, seat row-0: CONSUMED, in good standing.',
    );
    expect(said.stdout).toContain('in block 4.\nVersion 1: ISSUED, GOOD, by issue of boxoffice in block 2');
    expect(said.stdout).toContain('As of block 3 ticket A-1 was VALIDATED.\n');
    const told = await verify(history, '--as-of', '1', '--json');
    expect(JSON.parse(told.stdout)).toMatchObject({
      ticket_id: 'A-1',
      height: 6,
      signers: ['federation', 'venue', 'boxoffice'],
      authorities: 4,
      ticket: { state: 'CONSUMED', first_scan: { gate: 'north', height: 4 } },
      versions: [{ version: 1 }, { version: 2 }, { version: 3, type: 'consume', agent: 'venue' }],
      as_of: { height: 1, state: 'ABSENT', admitted: false },
    });
    const later = await verify(history, '--as-of', '7');
    expect([later.code, later.output]).toEqual([2, expect.stringContaining('up to 6')]);
  });

  it('ends with 8 when it proves nothing, and says why', async () => {
    const { proof, code } = defined(
      vectors.invalid.find(({ name }) => name === 'votes of another view'),
      'there is one',
    );
    const ended = await verify(proof, '--json');
    expect(ended.code).toBe(8);
    expect(JSON.parse(ended.output)).toMatchObject({ error: { code } });
    const missing = await counterfoil(['proof', 'verify', file('none.json'), '--genesis', file('genesis.json')]);
    expect(missing.code).toBe(4);
  });
});

describe('a proof of a devnet', () => {
  it('is fetched from any node and verified without one', async () => {
    const net = await startDevnet(directory, ['--tickets', '2', '--home', file('net')]);
    const ticket = defined(net.sample_tickets[0], 'a devnet has tickets');
    await post(`${net.url}/api/v1/tickets/admit`, { ticket_id: ticket });
    const genesis = join(defined(net.nodes[0], 'a devnet has nodes').home, 'genesis.json');
    const fetched = async (id: string, ...more: string[]) => {
      const args = ['proof', 'fetch', id, '--node', net.url, '--out', file('fetched.json'), ...more];
      expect(await counterfoil(args)).toMatchObject({ code: 0, stdout: expect.stringContaining('Wrote') });
      return await counterfoil(['proof', 'verify', file('fetched.json'), '--genesis', genesis]);
    };
    const state = await fetched(ticket);
    expect([state.code, state.stdout]).toEqual([0, expect.stringContaining('CONSUMED, in good standing')]);
    expect(readFileSync(file('fetched.json')).length).toBeLessThan(3_000);
    const graphs = await fetched(ticket, '--graphs');
    expect([graphs.code, graphs.stdout]).toEqual([0, expect.stringContaining('These are all its versions.')]);
    expect(readFileSync(file('fetched.json'), 'utf8')).toContain('https://w3id.org/counterfoil#');
    const absent = await fetched('nobody', '--history');
    expect([absent.code, absent.stdout]).toEqual([0, expect.stringContaining('There is no ticket nobody')]);
    const printed = await counterfoil(['proof', 'fetch', ticket, '--node', net.url]);
    expect(JSON.parse(printed.stdout)).toMatchObject({ format: 'counterfoil-proof/1', ticket });
    const misnamed = await counterfoil(['proof', 'fetch', 'no name', '--node', net.url]);
    expect(misnamed.code).toBe(2);
    net.program.child.kill('SIGTERM');
    await net.program.ended;
  });
});
