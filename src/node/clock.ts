import { performance } from 'node:perf_hooks';
import { Timestamp } from '../model/ids.ts';
import type { Clock, Timers } from './ports.ts';

export const systemClock: Clock = {
  now: () => Timestamp(Date.now()),
  monotonicMs: () => performance.now(),
};

export const systemTimers: Timers = {
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};
