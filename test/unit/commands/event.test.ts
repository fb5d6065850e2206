import { describe, expect, it } from 'vitest';
import { eventCommand } from '../../../src/commands/event.ts';
import { buildProgram } from '../../../src/commands/program.ts';

/** Refused before any node is asked or any key is opened. */
async function run(...args: readonly string[]): Promise<void> {
  await buildProgram('0.0.0', [eventCommand()]).parseAsync(['event', ...args], { from: 'user' });
}

const EVENT = ['--title', 'Cup', '--capacity', '5', '--key', 'none.key'];
const TIER = ['--title', 'Standing', '--price', '2500', '--capacity', '5', '--key', 'none.key'];

describe('what makes no event', () => {
  it.each([
    ['a time without its offset', 'create', 'cup', '--starts-at', '2030-01-01T18:00:00', ...EVENT],
    ['a time in words', 'create', 'cup', '--starts-at', 'tomorrow', ...EVENT],
    ['a day that no month has', 'create', 'cup', '--starts-at', '2030-13-01T18:00:00Z', ...EVENT],
    ['a day that February has not', 'create', 'cup', '--starts-at', '2030-02-31T00:00:00Z', ...EVENT],
    ['an hour that no day has', 'create', 'cup', '--starts-at', '2030-02-01T24:00:00Z', ...EVENT],
    ['a bound that is no day', 'tier', 'cup', 'standing', '--valid-from', '2031-02-29T00:00:00+02:00', ...TIER],
    ['a name with a blank', 'create', 'the cup', '--starts-at', '2030-01-01T18:00:00Z', ...EVENT],
    ['a currency in lower case', 'tier', 'cup', 'standing', '--currency', 'eur', ...TIER],
    ['a bound in words', 'tier', 'cup', 'standing', '--valid-from', 'soon', ...TIER],
    ['more transfers than a tier can say', 'tier', 'cup', 'standing', '--transfers', '256', ...TIER],
    [
      'an end of transfers that there are not',
      'tier',
      'cup',
      'standing',
      '--transfer-until',
      '2030-01-01T18:00Z',
      ...TIER,
    ],
    ['a cap on transfers that there are not', 'tier', 'cup', 'standing', '--resale-percent', '110', ...TIER],
    ['half a percent', 'tier', 'cup', 'standing', '--transfers', '1', '--resale-percent', '0.5', ...TIER],
    ['a role that nobody knows', 'grant', 'cup', 'venue', 'king', '--key', 'none.key'],
  ])('%s', async (_what, ...args) => {
    await expect(run(...args)).rejects.toMatchObject({ name: 'CommandError', exit: 'USAGE' });
  });

  it.each(['2032-02-29T00:30:00+02:00', '2030-01-01T18:00Z', '2030-12-31T23:59:59.5-11:00'])(
    'but %s is a time: only the key is missing then',
    async (time) => {
      await expect(run('create', 'cup', '--starts-at', time, ...EVENT)).rejects.not.toMatchObject({ exit: 'USAGE' });
    },
  );

  it('an event that nobody signs', async () => {
    const unsigned = ['create', 'cup', '--starts-at', '2030-01-01T18:00:00Z', '--title', 'Cup', '--capacity', '5'];
    await expect(run(...unsigned)).rejects.toThrow('--key');
  });

  it('an event without a title', async () => {
    await expect(run('create', 'cup', '--starts-at', '2030-01-01T18:00:00Z', '--capacity', '5')).rejects.toMatchObject({
      code: 'commander.missingMandatoryOptionValue',
    });
  });
});
