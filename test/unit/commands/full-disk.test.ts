import { describe, expect, it } from 'vitest';
import { CommandError } from '../../../src/commands/exit-codes.ts';
import { explainFullDisk } from '../../../src/commands/full-disk.ts';
import { resolveConfig } from '../../../src/node/config/config.ts';
import { StoreError } from '../../../src/store/key-value.ts';

const resolved = resolveConfig({ home: '/home/of/a/node', file: undefined, environment: {}, flags: new Map() });
if (!resolved.ok) throw new Error(resolved.error.join());
const { config } = resolved.value;

function noSpace(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOSPC' });
}

describe('a start without room on the disk', () => {
  it.each([
    [
      new Error('the journal cannot be made durable', {
        cause: noSpace('cannot write /home/of/a/node/journal/5.journal'),
      }),
      '/home/of/a/node/journal',
    ],
    [
      new StoreError('cannot write the database in /home/of/a/node/data', { code: 'DISK_FULL' }),
      '/home/of/a/node/data',
    ],
    [new Error('cannot lock', { cause: noSpace('no space left on device, write') }), '/home/of/a/node'],
  ])('names the directory and what to do: %s', (error, directory) => {
    const told = explainFullDisk(error, config);
    expect(told).toBeInstanceOf(CommandError);
    expect(told).toMatchObject({ exit: 'FAILED', code: 'DISK_FULL', advice: expect.stringContaining('Make room') });
    expect(told).toMatchObject({ message: expect.stringContaining(`The disk of ${directory} is full: `) });
    expect(told).toMatchObject({ message: expect.stringContaining(error.message) });
  });

  it('is told from every other failure', () => {
    const broken = new Error('the journal cannot be made durable', {
      cause: Object.assign(new Error('EIO'), { code: 'EIO' }),
    });
    expect(explainFullDisk(broken, config)).toBe(broken);
  });
});
