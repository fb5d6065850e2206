import type { Pledge } from '../consensus/effect.ts';
import type { JournalRecord } from '../consensus/record.ts';
import { unreachable } from '../lib/assert.ts';
import { type Ballot, ballotSigningBytes, type Vote } from '../model/certificate.ts';
import type { Hash } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { checkpointSigningBytes, newViewSigningBytes, viewChangeSigningBytes } from '../model/view-change.ts';
import type { Signer } from './ports.ts';

/** Whose hand signs, in which seat of which chain. */
interface Hand {
  readonly signer: Signer;
  readonly seat: number;
  readonly chainId: Hash;
}

/** A pledge with its signature: what the others get, and what the journal must hold before they do. */
interface SignedPledge {
  readonly message: Message;
  readonly record: JournalRecord;
}

/** Puts this authority's signature under a pledge. Deterministic (RFC 8032): the same pledge gives the same bytes. */
export function signPledge(pledge: Pledge, hand: Hand): SignedPledge {
  const { signer, chainId } = hand;
  switch (pledge.kind) {
    case 'vote': {
      const vote = signBallot(pledge.ballot, hand);
      return { message: { kind: 'vote', vote }, record: { kind: 'vote', vote } };
    }
    case 'proposal': {
      const { header, body } = pledge;
      const vote = signBallot(pledge.ballot, hand);
      return { message: { kind: 'pre-prepare', header, body, vote }, record: { kind: 'vote', vote } };
    }
    case 'view-change': {
      const signature = signer.sign(viewChangeSigningBytes(chainId, pledge.viewChange));
      const viewChange = { ...pledge.viewChange, signature };
      return both({ kind: 'view-change', viewChange, certificate: pledge.certificate });
    }
    case 'new-view': {
      const signature = signer.sign(newViewSigningBytes(chainId, pledge.newView));
      return both({ kind: 'new-view', newView: { ...pledge.newView, signature } });
    }
    case 'checkpoint': {
      const signature = signer.sign(checkpointSigningBytes(chainId, pledge.checkpoint));
      return both({ kind: 'checkpoint', checkpoint: { ...pledge.checkpoint, signature } });
    }
    default:
      return unreachable(pledge);
  }
}

function both(signed: Message & JournalRecord): SignedPledge {
  return { message: signed, record: signed };
}

function signBallot(ballot: Ballot, { signer, seat, chainId }: Hand): Vote {
  return { ...ballot, signer: seat, signature: signer.sign(ballotSigningBytes(chainId, ballot)) };
}
