import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogFormat, LogLevel } from '../node/config/config.ts';

const STANDARD_ERROR = 2;

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
  const isPretty = format === 'pretty' || (format === 'auto' && more.isTerminal);
  if (!isPretty) return pino(options, pino.destination({ fd: STANDARD_ERROR, sync: true }));
  const stream = pretty({
    destination: STANDARD_ERROR,
    sync: true,
    colorize: more.colour,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return pino(options, stream);
}
