import { describe, expect, it } from 'vitest';
import { stateKey, treeKey } from '../../../src/ledger/records.ts';
import { leafHash } from '../../../src/ledger/state-pages.ts';
import { TICKET } from '../../../src/ledger/ticket-record.ts';
import { defined } from '../../../src/lib/assert.ts';
import { toHex, utf8 } from '../../../src/lib/bytes.ts';
import { blockHash, type Header, headerLayout } from '../../../src/model/block.ts';
import { encode } from '../../../src/model/codec.ts';
import { PROOF_BYTES_MAX } from '../../../src/model/graph-limits.ts';
import { sha256 } from '../../../src/model/hash.ts';
import { Hash, hashOfBytes, TicketId, View } from '../../../src/model/ids.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { type Bundle, readBundle, writeBundle } from '../../../src/verifier/bundle.ts';
import { standingAt, type Verdict } from '../../../src/verifier/verdict.ts';
import { verifyBundle } from '../../../src/verifier/verify.ts';
import {
  bundleOf,
  bytesOfBundle,
  chainOf,
  FATES,
  FOUNDING,
  manyTickets,
  type ProofChain,
  type Wanted,
} from '../../support/proof-chain.ts';

const chain = await chainOf(FATES);

function proven(ticket: string, wanted: Wanted = {}, of: ProofChain = chain): Verdict {
  const verified = verifyBundle(bytesOfBundle(of, ticket, wanted), of.genesisBytes);
  if (!verified.ok) throw new Error(JSON.stringify(verified.error));
  return verified.value;
}

function faultOf(bundle: Bundle): string | undefined {
  const verified = verifyBundle(writeBundle(bundle), chain.genesisBytes);
  return verified.ok ? undefined : verified.error.code;
}

