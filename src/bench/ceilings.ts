import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openLmdb } from '../store/lmdb.ts';
import { openNodeDisk } from '../store/node-disk.ts';
import { type Spread, spreadOf } from './percentiles.ts';

/** What this machine can do at best, measured in the same run: no ledger on it is faster. */
export interface Ceilings {
  /** Ed25519 checks and signatures a second on one core, by OpenSSL, of a 250-byte message. */
  readonly verifiesPerSecond: number;
  readonly signsPerSecond: number;
  /** Append of 400 bytes and fdatasync, milliseconds. */
  readonly journalMs: Spread;
  /** One LMDB transaction of 40 values until it is durable, milliseconds. */
  readonly commitMs: Spread;
}

const MESSAGE_BYTES = 250;
const JOURNAL_BYTES = 400;
const COMMIT_VALUES = 40;
const SIGNATURES = 4_000;
const WRITES = 300;

export async function measureCeilings(directory: string): Promise<Ceilings> {
  const scratch = mkdtempSync(join(directory, 'ceilings-'));
  try {
    return { ...signatureRates(), journalMs: await journalTimes(scratch), commitMs: await commitTimes(scratch) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function signatureRates(): Pick<Ceilings, 'verifiesPerSecond' | 'signsPerSecond'> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const message = randomBytes(MESSAGE_BYTES);
  const signature = sign(null, message, privateKey);
  const rateOf = (work: () => unknown): number => {
    const start = performance.now();
    for (let done = 0; done < SIGNATURES; done += 1) work();
    return (1_000 * SIGNATURES) / (performance.now() - start);
  };
  return {
    verifiesPerSecond: rateOf(() => verify(null, message, publicKey, signature)),
    signsPerSecond: rateOf(() => sign(null, message, privateKey)),
  };
}

async function timesOf(work: () => Promise<void>): Promise<Spread> {
  const times: number[] = [];
  for (let done = 0; done < WRITES; done += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return spreadOf(times);
}

async function journalTimes(scratch: string): Promise<Spread> {
  const file = openNodeDisk(join(scratch, 'journal')).create('segment');
  const bytes = randomBytes(JOURNAL_BYTES);
  const spread = await timesOf(
    () =>
      new Promise((resolve, reject) => {
        file.append(bytes);
        file.sync((error) => (error === undefined ? resolve() : reject(error)));
      }),
  );
  file.close();
  return spread;
}

async function commitTimes(scratch: string): Promise<Spread> {
  const store = openLmdb(join(scratch, 'data'), [1]);
  const value = randomBytes(MESSAGE_BYTES);
  const spread = await timesOf(
    () =>
      new Promise((resolve, reject) => {
        const batch = Array.from({ length: COMMIT_VALUES }, () => ({ table: 1, key: randomBytes(32), value }));
        store.write(batch, { durable: resolve, failed: reject });
      }),
  );
  await new Promise<void>((resolve) => store.close(() => resolve()));
  return spread;
}
