import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogFormat, LogLevel } from '../node/config/config.ts';

const STANDARD_ERROR = 2;
/** Bytes of lines that wait for a full disk to take them; what comes after them is lost. */
const WAITING_BYTES_MAX = 1_048_576;

/** Lines on standard error: standard output is data. Synchronous, so that the last words of a process are not lost. */
export function openLogger(
  { level, format }: { readonly level: LogLevel; readonly format: LogFormat },
  more: { readonly isTerminal: boolean; readonly colour: boolean },
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const output = pino.destination({ fd: STANDARD_ERROR, sync: true, maxLength: WAITING_BYTES_MAX });
  // A node whose disk is full goes on answering reads, also when its log is on that disk.
  output.on('error', () => undefined);
  const isPretty = format === 'pretty' || (format === 'auto' && more.isTerminal);
  if (!isPretty) return pino(options, output);
  const stream = pretty({
    destination: output,
    colorize: more.colour,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return pino(options, stream);
}
