import type { Authority, AuthoritySet, Parameters } from '../model/authorities.ts';
import { authoritySetHash } from '../model/authorities.ts';
import { HEADER_VERSION, type Header } from '../model/block.ts';
import { sha256 } from '../model/hash.ts';
import {
  Epoch,
  type Hash,
  Height,
  hashOfBytes,
  type OrganisationId,
  type PublicKey,
  type Timestamp,
  View,
  ZERO_HASH,
} from '../model/ids.ts';
import type { Role } from '../model/operation.ts';
import type { Iri } from '../provenance/terms.ts';
import { AUTHORITIES_KEY } from './records.ts';
import { Overlay, type StateChange } from './state.ts';
import type { Page } from './state-pages.ts';
import { updateTree } from './state-tree.ts';

export interface GenesisOrganisation {
  readonly id: OrganisationId;
  readonly title: string;
  /** The roles that it may be given at all; `organiser` lets it create events. */
  readonly roles: readonly Role[];
  /** Of its operators and devices: any of them signs for it. */
  readonly keys: readonly PublicKey[];
  /** What the IRIs of its own things begin with; null for none. */
  readonly namespace: Iri | null;
}

/** What a network agrees on before its first block. */
export interface GenesisDocument {
  readonly networkId: string;
  readonly created: Timestamp;
  /** What every IRI of the chain's graphs begins with; ends with a slash. */
  readonly iriBase: string;
  readonly parameters: Parameters;
  readonly authorities: readonly Authority[];
  readonly organisations: readonly GenesisOrganisation[];
}

/** A genesis document that was read and found in order. */
export interface Genesis extends GenesisDocument {
  /** SHA-256 of the document's bytes, as `sha256sum genesis.json` shows it. */
  readonly chainId: Hash;
}

export function chainIdOf(document: Uint8Array): Hash {
  return hashOfBytes(sha256(document));
}

/** The set that is in force from the first block on. */
export function genesisSet(genesis: GenesisDocument): AuthoritySet {
  return {
    epoch: Epoch(0),
    firstHeight: Height(1),
    startView: View(0),
    mode: 'bft',
    authorities: genesis.authorities,
    parameters: genesis.parameters,
  };
}

/** The state before the first block, sorted by key. */
export function genesisRecords(genesis: GenesisDocument): readonly StateChange[] {
  const state = new Overlay({ get: () => undefined });
  state.authorities.put(AUTHORITIES_KEY, genesisSet(genesis));
  for (const { id, title, roles, keys, namespace } of genesis.organisations) {
    state.organisations.put(id, { organisation: id, title, roles, keys, namespace });
    for (const key of keys) state.keys.put(key, { organisation: id });
  }
  return state.changes();
}

/** The block at height 0. It names no chain, since it is part of what the chain id is the hash of: it follows from it. */
export function genesisHeader(genesis: GenesisDocument, stateRoot: Hash): Header {
  return {
    version: HEADER_VERSION,
    chainId: ZERO_HASH,
    height: Height(0),
    epoch: Epoch(0),
    view: View(0),
    previous: ZERO_HASH,
    timestamp: genesis.created,
    proposer: 0,
    transactionsRoot: ZERO_HASH,
    transactionCount: 0,
    stateRoot,
    receiptsRoot: ZERO_HASH,
    graphRoot: ZERO_HASH,
    authoritiesHash: authoritySetHash(genesisSet(genesis)),
    nextAuthoritiesHash: ZERO_HASH,
  };
}

/** What a store holds before the first block. */
export interface Foundation {
  readonly header: Header;
  readonly set: AuthoritySet;
  /** Sorted by key. */
  readonly changes: readonly StateChange[];
  readonly pageWrites: ReadonlyMap<string, Page>;
}

export function foundLedger(genesis: GenesisDocument): Foundation {
  const changes = genesisRecords(genesis);
  const { root, pageWrites } = updateTree({ page: () => undefined }, changes);
  return { header: genesisHeader(genesis, root), set: genesisSet(genesis), changes, pageWrites };
}
