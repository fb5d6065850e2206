import { describe, expect, it } from 'vitest';
import { foundLedger, genesisHeader, genesisRecords, genesisSet } from '../../../src/ledger/genesis.ts';
import { authoritySetHash } from '../../../src/model/authorities.ts';
import { ZERO_HASH } from '../../../src/model/ids.ts';
import { CREATED, FEDERATION, foundedState, GENESIS, keyOf } from './fixture.ts';

describe('the state before the first block', () => {
  it('holds the authorities with the parameters', () => {
    expect(foundedState().authorities.get('')).toEqual(genesisSet(GENESIS));
  });

  it('holds every organisation and whose each key is', () => {
    const state = foundedState();
    for (const { id, title, roles, keys, namespace } of GENESIS.organisations) {
      expect(state.organisations.get(id)).toEqual({ organisation: id, title, roles, keys, namespace });
      for (const key of keys) expect(state.keys.get(key)).toEqual({ organisation: id });
    }
    expect(state.keys.get(keyOf(FEDERATION))).toEqual({ organisation: FEDERATION });
  });

  it('holds nothing else', () => {
    const keys = GENESIS.organisations.flatMap((organisation) => organisation.keys);
    expect(genesisRecords(GENESIS)).toHaveLength(1 + GENESIS.organisations.length + keys.length);
  });
});

describe('the block at height 0', () => {
  it('names the set in force and the state, and no chain and no parent', () => {
    const { header, set } = foundLedger(GENESIS);
    expect(header).toMatchObject({ height: 0, epoch: 0, view: 0, timestamp: CREATED, transactionCount: 0 });
    expect(header.authoritiesHash).toBe(authoritySetHash(set));
    expect(header.stateRoot).not.toBe(ZERO_HASH);
    expect([header.chainId, header.previous, header.nextAuthoritiesHash]).toEqual([ZERO_HASH, ZERO_HASH, ZERO_HASH]);
    expect(genesisHeader(GENESIS, header.stateRoot)).toEqual(header);
  });

  it('follows from the document: another parameter gives another header', () => {
    const changed = { ...GENESIS, parameters: { ...GENESIS.parameters, windowMax: 2 } };
    expect(foundLedger(changed).header).not.toEqual(foundLedger(GENESIS).header);
    expect(foundLedger({ ...GENESIS })).toEqual(foundLedger(GENESIS));
  });
});
