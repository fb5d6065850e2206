import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/lib/crc32c.ts';
import { hexBytes } from '../../src/model/ids.ts';
import { beginChain } from '../../src/node/recovery.ts';
import { JOURNAL_FORMAT, RECORD_HEADER_BYTES } from '../../src/store/journal-format.ts';
import { openLmdb } from '../../src/store/lmdb.ts';
import { openNodeDisk } from '../../src/store/node-disk.ts';
import { openJournal } from '../../src/store/open-journal.ts';
import { heightKey, META, SCHEMA_VERSION, TABLES } from '../../src/store/schema.ts';
import { written } from '../../src/store/written.ts';
import { Cluster } from './support/cluster.ts';
import type { NodeProcess } from './support/node-process.ts';
import { counterfoil, endPrograms } from './support/program.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.create();
});

afterAll(async () => {
  endPrograms();
  await cluster?.close();
});

/** Writes one record into the journal of a node that does not run, as a node of that chain would. */
async function appendRecord(node: NodeProcess, chainId: Uint8Array, payload: Uint8Array): Promise<void> {
  const key = cluster.genesis.authorities[node.seat]?.publicKey;
  if (key === undefined) throw new Error('every seat has a key');
  await new Promise<void>((resolve, reject) => {
    const disk = openNodeDisk(join(node.home, 'journal'));
    openJournal({ disk, publicKey: hexBytes(key), chainId, onFatal: reject }, (opened) => {
      if (!opened.ok) reject(new Error(opened.error.code));
      else opened.value.journal.append([payload], () => opened.value.journal.close(resolve));
    });
  });
}

/** The journal's only file as another version would have written it, with its checksum. */
function setFormat(node: NodeProcess, format: number): void {
  const path = join(node.home, 'journal', '00000001.journal');
  const bytes = readFileSync(path);
  bytes.writeUInt32BE(0xc0_f0_00_00 + format, RECORD_HEADER_BYTES);
  const place = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]);
  const covered = bytes.subarray(0, RECORD_HEADER_BYTES - 4);
  const sum = crc32c(bytes.subarray(RECORD_HEADER_BYTES), crc32c(covered, crc32c(place)));
  bytes.writeUInt32BE(sum, RECORD_HEADER_BYTES - 4);
  writeFileSync(path, bytes);
}

function journalOf(node: NodeProcess): ReadonlyMap<string, Buffer> {
  const directory = join(node.home, 'journal');
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
}

/** The node ends at its start with exit code 7 and says all of this; its journal stays as it is. */
async function expectRefusal(node: NodeProcess, code: string, ...said: readonly string[]): Promise<void> {
  const journal = journalOf(node);
  const ended = await counterfoil(['start', '--home', node.home, '--json']);
  expect(ended.code, ended.output).toBe(7);
  expect(ended.output).toContain(`"${code}"`);
  for (const part of said) expect(ended.output).toContain(part);
  if (code !== 'JOURNAL_UNKNOWN_RECORD') expect(journalOf(node)).toEqual(journal);
  for (const [name, bytes] of journal) expect(readFileSync(join(node.home, 'journal', name))).toEqual(bytes);
  expect(existsSync(join(node.home, 'LOCK'))).toBe(false);
}

describe('a home that this version must not use', () => {
  it.each([JOURNAL_FORMAT - 1, JOURNAL_FORMAT + 1])('has a journal of format %i', async (format) => {
    const node = cluster.node(0);
    setFormat(node, format);
    const numbers = `has format ${format}, and this version reads format ${JOURNAL_FORMAT}`;
    await expectRefusal(node, 'JOURNAL_FORMAT', '00000001.journal', numbers, 'Run the version', 'Never remove');
  });

  it('has a journal with a record of a kind that nobody knows', async () => {
    const node = cluster.node(1);
    await appendRecord(node, hexBytes(cluster.genesis.chainId), Uint8Array.of(250, 1, 2, 3));
    const sentence = 'record 1 is none that this version knows';
    await expectRefusal(node, 'JOURNAL_UNKNOWN_RECORD', sentence, 'another version wrote it', 'Never remove');
  });

  it('has a journal that began to vote on another chain', async () => {
    const node = cluster.node(2);
    await appendRecord(node, new Uint8Array(32).fill(0xab), Uint8Array.of(1));
    const sentence = `belongs to chain ${'ab'.repeat(32)}`;
    await expectRefusal(node, 'JOURNAL_OF_ANOTHER_CHAIN', sentence, 'genesis', 'make a new key', 'Never remove');
  });

  it('has data of another layout', async () => {
    const node = cluster.node(3);
    const store = openLmdb(join(node.home, 'data'), Object.values(TABLES));
    const isBegun = await new Promise((resolve) => beginChain(store, cluster.genesis, ({ ok }) => resolve(ok)));
    expect(isBegun).toBe(true);
    await written(store, [{ table: TABLES.meta, key: META.schema, value: heightKey(SCHEMA_VERSION + 7) }]);
    await new Promise((resolve) => store.close(resolve));
    const numbers = `its layout is ${SCHEMA_VERSION + 7}, and this version reads ${SCHEMA_VERSION}`;
    await expectRefusal(node, 'UNKNOWN_LAYOUT', numbers, 'Run the version that wrote it', 'never the journal');
  });
});
