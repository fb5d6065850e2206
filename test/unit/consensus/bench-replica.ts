import type { Effect } from '../../../src/consensus/effect.ts';
import type { LocalEvent } from '../../../src/consensus/event.ts';
import { step } from '../../../src/consensus/pbft.ts';
import type { JournalRecord } from '../../../src/consensus/record.ts';
import { createReplica } from '../../../src/consensus/recover.ts';
import type { Replica } from '../../../src/consensus/replica.ts';
import { LAN } from '../../../src/consensus/timing.ts';
import type { AuthoritySet } from '../../../src/model/authorities.ts';
import { authoritySetHash } from '../../../src/model/authorities.ts';
import { type Block, type Body, blockHash, HEADER_VERSION, type Header } from '../../../src/model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate, type Vote } from '../../../src/model/certificate.ts';
import { Epoch, Hash, Height, Timestamp, View } from '../../../src/model/ids.ts';
import type { Message } from '../../../src/model/message.ts';
import type { Verified } from '../../../src/model/verified.ts';
import { makeGenesis, rootsOf } from '../../../src/simulator/bare/abstract-ledger.ts';
import { createKeyring } from '../../../src/simulator/keyring.ts';

const CHAIN = Hash('c0'.repeat(32));
const NOW = Timestamp(1_000_000);
const KEYS = createKeyring(4, 1);

const AUTHORITIES: AuthoritySet = {
  epoch: Epoch(0),
  firstHeight: Height(1),
  startView: View(0),
  mode: 'bft',
  authorities: KEYS.publicKeys.map((publicKey, seat) => ({ id: `node-${seat}`, publicKey, organisation: 'bench' })),
  parameters: {
    blockTransactionsMax: 100,
    blockBytesMax: 1_000_000,
    checkpointInterval: 100,
    rotationInterval: 0,
    blockIntervalMs: 0,
    transactionLifeMsMax: 1_000_000,
    windowMax: 2,
  },
};

export const GENESIS = makeGenesis(CHAIN, AUTHORITIES);

/** One replica of four, driven by hand. */
export function benchReplica(self: number, records: readonly JournalRecord[] = []): Replica {
  const config = { chainId: CHAIN, authorities: AUTHORITIES, self, timing: LAN, window: 2 };
  return createReplica(config, { final: { header: GENESIS, certificate: null }, ancestors: [], records });
}

export function tell(replica: Replica, event: LocalEvent): readonly Effect[] {
  return step(replica, { ...event, now: NOW });
}

/** A message as if its signatures had been checked. */
export function hear(replica: Replica, from: number, message: Message): readonly Effect[] {
  return step(replica, { type: 'message', from, message: message as Verified<Message>, now: NOW });
}

/** Starts a replica, and lets a quorum with it tell that they never saw anything of it. */
export function start(replica: Replica): readonly Effect[] {
  const effects = [...tell(replica, { type: 'start' })];
  const memory = { prepare: null, commit: null, viewChange: null, final: null, highest: null };
  for (const seat of [0, 1, 2, 3]) {
    if (seat !== replica.config.self) effects.push(...hear(replica, seat, { kind: 'memory', asked: NOW, memory }));
  }
  return effects;
}

/** An empty block of `view` on a parent; `salt` tells apart blocks that are otherwise alike. */
export function blockOn(parent: Header, view: number, salt = 0): Block {
  const body: Body = [];
  const header: Header = {
    version: HEADER_VERSION,
    chainId: CHAIN,
    height: Height(parent.height + 1),
    epoch: Epoch(0),
    view: View(view),
    previous: blockHash(parent),
    timestamp: Timestamp(NOW - 100 + parent.height + salt),
    proposer: view % 4,
    ...rootsOf(parent, body),
    authoritiesHash: authoritySetHash(AUTHORITIES),
  };
  return { header, body };
}

export function voteOf(signer: number, ballot: Ballot): Vote {
  const { phase, epoch, view, height, digest } = ballot;
  return {
    phase,
    epoch,
    view,
    height,
    digest,
    signer,
    signature: KEYS.signer(signer)(ballotSigningBytes(CHAIN, ballot)),
  };
}

export function ballotOn(phase: Ballot['phase'], { header }: Block, view = 0): Ballot {
  return { phase, epoch: Epoch(0), view: View(view), height: header.height, digest: blockHash(header) };
}

export function certificateOf(phase: Ballot['phase'], block: Block, signers: readonly number[], view = 0): Certificate {
  const ballot = ballotOn(phase, block, view);
  return { ...ballot, signers, signatures: signers.map((signer) => voteOf(signer, ballot).signature) };
}

export function proposalOf(block: Block, view = 0): Message {
  const vote = voteOf(view % 4, ballotOn('PREPARE', block, view));
  return { kind: 'pre-prepare', header: block.header, body: block.body, vote };
}

/** What was pledged, in order. */
export function pledges(effects: readonly Effect[]): Extract<Effect, { type: 'pledge' }>['pledge'][] {
  return effects.flatMap((effect) => (effect.type === 'pledge' ? [effect.pledge] : []));
}
