import { describe, expect, it } from 'vitest';
import { devnetGenesis, devnetRoles } from '../../../src/devnet/genesis.ts';
import { DEVNET_ORGANISATIONS, planDevnet } from '../../../src/devnet/plan.ts';
import { parseGenesis, writeGenesis } from '../../../src/ledger/genesis-document.ts';
import { createPrng } from '../../../src/lib/prng.ts';
import { Timestamp } from '../../../src/model/ids.ts';
import { ticketsNamed } from '../../../src/model/operation.ts';
import { RECORDED_CAST, RECORDED_GENESIS, RECORDED_MARKET } from '../../../src/sample/cast.ts';
import type { Intent } from '../../../src/sample/intent.ts';
import { planSample, roundsOf } from '../../../src/sample/plan.ts';
import { Recorder } from '../../../src/sample/record.ts';
import { sampleTicketId } from '../../../src/sample/tickets.ts';
import { GATES, KICK_OFF } from '../../../src/sample/timeline.ts';
import { sampleSigner } from '../../support/sample-keys.ts';

const startsAt = Timestamp(RECORDED_GENESIS + KICK_OFF);

function recorded(tickets: number): readonly Intent[] {
  return planSample({ tickets, grants: RECORDED_CAST, market: RECORDED_MARKET, startsAt });
}

const COUNT = 2_000;
const THOUSANDS = recorded(COUNT);
const FEW = recorded(200);

function share(isOne: (intent: Intent) => boolean): number {
  return THOUSANDS.filter(isOne).length / COUNT;
}

describe('the plan of the sample', () => {
  it('is the same every time, and a ticket has the same life at every size', () => {
    expect(recorded(200)).toEqual(FEW);
    const life = (intents: readonly Intent[], index: number) =>
      intents
        .filter(({ operation }) => ticketsNamed(operation).includes(sampleTicketId(index)))
        .filter(({ operation }) => operation.kind !== 'issue' && operation.kind !== 'validate')
        .map(({ operation, at, code }) => ({ operation, at, code }));
    for (let index = 0; index < 200; index += 17) expect(life(THOUSANDS, index)).toEqual(life(FEW, index));
  });

  it('is in the order of its time, with one use of each key but where it is used again on purpose', () => {
    for (const [index, { at }] of THOUSANDS.entries()) expect(at).toBeGreaterThanOrEqual(THOUSANDS[index - 1]?.at ?? 0);
    const once = THOUSANDS.filter(({ repeats, code }) => !repeats && code !== 'IDEMPOTENCY_KEY_REUSED');
    expect(new Set(once.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(once.length);
  });

  it('has about as much of everything as it should', () => {
    expect(share(({ operation }) => operation.kind === 'revoke')).toBeCloseTo(0.012, 2);
    expect(share(({ operation, code }) => operation.kind === 'transfer' && code === null)).toBeCloseTo(0.33, 1);
    expect(share(({ code }) => code === 'ALREADY_CONSUMED')).toBeCloseTo(0.01, 2);
    const entered = share(({ versions }) => versions.some(({ state }) => state === 'CONSUMED'));
    expect(entered).toBeGreaterThan(0.88);
    expect(entered).toBeLessThan(0.95);
  });

  it('has a gate without connection for a quarter of an hour, and a crowd there afterwards', () => {
    const scans = THOUSANDS.flatMap(({ operation, at }) =>
      'gate' in operation && operation.gate ? [{ ...operation, at }] : [],
    );
    const minutes = (gate: string, from: number, until: number): number =>
      scans.filter((scan) => {
        const minute = (scan.at - KICK_OFF) / 60_000;
        return scan.gate === `gate-${gate}` && minute >= from && minute < until;
      }).length;
    expect(minutes('c', -44.5, -30)).toBe(0);
    expect(minutes('c', -30, -27)).toBeGreaterThan(2 * minutes('b', -30, -27));
    for (const gate of GATES) expect(minutes(gate, -200, 60)).toBeGreaterThan(250);
  });

  it('has every ticket of the cast go its own way', () => {
    const codes = (index: number): readonly (string | null)[] =>
      THOUSANDS.filter(({ operation }) => 'ticket' in operation && operation.ticket === sampleTicketId(index)).map(
        ({ operation, code }) => code ?? operation.kind,
      );
    const scans = ['consume', 'admit'];
    expect(codes(0).filter((code) => !scans.includes(`${code}`))).toEqual(['ALREADY_CONSUMED', 'case.open', 'resolve']);
    expect(codes(1)).toEqual(['dispute', 'TICKET_DISPUTED', 'resolve']);
    expect(codes(2)).toEqual(['dispute', 'TICKET_DISPUTED', 'SELF_ARBITRATION']);
    expect(codes(3)).toEqual(['dispute', 'TICKET_DISPUTED']);
    expect(codes(4)).toEqual(['revoke', 'TICKET_REVOKED']);
    expect(codes(5).slice(0, 3)).toEqual(['transfer', 'PRICE_ABOVE_CAP', 'transfer']);
    expect(codes(6).at(-1)).toBe('ALREADY_CONSUMED');
    expect(codes(7)).toEqual([]);
    expect(scans).toContain(codes(8)[0]);
    expect(codes(9).length).toBe(2);
  });
});

describe('the sample on a network with a clock of its own', () => {
  it('does what it is to do in any order within its rounds', () => {
    const planned = planDevnet(4, 7_180);
    if (!planned.ok) throw new Error(planned.error);
    const genesis = parseGenesis(writeGenesis(devnetGenesis(planned.value, RECORDED_GENESIS)));
    if (!genesis.ok) throw new Error('the genesis of a devnet is in order');
    const grants = DEVNET_ORGANISATIONS.map((organisation) => ({ organisation, roles: devnetRoles(organisation) }));
    const rounds = roundsOf(planSample({ tickets: 120, grants, market: 'boxoffice', startsAt }));
    const random = createPrng(7);
    const shuffled = rounds.map((round) =>
      round
        .map((intent) => ({ intent, place: random.below(1_000_000) }))
        .sort((a, b) => a.place - b.place)
        .map(({ intent }) => intent),
    );
    const sent = shuffled.flatMap((round, index) => round.map((intent) => ({ ...intent, at: index * 60_000 })));
    const recorder = new Recorder(genesis.value, sampleSigner);
    for (const { recorded: done } of recorder.blocks(sent)) {
      for (const { intent, receipt } of done) {
        expect([receipt.code, receipt.replayOf !== null], intent.idempotencyKey).toEqual([intent.code, intent.repeats]);
        const versions = receipt.changes.map(({ ticket, version, state, standing }) => ({
          ticket,
          version,
          state,
          standing,
        }));
        expect(versions, intent.idempotencyKey).toEqual(intent.versions);
      }
    }
    expect(rounds.flat().length).toBe(sent.length);
  });
});
