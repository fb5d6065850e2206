import { type JournalRecord, journalRecordLayout } from '../consensus/record.ts';
import type { Recovered } from '../consensus/replica.ts';
import { foundLedger, type Genesis } from '../ledger/genesis.ts';
import { assert, defined } from '../lib/assert.ts';
import type { Result } from '../lib/result.ts';
import { blockHash } from '../model/block.ts';
import { decode } from '../model/codec.ts';
import { Height } from '../model/ids.ts';
import { RECOVERED_ANCESTORS } from '../model/limits.ts';
import { Chain } from '../store/chain.ts';
import { readHalt } from '../store/halt.ts';
import type { KeyValue, StoreError } from '../store/key-value.ts';

/**
 * Opens the chain of a store, or begins it with genesis when the store is empty.
 *
 * @throws ForeignDataError when what is stored is of another chain
 * @throws CorruptionError when it cannot be read
 */
export function beginChain(
  store: KeyValue,
  genesis: Genesis,
  opened: (opened: Result<Chain, StoreError>) => void,
): void {
  const { header, changes, pageWrites } = foundLedger(genesis);
  const stored = {
    hash: blockHash(header),
    header,
    body: [],
    receipts: [],
    certificate: null,
    certifiedHeight: Height(0),
  };
  Chain.open(store, genesis.chainId, { stored, changes, pageWrites }, opened);
}

/** What a replica is made of after a start: the newest final blocks and, of a voter, what its journal holds. */
export function recoveredFrom(chain: Chain, payloads: Iterable<Uint8Array>): Recovered {
  const { head } = chain;
  const stored = defined(chain.block(head.height), 'the newest block can be read');
  const lowest = Math.max(chain.oldest, head.height - RECOVERED_ANCESTORS);
  const ancestors = [];
  for (let height = lowest; height < head.height; height += 1) {
    const block = defined(chain.block(height), `block ${height} can be read`);
    ancestors.push({ height: block.header.height, digest: block.hash });
  }
  assert(stored.certifiedHeight === head.height, 'blocks of one certificate are stored together');
  return {
    final: { header: head, certificate: stored.certificate },
    ancestors,
    records: decodeRecords(payloads),
    isHalted: readHalt(chain.store) !== undefined,
  };
}

/** The journal is sound and holds what this version cannot read. */
export class UnknownRecordError extends Error {
  override readonly name = 'UnknownRecordError';
}

function* decodeRecords(payloads: Iterable<Uint8Array>): Generator<JournalRecord> {
  let number = 1;
  for (const bytes of payloads) {
    const record = decode(journalRecordLayout, bytes);
    if (!record.ok)
      throw new UnknownRecordError(`record ${number} is none that this version knows (${record.error.reason})`);
    number += 1;
    yield record.value;
  }
}
