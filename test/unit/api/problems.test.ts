import { describe, expect, it } from 'vitest';
import { isProblemCode, kindOf, PROBLEMS, type ProblemCode, refusalDetail } from '../../../src/api/problems.ts';
import { callerOf, createRateLimit } from '../../../src/api/rate-limit.ts';
import { GateId, Hash, Height, OrganisationId, Timestamp } from '../../../src/model/ids.ts';
import { REFUSALS, type Receipt } from '../../../src/model/receipt.ts';

const codes = Object.keys(PROBLEMS).filter(isProblemCode);

describe('the table of errors', () => {
  it('has a status that HTTP knows and a title that is a sentence for each code', () => {
    expect(codes).toHaveLength(Object.keys(PROBLEMS).length);
    for (const code of codes) {
      const { status, title } = kindOf(code);
      expect([code, status >= 400 && status <= 507]).toEqual([code, true]);
      expect(title).toMatch(/^[A-Z][^.]{10,70}[^.]$/);
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
    }
  });

  it('says when to try again exactly for what passes by itself', () => {
    for (const code of codes) {
      // That a node keeps no graph is its configuration.
      const passes = [502, 503].includes(kindOf(code).status);
      expect([code, kindOf(code).retryAfterSeconds !== undefined]).toEqual([code, passes]);
    }
  });

  it('holds the statuses that clients rely on', () => {
    const expected: readonly [ProblemCode, number][] = [
      ['UNKNOWN_TICKET', 404],
      ['ALREADY_CONSUMED', 409],
      ['ROLE_NOT_ALLOWED', 403],
      ['IDEMPOTENCY_KEY_REUSED', 422],
      ['NO_QUORUM', 503],
      ['NOT_FINAL_YET', 504],
      ['OVERLOADED', 503],
      ['RATE_LIMITED', 429],
      ['WRONG_HOST', 421],
      ['UNSUPPORTED_MEDIA_TYPE', 415],
      ['BODY_TOO_LARGE', 413],
      ['UNAUTHORIZED', 401],
    ];
    for (const [code, status] of expected) expect([code, kindOf(code).status]).toEqual([code, status]);
  });

  it('knows no names that every object has', () => {
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty'])
      expect(isProblemCode(name)).toBe(false);
  });
});

describe('the words of a refusal', () => {
  const receipt: Receipt = {
    transaction: Hash('1'.repeat(64)),
    accepted: false,
    code: 'ALREADY_CONSUMED',
    subject: 't-1',
    firstScan: null,
    replayOf: null,
    changes: [],
  };

  it('are there for every code, and name what it is about', () => {
    for (const code of REFUSALS) expect(refusalDetail(code, { ...receipt, code })).toMatch(/^t-1: /);
    expect(refusalDetail('SEAT_TAKEN', { ...receipt, subject: null })).toBe('The seat is taken; choose another seat');
  });

  it('say when, where and at which height the first admission was', () => {
    const firstScan = {
      at: Timestamp(1_781_287_200_000),
      height: Height(17),
      gate: GateId('north'),
      organisation: OrganisationId('venue'),
      transaction: Hash('2'.repeat(64)),
    };
    expect(refusalDetail('ALREADY_CONSUMED', { ...receipt, firstScan })).toBe(
      't-1: first admitted at 2026-06-12T18:00:00.000Z, gate north, by venue, at height 17 ' +
        `(transaction ${'2'.repeat(64)}); do not admit it again`,
    );
  });
});

describe('the rate of callers', () => {
  it('is a burst, then so many per second, for each', () => {
    const limit = createRateLimit(10, 3);
    expect([0, 0, 0, 0].map((at) => limit.take('a', at).allowed)).toEqual([true, true, true, false]);
    expect(limit.take('b', 0).allowed).toBe(true);
    expect(limit.take('a', 99).allowed).toBe(false);
    expect(limit.take('a', 100).allowed).toBe(true);
    expect(limit.take('a', 100)).toMatchObject({ allowed: false, remaining: 0, retryAfterSeconds: 1 });
    expect(limit.take('a', 10_000)).toEqual({ allowed: true, remaining: 2, resetSeconds: 1, retryAfterSeconds: 0 });
  });

  it('remembers a bounded number of them, those last seen', () => {
    const limit = createRateLimit(0.001, 1);
    limit.take('first', 0);
    limit.take('second', 0);
    limit.take('first', 0);
    for (let other = 0; other < 4_095; other += 1) limit.take(`other ${other}`, 0);
    expect(limit.take('first', 0).allowed).toBe(false);
    expect(limit.take('second', 0).allowed).toBe(true);
  });

  it('takes an IPv6 network for one caller, and mapped IPv4 for itself', () => {
    expect(callerOf('203.0.113.9')).toBe('203.0.113.9');
    expect(callerOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(callerOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(callerOf('2001:0db8:1:2::9')).toBe('2001:db8:1:2');
    expect(callerOf('2001:db8::9')).toBe('2001:db8:0:0');
    expect(callerOf('::1')).toBe('0:0:0:0');
    expect(callerOf('fe80::1%eth0')).toBe('fe80:0:0:0');
    expect(callerOf('')).toBe('');
  });
});
