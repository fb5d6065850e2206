import type { NodeConfig } from '../node/config/config.ts';
import { isDiskFull } from '../store/disk.ts';
import { CommandError } from './exit-codes.ts';

/** What a start that failed for lack of room ends with; any other error as it is. */
export function explainFullDisk(error: unknown, { storage, node }: Pick<NodeConfig, 'storage' | 'node'>): unknown {
  if (error instanceof CommandError || !isDiskFull(error)) return error;
  const sentences: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { message } = cause;
    // Some errors repeat what is behind them.
    if (!sentences.some((sentence) => sentence.includes(message))) sentences.push(message);
  }
  const told = sentences.join(': ');
  const directory = [storage.journalDir, storage.dataDir].find((one) => told.includes(one)) ?? node.home;
  return new CommandError('FAILED', `The disk of ${directory} is full: ${told}.`, {
    code: 'DISK_FULL',
    advice:
      'Make room there and start the node again; nothing is lost. Each start of an authority writes a few hundred bytes ' +
      `to ${storage.journalDir}: remove nothing of it, or the key never votes again. [storage] retain_blocks keeps data/ small.`,
    cause: error,
  });
}
