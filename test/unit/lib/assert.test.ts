import { describe, expect, it } from 'vitest';
import { assert, defined, InvariantError, unreachable } from '../../../src/lib/assert.ts';

describe('what must hold', () => {
  it('stops the program when it does not', () => {
    expect(() => assert(true, 'fine')).not.toThrow();
    expect(() => assert(false, 'the reason')).toThrow(new InvariantError('the reason'));
    expect(() => defined(null, 'the reason')).toThrow(InvariantError);
    expect(() => defined(undefined, 'the reason')).toThrow(InvariantError);
    expect([defined(0, ''), defined('', ''), defined(false, '')]).toEqual([0, '', false]);
    expect(() => (unreachable as (value: unknown) => never)('a case that nobody wrote')).toThrow(InvariantError);
  });
});
