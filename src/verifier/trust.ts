import { fromUtf8 } from '../lib/bytes.ts';
import { ok, type Result } from '../lib/result.ts';
import { type AuthoritySet, authoritySetHash } from '../model/authorities.ts';
import { sha256 } from '../model/hash.ts';
import { Epoch, type Hash, Height, hashOfBytes, isHex, isName, PublicKey, View } from '../model/ids.ts';
import { isUsableKey } from '../model/keys.ts';
import { AUTHORITIES_MAX, GENESIS_BYTES_MAX } from '../model/limits.ts';
import { parseJson } from './bundle.ts';
import { type Fault, fault } from './faults.ts';
import { listOf, object, type Shape, take, textWhere, whole } from './shape.ts';

/** All that is believed: it follows from the bytes of the genesis document. */
export interface Trust {
  readonly chainId: Hash;
  readonly networkId: string;
  readonly set: AuthoritySet;
  readonly setHash: Hash;
}

const U32_MAX = 0xffff_ffff;

const name = textWhere(isName, 'is a name');
const ignored: Shape<null> = () => null;
const genesis = object({
  network_id: name,
  created: ignored,
  iri_base: ignored,
  parameters: object({
    block_transactions_max: whole(U32_MAX),
    block_bytes_max: whole(U32_MAX),
    checkpoint_interval: whole(U32_MAX),
    rotation_interval: whole(U32_MAX),
    block_interval_ms: whole(),
    transaction_life_ms_max: whole(),
    window_max: whole(U32_MAX),
  }),
  authorities: listOf(
    object({
      id: name,
      public_key: textWhere((text) => isHex(text, 32) && isUsableKey(PublicKey(text)), 'is a usable public key'),
      organisation: name,
    }),
    1,
    AUTHORITIES_MAX,
  ),
  organisations: ignored,
});

/**
 * Reads of a genesis document what signatures depend on: the chain id, and the authority set. Whether a chain can be
 * founded on it is for whoever founds one.
 */
export function trustIn(bytes: Uint8Array): Result<Trust, Fault> {
  const text = bytes.length <= GENESIS_BYTES_MAX ? fromUtf8(bytes) : undefined;
  const json = text === undefined ? undefined : parseJson(text);
  // In this form a document cannot say the same thing twice, and mean one of them.
  if (`${JSON.stringify(json, null, 2)}\n` !== text) {
    return fault('BAD_GENESIS', 'genesis', 'it is not canonical: the file itself is what has to be given');
  }
  const taken = take(genesis, json);
  if (!taken.ok) return fault('BAD_GENESIS', `genesis ${taken.error.path}`, taken.error.reason);
  const { network_id, parameters, authorities } = taken.value;
  if (new Set(authorities.map(({ public_key }) => public_key)).size < authorities.length) {
    return fault('BAD_GENESIS', 'genesis $.authorities', 'one key has two seats');
  }
  const set: AuthoritySet = {
    epoch: Epoch(0),
    firstHeight: Height(1),
    startView: View(0),
    mode: 'bft',
    authorities: authorities.map(({ id, public_key, organisation }) => ({
      id,
      publicKey: PublicKey(public_key),
      organisation,
    })),
    parameters: {
      blockTransactionsMax: parameters.block_transactions_max,
      blockBytesMax: parameters.block_bytes_max,
      checkpointInterval: parameters.checkpoint_interval,
      rotationInterval: parameters.rotation_interval,
      blockIntervalMs: parameters.block_interval_ms,
      transactionLifeMsMax: parameters.transaction_life_ms_max,
      windowMax: parameters.window_max,
    },
  };
  return ok({ chainId: hashOfBytes(sha256(bytes)), networkId: network_id, set, setHash: authoritySetHash(set) });
}
