import { describe, expect, it } from 'vitest';
import {
  CommandError,
  EXIT_CODES,
  exitNameOf,
  exitNameOfStatus,
  toldCodeOf,
} from '../../../src/commands/exit-codes.ts';
import { CorruptionError } from '../../../src/store/blocks.ts';

describe('exit codes', () => {
  it('are the ones that are documented', () => {
    expect(EXIT_CODES).toEqual({
      OK: 0,
      FAILED: 1,
      USAGE: 2,
      CONFIG_INVALID: 3,
      NOT_FOUND: 4,
      REFUSED: 5,
      UNREACHABLE: 6,
      DATA_UNUSABLE: 7,
      VERIFICATION_FAILED: 8,
    });
  });

  it.each([
    [new CommandError('REFUSED', 'no'), 'REFUSED'],
    [new CorruptionError('damaged'), 'DATA_UNUSABLE'],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'UNREACHABLE'],
    [new Error('anything else'), 'FAILED'],
    ['not even an error', 'FAILED'],
  ])('of %s is %s', (error, name) => {
    expect(exitNameOf(error)).toBe(name);
  });

  it.each([
    [404, 'NOT_FOUND'],
    [409, 'REFUSED'],
    [403, 'REFUSED'],
    [422, 'REFUSED'],
    [500, 'FAILED'],
    [503, 'FAILED'],
  ])('of a node’s answer %d is %s', (status, name) => {
    expect(exitNameOfStatus(status)).toBe(name);
  });
});

describe('the code that is told', () => {
  it.each([
    [new CommandError('FAILED', 'no', { code: 'KEY_MISSING' }), 'KEY_MISSING'],
    [Object.assign(new Error('port 80 is in use'), { code: 'PORT_IN_USE' }), 'PORT_IN_USE'],
    [Object.assign(new Error('the system'), { code: 'EADDRINUSE' }), undefined],
    [new Error('anything else'), undefined],
  ])('of %s is %s', (error, code) => {
    expect(toldCodeOf(error)).toBe(code);
  });
});
