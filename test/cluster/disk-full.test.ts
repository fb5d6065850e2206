import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditChain, signersAt, value } from './support/chain-audit.ts';
import { Cluster, statusOf, temporaryDirectory } from './support/cluster.ts';
import { SignedVotes } from './support/journal-audit.ts';
import { Load, unexpectedRefusals } from './support/load.ts';
import type { NodeProcess } from './support/node-process.ts';

const MIB = 1_048_576;
const DISK_MIB = 48;
/** What a full disk still has: too little for a page, and next to none for a log. */
const LEFT_BYTES = 4_096;

let disk: ReturnType<typeof temporaryDirectory>;
let cluster: Cluster;
let load: Load;

/** Makes a small disk of a directory; false where that takes a privilege which is not here. */
function mountAt(path: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function unmount(path: string): void {
  execFileSync('umount', [path]);
}

/** Whether this user may mount: asked by doing it. */
function mayMount(): boolean {
  const { path, remove } = temporaryDirectory();
  const isAllowed = mountAt(path);
  if (isAllowed) unmount(path);
  remove();
  return isAllowed;
}

/** Fills the disk up to what is left over; a file that can be removed again. */
function fillDisk(name: string, leftBytes: number): void {
  const { bavail, bsize } = statfsSync(disk.path);
  try {
    writeFileSync(join(disk.path, name), new Uint8Array(Math.max(0, bavail * bsize - leftBytes)));
  } catch (error) {
    // A node that runs took what was to be left: all the fuller.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

describe.skipIf(!mayMount())('an authority whose disk is full (needs the right to mount a tmpfs)', () => {
  const votes = new SignedVotes();

  function victim(): NodeProcess {
    return cluster.node(2);
  }

  beforeAll(async () => {
    disk = temporaryDirectory();
    expect(mountAt(disk.path)).toBe(true);
    cluster = await Cluster.started({
      parameters: { checkpointInterval: 10_000 },
      homeOf: (name) => (name === 'boxoffice' ? join(disk.path, name) : undefined),
    });
    load = new Load({ chainId: cluster.genesis.chainId, nodes: cluster.others(victim()), lanes: 4, pauseMs: 20 });
  });

  afterAll(async () => {
    await load?.stop();
    await cluster?.close();
    unmount(disk.path);
    disk.remove();
  });

  it('stops voting, says why, and goes on answering what it knows', async () => {
    await cluster.until('the load to run', 20_000, () => load.acknowledged.length >= 20);
    fillDisk('filler', LEFT_BYTES);
    const explained = await cluster.until('it to say that its disk is full', 30_000, async () => {
      const found = value(await victim().client.explain());
      return found.code === 'DISK_FULL' && found;
    });
    expect(explained).toMatchObject({ moving: false, reason: expect.stringMatching(/[Mm]ake room/) });
    const { client } = victim();
    expect(value(await client.block(1)).header.height).toBe(1);
    expect(value(await client.tickets({ limit: 5 })).tickets).toHaveLength(5);
    const ready = await client.ready();
    expect(ready.ok ? 'ready' : ready.error.status).toBe(503);
    const written = await client.validate({ ticket_id: 'whatever' });
    expect(written.ok ? 'taken' : written.error.status).toBe(503);
  });

  it('is not missed by the three others', async () => {
    const before = load.acknowledged.length;
    const { height: from } = (await statusOf(cluster.node(0))).head;
    await cluster.until('writes without it', 20_000, () => load.acknowledged.length >= before + 30);
    const { height: to } = (await statusOf(cluster.node(0))).head;
    for (let height = from + 2; height <= to; height += 1) {
      expect(await signersAt(cluster.node(0), height)).not.toContain(victim().seat);
    }
  });

  it('does not start without room, says where it is missing, and loses nothing by trying', async () => {
    expect(await victim().stop()).toEqual({ code: 1, signal: null });
    rmSync(join(disk.path, 'filler'));
    // Room for LOCK, and none for the journal file of this start; then for nothing at all.
    for (const [name, leftBytes, directory] of [
      ['filler', LEFT_BYTES, join(victim().home, 'journal')],
      ['filler-more', 0, victim().home],
    ] as const) {
      fillDisk(name, leftBytes);
      await expect(victim().start()).rejects.toThrow(`The disk of ${directory} is full: `);
      expect(await victim().ended()).toEqual({ code: 1, signal: null });
      expect(readdirSync(victim().home).filter((file) => file.startsWith('LOCK'))).toEqual([]);
    }
  });

  it('is back when it has room again and was restarted, and never signed twice', async () => {
    for (const name of ['filler', 'filler-more']) rmSync(join(disk.path, name), { force: true });
    await votes.addJournal(victim(), cluster.genesis);
    await victim().start();
    await cluster.until('it to sign again', 20_000, async () => {
      const { height } = (await statusOf(cluster.node(0))).head;
      return (await signersAt(cluster.node(0), height)).includes(victim().seat);
    });
    await load.stop();
    expect(unexpectedRefusals(load)).toEqual([]);
    await auditChain(cluster.nodes, cluster.genesis, await cluster.settled());
    expect(statfsSync(disk.path).bavail * statfsSync(disk.path).bsize).toBeGreaterThan(MIB);
    await victim().kill();
    await votes.addJournal(victim(), cluster.genesis);
    expect(votes.contradictions).toEqual([]);
    expect(votes.size).toBeGreaterThan(20);
  });
});