describe('a proof', () => {
  it('shows what a ticket is, as of which block, and who has signed', () => {
    const head = defined(chain.headers.at(-1), 'a chain has a head');
    expect(proven('A-1')).toMatchObject({
      chainId: chain.genesis.chainId,
      networkId: 'counterfoil-devnet',
      ticket: 'A-1',
      height: 6,
      at: head.timestamp,
      blockHash: blockHash(head),
      record: {
        ticket: 'A-1',
        seat: 'row-0',
        state: 'CONSUMED',
        standing: 'GOOD',
        firstScan: { gate: 'north', height: 4 },
      },
      history: null,
      signers: ['federation', 'venue', 'boxoffice'],
      authorities: 4,
    });
  });

  it('shows all that became of a ticket', () => {
    const versions = (ticket: string) =>
      defined(proven(ticket, { history: true }).history, 'it was asked for').map(
        ({ version, state, height, type, organisation }) => [version, state, height, type, organisation],
      );
    expect(versions('A-1')).toEqual([
      [1, 'ISSUED', 2, 'issue', 'boxoffice'],
      [2, 'VALIDATED', 3, 'validate', 'boxoffice'],
      [3, 'CONSUMED', 4, 'consume', 'venue'],
    ]);
    expect(versions('A-4').slice(1)).toEqual([
      [2, 'VALIDATED', 5, 'admit', 'venue'],
      [3, 'CONSUMED', 5, 'admit', 'venue'],
    ]);
    expect(versions('A-3').at(-1)).toEqual([3, 'DISPUTED', 6, 'dispute', 'boxoffice']);
  });

  it('shows the graphs of its transactions, and what was stated', () => {
    const history = defined(proven('A-3', { history: true, graphs: true }).history, 'it was asked for');
    expect(history.map(({ stated }) => stated !== null)).toEqual([false, true, false]);
    expect(history[1]?.stated).toContain('"Seat of honour, \\"Südkurve\\""');
    for (const { graph, transaction } of history) expect(graph).toContain(`<http://localhost/id/tx/${transaction}>`);
  });

  it('shows that there is no such ticket', () => {
    const { record, height } = proven('nobody');
    expect([record, height]).toEqual([null, 6]);
    for (const ticket of ['A-10', 'a-1', 'A', 'T-1', 'zz']) expect(proven(ticket).record).toBeNull();
  });

  it('is one of an empty chain too, once it has a block', async () => {
    expect(proven('A-1', {}, await chainOf([[[]]])).record).toBeNull();
  });

  it.each([1, 2, 3, 7, 31])('holds with %i authorities', async (authorities) => {
    const other = await chainOf([[FOUNDING]], authorities);
    expect(proven('A-1', {}, other)).toMatchObject({ record: null, authorities });
  });

  it('has exactly a quorum of signatures, whoever signed and however many', async () => {
    const signers = async (seats: readonly number[]) =>
      proven('A-1', {}, await chainOf([[FOUNDING]], 4, seats)).signers;
    expect(await signers([0, 1, 2, 3])).toEqual(['federation', 'venue', 'boxoffice']);
    expect(await signers([1, 2, 3])).toEqual(['venue', 'boxoffice', 'city']);
  });

  it('of a state takes less than 3 KB with four authorities', async () => {
    for (const ticket of ['A-1', 'A-2', 'A-3', 'A-4', 'B-1', 'nobody']) {
      expect(bytesOfBundle(chain, ticket).length).toBeLessThan(2_500);
    }
    // Each time that there are twice as many tickets, 64 bytes more.
    const many = await chainOf(manyTickets(2_500));
    expect(bytesOfBundle(many, 'A-1').length).toBeLessThan(3_000 - 7 * 64);
  });

  it('means the same to a faster check of signatures', () => {
    const bytes = bytesOfBundle(chain, 'A-1', { history: true });
    expect(verifyBundle(bytes, chain.genesisBytes, createSignatureCheck())).toEqual(
      verifyBundle(bytes, chain.genesisBytes),
    );
  });

  it('rests on every signature in it', () => {
    const bytes = bytesOfBundle(chain, 'A-1', { history: true });
    let asked = 0;
    const count = (): boolean => {
      asked += 1;
      return true;
    };
    expect(verifyBundle(bytes, chain.genesisBytes, count).ok).toBe(true);
    // Four blocks of three votes, three transactions.
    expect(asked).toBe(4 * 3 + 3);
    for (let refused = 1; refused <= asked; refused += 1) {
      let left = refused;
      const check = (): boolean => {
        left -= 1;
        return left > 0 || left < 0;
      };
      expect(verifyBundle(bytes, chain.genesisBytes, check)).toMatchObject({ error: { code: 'BAD_SIGNATURE' } });
    }
  });
});

describe('what a proof says of an earlier height', () => {
  it('is what the ticket was, with its history', () => {
    const verdict = proven('A-1', { history: true });
    const states = [0, 1, 2, 3, 4, 5, 6].map((height) => standingAt(verdict, height));
    expect(states.map((one) => one?.state)).toEqual([
      'ABSENT',
      'ABSENT',
      'ISSUED',
      'VALIDATED',
      'CONSUMED',
      'CONSUMED',
      'CONSUMED',
    ]);
    expect(states.map((one) => one?.admitted)).toEqual([false, false, false, false, true, true, true]);
    expect(standingAt(verdict, 7)).toBeUndefined();
  });

  it('is whether it was admitted, also without', () => {
    const admitted = proven('A-1');
    expect(standingAt(admitted, 3)).toEqual({ state: null, admitted: false });
    expect(standingAt(admitted, 4)).toEqual({ state: 'CONSUMED', admitted: true });
    expect(standingAt(proven('A-2'), 6)).toEqual({ state: 'ISSUED', admitted: false });
    expect(standingAt(proven('A-2'), 1)).toEqual({ state: null, admitted: false });
    expect(standingAt(proven('nobody'), 3)).toEqual({ state: 'ABSENT', admitted: false });
  });
});

