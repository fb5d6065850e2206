import { utf8 } from '../lib/bytes.ts';
import { type Codec, decode, encode, hexOf, list, nullable, oneOf, struct, text, u32, u53 } from '../model/codec.ts';
import { ADDRESS_BYTES_MAX, ADDRESS_SOURCES_MAX } from '../model/limits.ts';
import { PEER_ROLES } from '../model/peer-message.ts';
import type { KnownAddress } from '../peering/address-book.ts';
import { type Ban, OFFENCES, type Offence } from '../peering/reputation.ts';
import type { KeyValueChange, KeyValueReads } from './key-value.ts';
import { TABLES } from './schema.ts';

/** What a node remembers of its peers, in its own time: milliseconds of its steady clock. */
export interface KnownPeers {
  /** The secret that gives addresses their places; undefined at the very first start. */
  readonly salt: Uint8Array | undefined;
  readonly addresses: readonly KnownAddress[];
  readonly bans: readonly Ban[];
}

const BAN_REASONS: readonly Ban['reason'][] = ['OPERATOR', ...(Object.keys(OFFENCES) as Offence[])];

/** No address, for want of a port. */
const SALT = utf8('salt');

type StoredAddress = Omit<KnownAddress, 'retryAt'>;

const addressLayout: Codec<StoredAddress> = struct<StoredAddress>({
  id: hexOf(32),
  address: text(ADDRESS_BYTES_MAX),
  role: oneOf(PEER_ROLES),
  sources: list(text(ADDRESS_BYTES_MAX), ADDRESS_SOURCES_MAX),
  heardAt: u53,
  reachedAt: nullable(u53),
  triedAt: nullable(u53),
  failures: u32,
});

const banLayout: Codec<Ban> = struct<Ban>({
  id: hexOf(32),
  reason: oneOf(BAN_REASONS),
  since: u53,
  until: u53,
  times: u32,
});

/**
 * Reads what is remembered. What is damaged is left out: it is hearsay, and comes again.
 *
 * @param unixOffsetMs what has to be added to the steady clock to get milliseconds since 1970
 */
export function readPeers(reads: KeyValueReads, unixOffsetMs: number): KnownPeers {
  const back = (unixMs: number): number => unixMs - unixOffsetMs;
  return {
    salt: reads.get(TABLES.addresses, SALT),
    addresses: rows(reads, TABLES.addresses, addressLayout).map((stored) => ({
      ...stored,
      heardAt: back(stored.heardAt),
      reachedAt: stored.reachedAt === null ? null : back(stored.reachedAt),
      triedAt: stored.triedAt === null ? null : back(stored.triedAt),
      // A node that starts is to find its peers, however long it had been without them.
      retryAt: Number.NEGATIVE_INFINITY,
    })),
    bans: rows(reads, TABLES.bans, banLayout).map((stored) => ({
      ...stored,
      since: back(stored.since),
      until: back(stored.until),
    })),
  };
}

export function saltChange(salt: Uint8Array): KeyValueChange {
  return { table: TABLES.addresses, key: SALT, value: salt };
}

/** @param unixOffsetMs as in `readPeers` */
export function addressChanges(
  changes: { readonly kept: readonly KnownAddress[]; readonly forgotten: readonly string[] },
  unixOffsetMs: number,
): readonly KeyValueChange[] {
  const unix = (at: number): number => unixMs(at, unixOffsetMs);
  const table = TABLES.addresses;
  return [
    ...changes.kept.map(({ retryAt: _, ...record }) => ({
      table,
      key: utf8(record.address),
      value: encode(addressLayout, {
        ...record,
        heardAt: unix(record.heardAt),
        reachedAt: record.reachedAt === null ? null : unix(record.reachedAt),
        triedAt: record.triedAt === null ? null : unix(record.triedAt),
      }),
    })),
    ...changes.forgotten.map((address) => ({ table, key: utf8(address), value: undefined })),
  ];
}

/** @param unixOffsetMs as in `readPeers` */
export function banChanges(
  changes: { readonly kept: readonly Ban[]; readonly lifted: readonly string[] },
  unixOffsetMs: number,
): readonly KeyValueChange[] {
  const table = TABLES.bans;
  return [
    ...changes.kept.map((ban) => ({
      table,
      key: utf8(ban.id),
      value: encode(banLayout, {
        ...ban,
        since: unixMs(ban.since, unixOffsetMs),
        until: unixMs(ban.until, unixOffsetMs),
      }),
    })),
    ...changes.lifted.map((id) => ({ table, key: utf8(id), value: undefined })),
  ];
}

function unixMs(at: number, unixOffsetMs: number): number {
  return Math.max(0, Math.round(at + unixOffsetMs));
}

function rows<T>(reads: KeyValueReads, table: number, layout: Codec<T>): readonly T[] {
  const all: T[] = [];
  for (const { value } of reads.range(table, {})) {
    const row = decode(layout, value);
    if (row.ok) all.push(row.value);
  }
  return all;
}
