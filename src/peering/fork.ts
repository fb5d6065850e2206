import { blockHash, type Header } from '../model/block.ts';
import type { Certificate, Jurisdiction } from '../model/certificate.ts';
import type { Hash, Height } from '../model/ids.ts';
import type { BlockReference } from '../model/peer-message.ts';
import { verifyMessage } from '../model/verified.ts';

/** What this node holds that something shown is compared with. */
export interface Held {
  readonly final: BlockReference;
  /** The set that certificates of the current epoch are judged by. */
  readonly jurisdiction: Jurisdiction;
  /** The set of an earlier epoch; undefined for one that never was. */
  readonly earlier: (epoch: number) => Jurisdiction | undefined;
  /** A final block and the certificate that makes it final; undefined where nothing is stored. */
  readonly blockAt: (height: Height) => HeldBlock | undefined;
}

interface HeldBlock {
  readonly hash: Hash;
  /** Of the block or of a descendant. */
  readonly certificate: Certificate | null;
}

/** What somebody shows of a chain, or what this node finds out about its own. */
export type Shown =
  /** The chain that a peer says it is on. */
  | { readonly kind: 'chain'; readonly chainId: Hash }
  /** Where a peer says it is; nothing is proven by it. */
  | { readonly kind: 'head'; readonly head: BlockReference }
  /** A block, and headers from its child up to the one that the certificate is of. */
  | {
      readonly kind: 'block';
      readonly header: Header;
      readonly path: readonly Header[];
      readonly certificate: Certificate | null;
    }
  /** A block that the operator vouches for. */
  | { readonly kind: 'checkpoint'; readonly trusted: BlockReference }
  /** The block from which on what is stored here is damaged, or not certified. */
  | { readonly kind: 'damage'; readonly from: Height }
  /** A block that is certified and that this node's own execution refuses. */
  | { readonly kind: 'divergence'; readonly certificate: Certificate };

/** What is to be done. No row reorganises what is final by itself. */
export type ForkVerdict =
  /** Nothing is in dispute. */
  | { readonly action: 'none' }
  /** The peer may have more of the same chain: fetch it, and believe certificates alone. */
  | { readonly action: 'sync' }
  /** The peer has less of it. */
  | { readonly action: 'serve' }
  /** Siblings above what is final: consensus drops the ones that lose, and their transactions wait again. */
  | { readonly action: 'leave-to-consensus' }
  /** Nothing is stored at that height any more, so nothing can be said. */
  | { readonly action: 'unknown' }
  | { readonly action: 'refuse'; readonly code: 'WRONG_GENESIS' }
  | { readonly action: 'penalize'; readonly code: 'UNPROVEN_CONFLICT'; readonly reason: string }
  /** More than f authorities of the current epoch signed two histories. */
  | { readonly action: 'halt'; readonly reason: 'SAFETY' | 'DIVERGED'; readonly certificates: readonly Certificate[] }
  /** Keys of an earlier epoch, which may have leaked since, signed another history: evidence, and the peer goes. */
  | { readonly action: 'alarm'; readonly code: 'RETIRED_KEYS'; readonly certificates: readonly Certificate[] }
  /** The stored chain is kept up to the block below `from`; what follows is fetched again. */
  | { readonly action: 'truncate'; readonly from: Height }
  /** The trust root was wrong: by the operator's word alone, back to what both chains share. */
  | { readonly action: 'roll-back'; readonly trusted: BlockReference };

const NONE: ForkVerdict = { action: 'none' };

/** The table of forks as one function: what to do about something that contradicts what is held, or seems to. */
export function judgeFork(held: Held, shown: Shown): ForkVerdict {
  switch (shown.kind) {
    case 'chain':
      return shown.chainId === held.jurisdiction.chainId ? NONE : { action: 'refuse', code: 'WRONG_GENESIS' };
    case 'head':
      return judgeHead(held, shown.head);
    case 'block':
      return judgeBlock(held, shown);
    case 'checkpoint':
      return judgeCheckpoint(held, shown.trusted);
    case 'damage':
      return { action: 'truncate', from: shown.from };
    case 'divergence':
      return { action: 'halt', reason: 'DIVERGED', certificates: [shown.certificate] };
  }
}

function judgeHead({ final, blockAt }: Held, head: BlockReference): ForkVerdict {
  if (head.height > final.height) return { action: 'sync' };
  const own = blockAt(head.height);
  if (own === undefined) return { action: 'unknown' };
  // Whoever says so proves nothing: the certificate that comes with a block does.
  if (own.hash !== head.hash) return { action: 'sync' };
  return head.height === final.height ? NONE : { action: 'serve' };
}

function judgeBlock(held: Held, shown: Extract<Shown, { kind: 'block' }>): ForkVerdict {
  const { header, path, certificate } = shown;
  if (header.chainId !== held.jurisdiction.chainId) return { action: 'refuse', code: 'WRONG_GENESIS' };
  if (header.height > held.final.height) return { action: certificate === null ? 'leave-to-consensus' : 'sync' };
  const own = held.blockAt(header.height);
  if (own === undefined) return { action: 'unknown' };
  if (own.hash === blockHash(header)) return NONE;
  const penalize = (reason: string): ForkVerdict => ({ action: 'penalize', code: 'UNPROVEN_CONFLICT', reason });
  if (certificate === null) return penalize(`another block ${header.height} than the final one, without a certificate`);
  const isCurrent = certificate.epoch === held.jurisdiction.authorities.epoch;
  const jurisdiction = isCurrent ? held.jurisdiction : held.earlier(certificate.epoch);
  const proof = jurisdiction && verifyMessage({ kind: 'final', header, path, certificate }, jurisdiction);
  if (proof === undefined) return penalize(`a certificate of epoch ${certificate.epoch}, which never was`);
  if (!proof.ok) return penalize(`another block ${header.height} than the final one: ${proof.error.reason}`);
  const certificates = own.certificate === null ? [certificate] : [own.certificate, certificate];
  return isCurrent
    ? { action: 'halt', reason: 'SAFETY', certificates }
    : { action: 'alarm', code: 'RETIRED_KEYS', certificates };
}

function judgeCheckpoint({ final, blockAt }: Held, trusted: BlockReference): ForkVerdict {
  if (trusted.height > final.height) return { action: 'sync' };
  const own = blockAt(trusted.height);
  if (own === undefined) return { action: 'unknown' };
  return own.hash === trusted.hash ? NONE : { action: 'roll-back', trusted };
}

/** Who vouches for the chain of a node that was away. */
export type Trust = 'trusted' | 'needs-checkpoint';

export interface Absence {
  /** From the newest final block until now, by the clock; negative when that is wrong. Milliseconds. */
  readonly awayMs: number;
  readonly trustPeriodMs: number;
  /** Whether a checkpoint of the operator's that is newer than the trust period lies on the chain. */
  readonly hasCheckpoint: boolean;
  /** Peers that the operator named and that hold this node's newest block final. */
  readonly agreeing: number;
}

/** Peers of the configuration that must agree in place of a checkpoint. */
export const AGREEING_PEERS_MIN = 2;

/**
 * Weak subjectivity: keys that were retired meanwhile may have leaked, and could sign another history to whoever was
 * away for long. What was known to be final before is not in doubt; what is offered now is.
 */
export function judgeAbsence({ awayMs, trustPeriodMs, hasCheckpoint, agreeing }: Absence): Trust {
  if (awayMs <= trustPeriodMs || hasCheckpoint) return 'trusted';
  return agreeing >= AGREEING_PEERS_MIN ? 'trusted' : 'needs-checkpoint';
}