describe('what a quorum would have to forge', () => {
  /** The proof with another header, signed by the right authorities. */
  function signed(bundle: Bundle, change: Partial<Header>): Bundle {
    const header = { ...defined(chain.headers.at(-1), 'a chain has a head'), ...change };
    const { epoch, height } = header;
    const ballot = { phase: 'COMMIT', epoch, view: View(0), height, digest: blockHash(header) } as const;
    const signatures = [0, 1, 2].map((seat) => chain.sign(seat, ballot)).join('');
    return { ...bundle, block: { ...bundle.block, header: toHex(encode(headerLayout, header)), signatures } };
  }

  /** The proof of a state that holds nothing but these bytes under the id of a ticket. */
  function alone(ticket: string, record: Uint8Array): Bundle {
    const root = leafHash(treeKey(stateKey(TICKET, ticket)), sha256(record));
    const bundle = { ...bundleOf(chain, 'A-1'), ticket, siblings: '', record: toHex(record) };
    return signed(bundle, { stateRoot: hashOfBytes(root) });
  }

  it('is refused where it makes no sense', () => {
    const bundle = bundleOf(chain, 'A-1');
    const record = defined(proven('A-1').record, 'it exists');
    expect(faultOf(signed(bundle, {}))).toBeUndefined();
    expect(faultOf(alone('A-1', encode(TICKET.layout, record)))).toBeUndefined();
    expect(faultOf(alone('A-1', utf8('no record')))).toBe('BAD_RECORD');
    expect(faultOf(alone('A-1', encode(TICKET.layout, { ...record, ticket: TicketId('A-2') })))).toBe('BAD_RECORD');
    expect(faultOf(signed(bundle, { authoritiesHash: Hash('ab'.repeat(32)) }))).toBe('WRONG_AUTHORITIES');
    expect(faultOf(signed(bundle, { chainId: Hash('ab'.repeat(32)) }))).toBe('WRONG_CHAIN');
  });
});

describe('bytes that are no proof', () => {
  const read = (bytes: Uint8Array) => {
    const taken = readBundle(bytes);
    return taken.ok ? undefined : taken.error;
  };
  const text = Buffer.from(bytesOfBundle(chain, 'B-1', { history: true, graphs: true })).toString();

  it('are refused without being read when they are too many', () => {
    expect(read(new Uint8Array(PROOF_BYTES_MAX + 1))).toMatchObject({ code: 'TOO_LARGE' });
  });

  it.each([
    ['', 'NOT_JSON', '$'],
    ['\ufeff{}\n', 'NOT_JSON', '$'],
    ['null\n', 'WRONG_FORM', '$'],
    ['[]\n', 'WRONG_FORM', '$'],
    ['{}\n', 'UNKNOWN_FORMAT', '$.format'],
    ['{"format":"counterfoil-proof/1","__proto__":{}}\n', 'WRONG_FORM', '$.ticket'],
    [text.replace('"ticket":"B-1"', '"ticket":"B 1"'), 'WRONG_FORM', '$.ticket'],
    [text.replace('"view":0', '"view":-1'), 'WRONG_FORM', '$.block.view'],
    [text.replace('"view":0', '"view":0.5'), 'WRONG_FORM', '$.block.view'],
    [text.replace('"view":0', '"view":9007199254740993'), 'WRONG_FORM', '$.block.view'],
    [text.replace('"seats":[0', '"seats":[31'), 'WRONG_FORM', '$.block.seats[0]'],
    [text.replace('"history":[', '"history":[],"h":['), 'WRONG_FORM', '$.history'],
    [text.replace('"graph":"', '"graph":"\\ud800'), 'WRONG_FORM', '$.history[0].graphs.graph'],
    [text.replace(/"stated":".*?\\n"/, '"stated":""'), 'WRONG_FORM', '$.history[0].graphs.stated'],
    [text.replace('Südkurve', 'Su\u0308dkurve'), undefined, undefined],
  ])('%.40s: %s at %s', (given, code, path) => {
    const fault = read(Buffer.from(given));
    expect([fault?.code, fault?.path]).toEqual([code, path]);
  });

  it('are refused when they are not UTF-8', () => {
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf('S\u00fcd') + 1] = 0xff;
    expect(read(bytes)).toMatchObject({ code: 'NOT_JSON' });
  });
});
