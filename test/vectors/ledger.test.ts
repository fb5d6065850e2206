import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseGenesis, writeGenesis } from '../../src/ledger/genesis-document.ts';
import { toHex } from '../../src/lib/bytes.ts';
import { sha256 } from '../../src/model/hash.ts';
import { GENESIS } from '../unit/ledger/fixture.ts';
import { deriveVectors } from './ledger-vectors.ts';

function frozen(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, import.meta.url)));
}

describe('the byte forms of the ledger', () => {
  // A difference here forks every network that runs: never change the file to make the test pass.
  it('are those that were frozen', () => {
    const vectors: unknown = JSON.parse(new TextDecoder().decode(frozen('ledger.json')));
    expect(deriveVectors()).toEqual(vectors);
  });
});

describe('the golden genesis document', () => {
  const CHAIN_ID = '0c6fe5bc8c8551c9de8946ef0d1751a27cee9f855f8b1cbc2d56b9e34b55f873';

  it('is written byte for byte', () => {
    expect(new TextDecoder().decode(writeGenesis(GENESIS))).toBe(new TextDecoder().decode(frozen('genesis.golden')));
  });

  it('has the chain id that sha256sum shows', () => {
    const parsed = parseGenesis(frozen('genesis.golden'));
    expect(parsed.ok && parsed.value.chainId).toBe(CHAIN_ID);
    expect(toHex(sha256(frozen('genesis.golden')))).toBe(CHAIN_ID);
  });
});
