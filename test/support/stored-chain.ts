/** Long chains on disk, made once for all runs on a machine: the same plan gives the same bytes. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdb } from '../../src/store/lmdb.ts';
import { META, SCHEMA_VERSION, TABLES } from '../../src/store/schema.ts';
import { written } from '../../src/store/written.ts';
import { ChainGenerator, type ChainPlan } from './chain-generator.ts';
import { ALL_TABLES } from './stores.ts';

export interface StoredChain {
  /** Holds `data.mdb`; to be copied, never to be opened for writing. */
  readonly dataDir: string;
  readonly genesisFile: string;
}

const BLOCKS_PER_STEP = 500;

/** A chain of so many blocks of a plan. No journal has seen it, so any authority of its genesis can go on with it. */
export async function storedChain(plan: ChainPlan & { readonly blocks: number }): Promise<StoredChain> {
  const { seed, transactions, authorities = 4, blocksPerCertificateMax = 3, blocks } = plan;
  const name = [SCHEMA_VERSION, seed, transactions, authorities, blocksPerCertificateMax, blocks].join('-');
  const cache = join(tmpdir(), `counterfoil-chains-${process.getuid?.() ?? 0}`);
  const directory = join(cache, name);
  const chain = { dataDir: join(directory, 'data'), genesisFile: join(directory, 'genesis.json') };
  if (existsSync(directory)) return chain;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const partial = mkdtempSync(join(cache, 'partial-'));
  const store = openLmdb(join(partial, 'data'), ALL_TABLES);
  const generator = await ChainGenerator.open(store, plan);
  for (let left = blocks; left > 0; left -= BLOCKS_PER_STEP) await generator.grow(Math.min(left, BLOCKS_PER_STEP));
  await written(store, [{ table: TABLES.meta, key: META.witness, value: undefined }]);
  await new Promise((resolve) => store.close(resolve));
  writeFileSync(join(partial, 'genesis.json'), generator.genesisBytes);
  try {
    renameSync(partial, directory);
  } catch (error) {
    // Somebody else was quicker.
    if (!existsSync(directory)) throw error;
    rmSync(partial, { recursive: true });
  }
  return chain;
}
