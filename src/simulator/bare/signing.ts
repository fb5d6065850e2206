import type { Pledge } from '../../consensus/effect.ts';
import type { JournalRecord } from '../../consensus/record.ts';
import { ballotSigningBytes } from '../../model/certificate.ts';
import type { Hash, Signature } from '../../model/ids.ts';
import type { Message, MessageOf } from '../../model/message.ts';
import { checkpointSigningBytes, newViewSigningBytes, viewChangeSigningBytes } from '../../model/view-change.ts';

/** The signed message of a pledge, and the record that must be durable before it leaves. */
export function signPledge(
  pledge: Pledge,
  seat: number,
  chainId: Hash,
  sign: (bytes: Uint8Array) => Signature,
): { readonly message: Message; readonly record: JournalRecord } {
  switch (pledge.kind) {
    case 'vote':
    case 'proposal': {
      const vote = { ...pledge.ballot, signer: seat, signature: sign(ballotSigningBytes(chainId, pledge.ballot)) };
      const record: JournalRecord = { kind: 'vote', vote };
      if (pledge.kind === 'vote') return { message: { kind: 'vote', vote }, record };
      return { message: { kind: 'pre-prepare', header: pledge.header, body: pledge.body, vote }, record };
    }
    case 'view-change': {
      const viewChange = { ...pledge.viewChange, signature: sign(viewChangeSigningBytes(chainId, pledge.viewChange)) };
      const message: MessageOf<'view-change'> = { kind: 'view-change', viewChange, certificate: pledge.certificate };
      return { message, record: message };
    }
    case 'new-view': {
      const newView = { ...pledge.newView, signature: sign(newViewSigningBytes(chainId, pledge.newView)) };
      const message: MessageOf<'new-view'> = { kind: 'new-view', newView };
      return { message, record: message };
    }
    case 'checkpoint': {
      const checkpoint = { ...pledge.checkpoint, signature: sign(checkpointSigningBytes(chainId, pledge.checkpoint)) };
      const message: MessageOf<'checkpoint'> = { kind: 'checkpoint', checkpoint };
      return { message, record: message };
    }
  }
}
