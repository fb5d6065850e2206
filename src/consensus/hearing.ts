import type { Certificate, Phase, Vote } from '../model/certificate.ts';
import { Height, type Timestamp } from '../model/ids.ts';
import type { Memory, MessageOf } from '../model/message.ts';
import { compareRank } from '../model/view-change.ts';
import { disownCertificate, disownVote, retire } from './own-signatures.ts';
import { broadcast, peerOf, type Replica, send } from './replica.ts';
import { learnCertificate } from './votes.ts';

/*
 * After a start an authority signs nothing until q-1 others have told what they saw of it (docs/consensus.md,
 * "Memory"). Without them it could make nothing final, so that this costs no progress.
 */

/** At a start: what the own store shows, then what the others say. */
export function beginHearing(replica: Replica): void {
  const { config, final, highest, quorum } = replica;
  if (config.self < 0) return;
  for (const certificate of [final.certificate, highest]) {
    if (certificate !== null && disownCertificate(replica, certificate)) return;
  }
  if (quorum === 1) return;
  replica.hearing = { asked: replica.now, heard: new Set(), height: Height(0) };
  askForMemory(replica);
}

/** Until enough have answered, at every Status interval. */
export function askForMemory(replica: Replica): void {
  const { hearing } = replica;
  if (hearing !== null) broadcast(replica, { kind: 'memory-request', asked: hearing.asked });
}

/** A voter answers, at most once in half a Status interval; it may be listening itself. */
export function onMemoryRequest(replica: Replica, from: number, asked: Timestamp): void {
  const peer = peerOf(replica, from);
  const { config, now } = replica;
  if (config.self < 0 || now - peer.rememberedAt < config.timing.statusMs / 2) return;
  peer.rememberedAt = now;
  send(replica, from, { kind: 'memory', asked, memory: memoryOf(replica, from) });
}

function memoryOf(replica: Replica, seat: number): Memory {
  const { final, highest, certificates } = replica;
  const { viewChange } = replica.seen[seat] ?? { viewChange: null };
  const held = [final.certificate, highest, ...certificates.values()].filter((one) => one !== null);
  return {
    prepare: highestVote(replica, seat, { phase: 'PREPARE', held }),
    commit: highestVote(replica, seat, { phase: 'COMMIT', held }),
    viewChange,
    final: final.certificate,
    highest,
  };
}

/** The highest vote of a seat that was seen, by itself or in a certificate. */
function highestVote(
  replica: Replica,
  seat: number,
  { phase, held }: { readonly phase: Phase; readonly held: readonly Certificate[] },
): Vote | null {
  const seen = replica.seen[seat];
  let best = (phase === 'PREPARE' ? seen?.prepare : seen?.commit) ?? null;
  for (const certificate of held) {
    const place = certificate.signers.indexOf(seat);
    const signature = certificate.signatures[place];
    if (certificate.phase !== phase || signature === undefined) continue;
    if (best !== null && compareRank(certificate, best) <= 0) continue;
    const { epoch, view, height, digest } = certificate;
    best = { phase, epoch, view, height, digest, signer: seat, signature };
  }
  return best;
}

/** What another has seen of this seat; verified. What is final there is reached here before anything is signed. */
export function onMemory(replica: Replica, from: number, { memory }: MessageOf<'memory'>): void {
  const { config, hearing } = replica;
  const { prepare, commit, viewChange, final, highest } = memory;
  for (const vote of [prepare, commit]) {
    if (vote !== null && vote.signer === config.self && disownVote(replica, vote)) return;
  }
  if (viewChange !== null && viewChange.signer === config.self && viewChange.newView > (replica.wish?.newView ?? -1)) {
    retire(replica, `a VIEW-CHANGE to view ${viewChange.newView}`);
    return;
  }
  for (const certificate of [final, highest]) if (certificate !== null) learnCertificate(replica, certificate);
  if (hearing === null) return;
  if (final !== null) hearing.height = Height(Math.max(hearing.height, final.height));
  hearing.heard.add(from);
}

/** Enough were heard, and what was final for them is final here: its certificates have told the rest. */
export function endHearing(replica: Replica): boolean {
  const { hearing, quorum, final } = replica;
  if (hearing === null || hearing.heard.size < quorum - 1 || final.height < hearing.height) return false;
  replica.hearing = null;
  return true;
}

/** Whether an answer is to what was asked at this start, and the first of its sender. */
export function isMemoryWanted({ hearing }: Replica, from: number, asked: Timestamp): boolean {
  return hearing !== null && asked === hearing.asked && !hearing.heard.has(from);
}
