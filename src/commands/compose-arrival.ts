import type { Genesis } from '../ledger/genesis.ts';
import { defined } from '../lib/assert.ts';
import type { NodeConfig } from '../node/config/config.ts';
import type { ArrivalSettings } from '../node/peering.ts';
import type { ArrivalStore } from '../node/snapshot-arrival.ts';
import { carriedRows, completeArrival, readArrival } from '../store/arriving.ts';
import type { Chain } from '../store/chain.ts';
import type { KeyValue } from '../store/key-value.ts';
import { openLmdb } from '../store/lmdb.ts';
import { dropReplacement, replacementDir } from '../store/replacement.ts';
import { META, TABLES } from '../store/schema.ts';
import { closed } from './job-report.ts';

export interface ArrivalParts {
  readonly config: NodeConfig;
  readonly genesis: Genesis;
  readonly chain: Chain;
  readonly arrived: (what: 'REPLACED') => void;
  readonly failed: (error: Error) => void;
}

/** Where a snapshot is put together beside the chain that is here; nothing when the configuration wants none. */
export async function arrivalOf(parts: ArrivalParts): Promise<ArrivalSettings | undefined> {
  const { config, genesis, chain, arrived, failed } = parts;
  if (config.storage.sync !== 'snapshot') return undefined;
  const { dataDir } = config.storage;
  let store = await openArrival(dataDir);
  const into: ArrivalStore = {
    get store() {
      return store;
    },
    empty: async () => {
      await closed(store);
      dropReplacement(dataDir);
      store = openEmpty(dataDir);
    },
    complete: () => {
      const { chainId } = genesis;
      const first = defined(chain.block(0), 'a chain has a genesis');
      return completeArrival(store, { chainId, genesis: first, carried: [...carriedRows(chain.store)] });
    },
    close: async (isWanted) => {
      await closed(store);
      if (!isWanted) dropReplacement(dataDir);
    },
  };
  return { into, trusted: config.consensus.trustedCheckpoint, failed, arrived: () => arrived('REPLACED') };
}

/** What an earlier start has begun, or an empty store. */
async function openArrival(dataDir: string): Promise<KeyValue> {
  const store = openEmpty(dataDir);
  const isUsed =
    store.get(TABLES.meta, META.unfinished) !== undefined || store.get(TABLES.meta, META.schema) !== undefined;
  if (!isUsed || readArrival(store) !== undefined) return store;
  await closed(store);
  dropReplacement(dataDir);
  return openEmpty(dataDir);
}

function openEmpty(dataDir: string): KeyValue {
  return openLmdb(replacementDir(dataDir), Object.values(TABLES));
}
