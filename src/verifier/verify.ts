import { stateKey, treeKey } from '../ledger/records.ts';
import { type StateProof, verifyProof } from '../ledger/state-proof.ts';
import { TICKET, type TicketRecord } from '../ledger/ticket-record.ts';
import { ok, type Result } from '../lib/result.ts';
import type { Header } from '../model/block.ts';
import type { SignatureCheck } from '../model/certificate.ts';
import { decode } from '../model/codec.ts';
import { sha256 } from '../model/hash.ts';
import { type Hash, hashOfBytes, TicketId } from '../model/ids.ts';
import { type Bundle, readBundle } from './bundle.ts';
import { type Fault, fault } from './faults.ts';
import { bytesOf, openBlock, type Signed } from './final-block.ts';
import { hashesOf, type OpenHistory, openHistory } from './history.ts';
import { portableCheck } from './signatures.ts';
import { type Trust, trustIn } from './trust.ts';
import type { Verdict } from './verdict.ts';

/**
 * What a proof proves to whoever trusts a genesis document; both as bytes, just as they were read. Nothing is asked of
 * anybody, and no byte of the proof can be another one.
 *
 * @param check whether a signature is valid by the rule of docs/protocol.md, section 1; a faster one than noble's
 */
export function verifyBundle(
  proof: Uint8Array,
  genesis: Uint8Array,
  check: SignatureCheck = portableCheck,
): Result<Verdict, Fault> {
  const read = readBundle(proof);
  if (!read.ok) return read;
  const trusted = trustIn(genesis);
  if (!trusted.ok) return trusted;
  const opened = open(read.value, trusted.value);
  if (!opened.ok) return opened;
  const { verdict, signed } = opened.value;
  const forged = signed.find(({ publicKey, message, signature }) => !check(publicKey, message, signature));
  return forged === undefined ? ok(verdict) : fault('BAD_SIGNATURE', forged.path, 'the signature is not valid');
}

interface Opened {
  readonly verdict: Verdict;
  /** What it rests on. */
  readonly signed: readonly Signed[];
}

function open(bundle: Bundle, trust: Trust): Result<Opened, Fault> {
  const { chainId, networkId, set } = trust;
  const block = openBlock(bundle.block, '$.block', trust);
  if (!block.ok) return block;
  const { header, hash, seats, signed } = block.value;
  const record = openRecord(bundle, header.stateRoot);
  if (!record.ok) return record;
  const history = historyOf(bundle, record.value, header, trust);
  if (!history.ok) return history;
  const verdict: Verdict = {
    chainId,
    networkId,
    ticket: TicketId(bundle.ticket),
    height: header.height,
    at: header.timestamp,
    blockHash: hash,
    record: record.value,
    history: history.value?.changes ?? null,
    signers: seats.map((seat) => set.authorities[seat]?.id ?? ''),
    authorities: set.authorities.length,
  };
  return ok({ verdict, signed: [...signed, ...(history.value?.signed ?? [])] });
}

/** The record that the state holds under the ticket's id, or null when it holds none. */
function openRecord(bundle: Bundle, root: Hash): Result<TicketRecord | null, Fault> {
  const { ticket, siblings, absence } = bundle;
  const record = bundle.record === null ? null : bytesOf(bundle.record);
  if ((record === null) !== (absence !== null)) return fault('WRONG_FORM', '$.absence', 'is there, or a record is');
  const key = stateKey(TICKET, ticket);
  const place = hashOfBytes(treeKey(key));
  if (absence !== null && absence.key !== place) {
    return fault('NOT_IN_STATE', '$.absence.key', `the key of ${ticket} is ${place}`);
  }
  const end = record === null ? leafOf(absence?.leaf ?? '') : { key: place, recordHash: hashOfBytes(sha256(record)) };
  const proven = verifyProof(root, key, { siblings: hashesOf(siblings), end });
  if (proven === undefined || proven.isPresent !== (record !== null)) {
    return fault('NOT_IN_STATE', '$.siblings', 'they do not lead to the state root of the block');
  }
  if (record === null) return ok(null);
  const decoded = decode(TICKET.layout, record);
  if (!decoded.ok) return fault('BAD_RECORD', '$.record', decoded.error.reason);
  return decoded.value.ticket === ticket
    ? ok(decoded.value)
    : fault('BAD_RECORD', '$.record', `it is of ticket ${decoded.value.ticket}`);
}

function leafOf(leaf: string): StateProof['end'] {
  const [key, recordHash] = hashesOf(leaf);
  return key === undefined || recordHash === undefined ? null : { key, recordHash };
}

function historyOf(
  { history }: Bundle,
  record: TicketRecord | null,
  newest: Header,
  trust: Trust,
): Result<OpenHistory | null, Fault> {
  if (history === null) return ok(null);
  return record === null
    ? fault('INCOMPLETE_HISTORY', '$.history', 'what does not exist has none')
    : openHistory(history, record, newest, trust);
}
