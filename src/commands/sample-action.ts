import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { devnetKeyPair } from '../devnet/keys.ts';
import { utf8 } from '../lib/bytes.ts';
import { counted } from '../lib/words.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import { installNativeSha256 } from '../node/keys/native-hash.ts';
import { auditExercise } from '../sample/exercise.ts';
import { manifestOf, type SampleFile } from '../sample/manifest.ts';
import { SAMPLE_SIZES, type SampleSize } from '../sample/plan.ts';
import { Recording } from '../sample/recording.ts';
import { makeDirectories } from '../store/directories.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';

export interface SampleOptions {
  readonly size: SampleSize;
  readonly out: string;
}

/** Writes the sample of a size. @throws CommandError when the directory is there */
export function writeSample({ terminal }: Invocation, { size, out }: SampleOptions): void {
  const directory = resolve(out);
  if (existsSync(directory)) throw new CommandError('FAILED', `${directory} exists, and nothing is overwritten.`);
  makeDirectories(directory);
  installNativeSha256();
  const tickets = SAMPLE_SIZES[size];
  terminal.talk(`Writing ${counted(tickets, 'ticket')} ...`);
  const recording = new Recording(tickets, (name) => createSigner(devnetKeyPair(name).secretKey));
  const exercise = auditExercise(recording.genesis.iriBase);
  const write = (name: string, pieces: Iterable<Uint8Array>): SampleFile => writeFile(directory, name, pieces);
  const files = [
    write('genesis.json', [recording.genesisBytes]),
    write('chain.cf', recording.chainFile()),
    write('audit-exercise.nq', [utf8(exercise.document)]),
  ];
  const manifest = manifestOf({ size, tickets }, recording, exercise, files);
  write('manifest.json', [utf8(`${JSON.stringify(manifest, null, 2)}\n`)]);
  const { head, counts } = recording;
  const answer = { directory, chain_id: recording.genesis.chainId, head, counts };
  terminal.result(
    answer,
    () =>
      `Wrote ${counted(tickets, 'ticket')} with ${counted(counts.transactions, 'transaction')} in ${counted(counts.blocks, 'block')} to ${directory}.\n` +
      `The head is block ${head.height}, ${head.hash}.`,
  );
}

function writeFile(directory: string, name: string, pieces: Iterable<Uint8Array>): SampleFile {
  const hash = createHash('sha256');
  const file = openSync(join(directory, name), 'wx', 0o644);
  let bytes = 0;
  try {
    for (const piece of pieces) {
      hash.update(piece);
      bytes += writeSync(file, piece);
    }
  } finally {
    closeSync(file);
  }
  return { name, bytes, sha256: hash.digest('hex') };
}
