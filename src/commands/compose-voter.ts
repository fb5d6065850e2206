import type { Genesis } from '../ledger/genesis.ts';
import type { NodeConfig } from '../node/config/config.ts';
import { createSigner } from '../node/keys/key-pair.ts';
import type { Signer } from '../node/ports.ts';
import { readWitness } from '../store/chain.ts';
import type { KeyValue } from '../store/key-value.ts';
import { CommandError } from './exit-codes.ts';
import { type AskPassphrase, type OpenedVoter, openKey, openVoter, seatOfKey } from './opening.ts';

/** What this node may sign, and where it keeps that. */
export interface Voter {
  readonly seat: number;
  readonly signer: Signer | null;
  readonly journal: OpenedVoter | null;
  /** Why there is an authority's key and no vote. */
  readonly observerReason: string | null;
  readonly authorityKey: Signer | null;
}

export interface VoterParts {
  readonly config: NodeConfig;
  readonly ask: AskPassphrase;
  readonly genesis: Genesis;
  readonly store: KeyValue;
  readonly onFatal: (error: Error) => void;
}

/** The seat that the authority's key gives this node, or why it only follows. */
export async function openAuthority({ config, ask, genesis, store, onFatal }: VoterParts): Promise<Voter> {
  const follower = { seat: -1, signer: null, journal: null, observerReason: null, authorityKey: null };
  if (!config.consensus.isAuthority) return follower;
  const key = await openKey(config.consensus.authorityKeyFile, 'authority', ask);
  if (key === undefined) {
    throw new CommandError('CONFIG_INVALID', `There is no authority key at ${config.consensus.authorityKeyFile}.`, {
      advice:
        'Make one with counterfoil keys new --kind authority, or follow without a vote: [consensus] is_authority = false.',
    });
  }
  const signer = createSigner(key.secretKey);
  const seat = seatOfKey(genesis, signer.publicKey);
  if (seat < 0) {
    return { ...follower, observerReason: `its authority key ${signer.publicKey} is not one of genesis` };
  }
  const voter = await openVoter(config, signer.publicKey, { genesis, witness: readWitness(store), onFatal });
  return 'reason' in voter
    ? { ...follower, observerReason: voter.reason, authorityKey: signer }
    : { seat, signer, journal: voter, observerReason: null, authorityKey: signer };
}
