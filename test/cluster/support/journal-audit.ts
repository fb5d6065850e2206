import { join } from 'node:path';
import { type JournalRecord, journalRecordLayout } from '../../../src/consensus/record.ts';
import type { Genesis } from '../../../src/ledger/genesis.ts';
import { defined } from '../../../src/lib/assert.ts';
import { fromHex } from '../../../src/lib/bytes.ts';
import type { Vote } from '../../../src/model/certificate.ts';
import { decode } from '../../../src/model/codec.ts';
import { hexBytes } from '../../../src/model/ids.ts';
import { openNodeDisk } from '../../../src/store/node-disk.ts';
import { type OpenedJournal, openJournal } from '../../../src/store/open-journal.ts';
import type { NodeProcess } from './node-process.ts';

/** What the journal of a stopped node's authority holds, oldest first. @throws when it cannot be used */
export async function readJournal(node: NodeProcess, genesis: Genesis): Promise<readonly JournalRecord[]> {
  const { publicKey } = defined(genesis.authorities[node.seat], 'the node is an authority');
  const opened = await new Promise<OpenedJournal>((resolve, reject) => {
    openJournal(
      {
        disk: openNodeDisk(join(node.home, 'journal')),
        publicKey: defined(fromHex(publicKey), 'a public key is hex'),
        chainId: hexBytes(genesis.chainId),
        onFatal: reject,
      },
      (found) => (found.ok ? resolve(found.value) : reject(new Error(`${node.name}: ${found.error.code}`))),
    );
  });
  const records = [...opened.records].map((bytes) => {
    const record = decode(journalRecordLayout, bytes);
    if (!record.ok) throw new Error(`${node.name} has a record that nobody knows: ${record.error.reason}`);
    return record.value;
  });
  await new Promise<void>((resolve) => opened.journal.close(resolve));
  return records;
}

/** Everything that authorities were seen to sign, over all their lives, and where they contradict themselves. */
export class SignedVotes {
  readonly #slots = new Map<string, string>();
  readonly #contradictions: string[] = [];

  get contradictions(): readonly string[] {
    return this.#contradictions;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Reads the journal of a node that does not run. */
  async addJournal(node: NodeProcess, genesis: Genesis): Promise<void> {
    for (const record of await readJournal(node, genesis)) this.#addRecord(record);
  }

  #addRecord(record: JournalRecord): void {
    switch (record.kind) {
      case 'vote':
        this.#addVote(record.vote);
        return;
      case 'snapshot':
        for (const vote of record.votes) this.#addVote(vote);
        return;
      case 'view-change': {
        const { signer, epoch, newView, claim, finalHash } = record.viewChange;
        const said = `${claim?.view}/${claim?.height}/${claim?.digest}/${finalHash}`;
        this.#note(`seat ${signer} VIEW-CHANGE ${epoch}/${newView}`, said);
        return;
      }
      case 'new-view': {
        const { epoch, view, signature } = record.newView;
        this.#note(`NEW-VIEW ${epoch}/${view}`, signature);
        return;
      }
      case 'checkpoint': {
        const { signer, epoch, height, digest } = record.checkpoint;
        this.#note(`seat ${signer} CHECKPOINT ${epoch}/${height}`, digest);
        return;
      }
      case 'block':
      case 'certificate':
      case 'entered':
    }
  }

  #addVote({ signer, phase, epoch, view, height, digest }: Vote): void {
    this.#note(`seat ${signer} ${phase} ${epoch}/${view}/${height}`, digest);
  }

  #note(slot: string, said: string): void {
    const before = this.#slots.get(slot);
    if (before === undefined) this.#slots.set(slot, said);
    else if (before !== said) this.#contradictions.push(`${slot}: ${before} and ${said}`);
  }
}
