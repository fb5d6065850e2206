import { beforeAll, describe, expect, it } from 'vitest';
import { concat } from '../../../src/lib/bytes.ts';
import {
  CHAIN_FILE_MAGIC,
  CHAIN_FILE_VERSION,
  type ChainFileFault,
  type ChainFileRecord,
  encodeChainFileRecord,
  readChainFile,
} from '../../../src/store/chain-file.ts';
import { generateChain } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';

let records: readonly ChainFileRecord[];
let file: Uint8Array;

function written(list: readonly ChainFileRecord[]): Uint8Array {
  return concat(CHAIN_FILE_MAGIC, ...list.map(encodeChainFileRecord));
}

function read(bytes: Uint8Array): { readonly records: ChainFileRecord[]; readonly fault: ChainFileFault | undefined } {
  let offset = 0;
  const run = readChainFile((count) => {
    const part = bytes.slice(offset, offset + count);
    offset += part.length;
    return part;
  });
  const found: ChainFileRecord[] = [];
  for (;;) {
    const next = run.next();
    if (next.done === true) return { records: found, fault: next.value };
    found.push(next.value);
  }
}

beforeAll(async () => {
  const { chain, genesis } = await generateChain(memoryStore(), { seed: 2, blocks: 2, transactions: 2 });
  const blocks = [1, 2].map((height): ChainFileRecord => {
    const stored = chain.block(height);
    if (stored === undefined) throw new Error(`no block ${height}`);
    const { header, body, certificate, certifiedHeight } = stored;
    return { kind: 'block', block: { header, body }, certificate, certifiedHeight };
  });
  records = [
    { kind: 'chain', version: CHAIN_FILE_VERSION, chainId: genesis.chainId },
    ...blocks,
    { kind: 'end', height: chain.head.height, hash: chain.headHash },
  ];
  file = written(records);
});

describe('a chain in a file', () => {
  it('is read as it was written', () => {
    expect(read(file)).toEqual({ records, fault: undefined });
  });

  it('cut anywhere is not whole', () => {
    for (let length = 0; length < file.length; length += 1) {
      const { fault } = read(file.slice(0, length));
      expect(fault?.code, `${length} bytes`).toBe(length < CHAIN_FILE_MAGIC.length ? 'NOT_A_CHAIN_FILE' : 'FILE_CUT');
    }
  });

  it('with any byte changed ends with a fault, before the record that was changed', () => {
    for (let offset = 0; offset < file.length; offset += 1) {
      const damaged = file.slice();
      damaged[offset] = (damaged[offset] ?? 0) ^ 0x10;
      const { fault, records: found } = read(damaged);
      expect(fault, `byte ${offset}`).toBeDefined();
      expect(found.length).toBeLessThan(records.length);
      expect(fault?.offset ?? 0).toBeLessThanOrEqual(offset);
    }
  });

  it('has its records in order, once, in a version that is known, and nothing behind them', () => {
    const [chain, block, , end] = records;
    if (chain?.kind !== 'chain' || block === undefined || end === undefined) throw new Error('three kinds');
    const cases: readonly (readonly [readonly ChainFileRecord[], ChainFileFault['code']])[] = [
      [[block, end], 'FILE_DAMAGED'],
      [[end], 'FILE_DAMAGED'],
      [[chain, chain, end], 'FILE_DAMAGED'],
      [[chain, end, block], 'FILE_DAMAGED'],
      [[{ ...chain, version: 2 }, end], 'FILE_VERSION_UNKNOWN'],
    ];
    for (const [list, code] of cases) expect(read(written(list)).fault?.code).toBe(code);
  });
});
