import type { Prng } from '../lib/prng.ts';
import { type AuthoritySet, primaryIndex, quorumOf } from '../model/authorities.ts';
import { type Body, blockHash, type Header } from '../model/block.ts';
import { type Ballot, ballotSigningBytes, type Certificate, type Vote } from '../model/certificate.ts';
import { Hash, Height, type Signature, View } from '../model/ids.ts';
import type { Message, MessageOf } from '../model/message.ts';
import {
  compareRank,
  type NewView,
  newViewSigningBytes,
  type ViewChange,
  viewChangeSigningBytes,
} from '../model/view-change.ts';

/** Ways to lie. Each is a strategy: random noise alone finds little. */
export type StrategyName =
  | 'silent'
  | 'equivocate'
  | 'propose-twice'
  | 'back-everything'
  | 'forget-claim'
  | 'withhold-body'
  | 'wrong-state'
  | 'partial-commit'
  | 'partial-votes'
  | 'stale-new-view'
  | 'double-new-view'
  | 'ignore-anchor'
  | 'usurp'
  | 'future-flood'
  | 'garbage-signatures'
  | 'padded-certificates'
  | 'false-status'
  | 'slow'
  | 'drop-some'
  | 'replay';

/** What a liar can do: it holds its own key and no other. */
export interface Means {
  readonly seat: number;
  readonly chainId: Hash;
  readonly authorities: AuthoritySet;
  readonly prng: Prng;
  sign(bytes: Uint8Array): Signature;
  /** Puts a message on the wire as it is. */
  transmit(to: number, message: Message): void;
  after(delayMs: number, run: () => void): void;
  /** Lets checkers know a block that only this liar made. */
  reveal(header: Header): void;
}

/** A correct node inside, and lies on the way out. */
export interface Adversary {
  /** What goes to `to` instead of this message. */
  bend(to: number, message: Message): readonly Message[];
  /** Looks at what arrives. */
  overhear(from: number, message: Message): void;
}

const OVERHEARD_MAX = 64;

export function createAdversary(means: Means, strategies: readonly StrategyName[]): Adversary {
  const liar = new Liar(means);
  return {
    bend: (to, message) => {
      let messages: readonly Message[] = [message];
      for (const name of strategies) messages = messages.flatMap((one) => liar.bend(name, to, one));
      return messages;
    },
    overhear: (from, message) => {
      liar.remember(message);
      for (const name of strategies) liar.overhear(name, from, message);
    },
  };
}

class Liar {
  readonly #means: Means;
  readonly #seats: readonly number[];
  readonly #favourite: number;
  #overheard: Message[] = [];
  readonly #certificates: Certificate[] = [];
  readonly #viewChanges = new Map<string, MessageOf<'view-change'>>();
  readonly #bodies = new Map<Hash, Body>();
  readonly #backed = new Set<string>();
  readonly #forged = new WeakMap<Message, Message>();

  constructor(means: Means) {
    this.#means = means;
    this.#seats = means.authorities.authorities.map((_, seat) => seat).filter((seat) => seat !== means.seat);
    this.#favourite = this.#seats.length > 0 ? means.prng.pick(this.#seats) : 0;
  }

  remember(message: Message): void {
    this.#overheard.push(message);
    if (this.#overheard.length > OVERHEARD_MAX) this.#overheard.shift();
    if (message.kind === 'view-change') {
      const { signer, newView } = message.viewChange;
      this.#viewChanges.set(`${newView}/${signer}`, message);
      if (message.certificate !== null) this.#certificates.push(message.certificate);
    }
    if (message.kind === 'pre-prepare' && message.body !== null) {
      this.#bodies.set(message.header.transactionsRoot, message.body);
    }
    if (message.kind === 'certificate' || message.kind === 'final') this.#certificates.push(message.certificate);
  }

  /** Each forgery of a broadcast is made once, so that all who get it get the same. */
  #once(message: Message, make: () => Message): Message {
    const known = this.#forged.get(message);
    if (known !== undefined) return known;
    const made = make();
    this.#forged.set(message, made);
    return made;
  }

  bend(name: StrategyName, to: number, message: Message): readonly Message[] {
    const { prng, after, transmit } = this.#means;
    switch (name) {
      case 'silent':
        return [];
      case 'drop-some':
        return prng.chance(0.3) ? [] : [message];
      case 'slow':
        after(450, () => transmit(to, message));
        return [];
      case 'partial-commit':
        return message.kind === 'vote' && message.vote.phase === 'COMMIT' && to !== this.#favourite ? [] : [message];
      case 'partial-votes':
        return message.kind === 'vote' && to !== this.#favourite ? [] : [message];
      case 'withhold-body':
        if (message.kind === 'body' || message.kind === 'blocks') return [];
        return message.kind === 'pre-prepare' && to % 2 === 0 ? [{ ...message, body: null }] : [message];
      case 'garbage-signatures':
        return prng.chance(0.5) ? [message] : [this.#garble(message)];
      case 'replay':
        return this.#overheard.length > 0 && prng.chance(0.2) ? [message, prng.pick(this.#overheard)] : [message];
      case 'false-status':
        return message.kind === 'status' ? [this.#falseStatus(message)] : [message];
      default:
        return this.#bendByForging(name, to, message);
    }
  }

  #bendByForging(name: StrategyName, to: number, message: Message): readonly Message[] {
    switch (name) {
      case 'equivocate':
        return this.#equivocate(to, message);
      case 'propose-twice':
        return message.kind === 'pre-prepare' && message.body !== null
          ? [message, this.#once(message, () => this.#later(message))]
          : [message];
      case 'wrong-state':
        return message.kind === 'pre-prepare' && message.body !== null
          ? [this.#once(message, () => this.#resealed(message, { stateRoot: Hash('ee'.repeat(32)) }))]
          : [message];
      case 'forget-claim':
        return message.kind === 'view-change' ? [this.#once(message, () => this.#forgetful(message))] : [message];
      case 'stale-new-view':
        return message.kind === 'new-view' ? [this.#once(message, () => this.#newView(message, 'low'))] : [message];
      case 'double-new-view':
        return message.kind === 'new-view' && to % 2 === 0
          ? [this.#once(message, () => this.#newView(message, 'low'))]
          : [message];
      case 'padded-certificates':
        return this.#padded(message);
      case 'ignore-anchor':
        return message.kind === 'pre-prepare' && message.body === null
          ? [this.#once(message, () => this.#besideAnchor(message))]
          : [message];
      default:
        return [message];
    }
  }

  overhear(name: StrategyName, from: number, message: Message): void {
    if (name === 'back-everything') this.#back(message);
    if (name === 'usurp' && message.kind === 'pre-prepare' && message.body !== null) this.#usurp(message);
    if (name === 'future-flood' && message.kind === 'status') this.#flood(from, message.status.view);
  }

  #vote(ballot: Ballot): Vote {
    const { seat, chainId, sign } = this.#means;
    const { phase, epoch, view, height, digest } = ballot;
    return { phase, epoch, view, height, digest, signer: seat, signature: sign(ballotSigningBytes(chainId, ballot)) };
  }

  /** Signs both phases of whatever anybody votes for. */
  #back(message: Message): void {
    if (message.kind !== 'vote' && message.kind !== 'pre-prepare') return;
    const { vote } = message;
    const key = `${vote.view}/${vote.height}/${vote.digest}`;
    if (this.#backed.has(key)) return;
    this.#backed.add(key);
    for (const phase of ['PREPARE', 'COMMIT'] as const) {
      const backing = this.#vote({ ...vote, phase });
      const isPrimary = primaryIndex(this.#means.authorities, vote.view) === this.#means.seat;
      if (isPrimary && phase === 'PREPARE') continue;
      for (const seat of this.#seats) this.#means.transmit(seat, { kind: 'vote', vote: backing });
    }
  }

  /** Votes and wishes of views that will not come for long. */
  #flood(to: number, view: View): void {
    const { prng, chainId, seat, authorities, sign, transmit } = this.#means;
    const { epoch } = authorities;
    for (let count = 0; count < 5; count += 1) {
      const digest = Hash(prng.below(1_000_000).toString(16).padStart(64, '0'));
      const ballot: Ballot = {
        phase: prng.chance(0.5) ? 'PREPARE' : 'COMMIT',
        epoch,
        view: View(view + prng.below(20)),
        height: Height(1 + prng.below(30)),
        digest,
      };
      transmit(to, { kind: 'vote', vote: this.#vote(ballot) });
    }
    const wish: Omit<ViewChange, 'signature'> = {
      epoch,
      newView: View(view + 1 + prng.below(1_000_000)),
      signer: seat,
      finalHeight: Height(0),
      finalHash: Hash('00'.repeat(32)),
      claim: null,
    };
    const viewChange = { ...wish, signature: sign(viewChangeSigningBytes(chainId, wish)) };
    transmit(to, { kind: 'view-change', viewChange, certificate: null });
  }

  #resealed(message: MessageOf<'pre-prepare'>, change: Partial<Header>): MessageOf<'pre-prepare'> {
    const header = { ...message.header, ...change };
    this.#means.reveal(header);
    return { ...message, header, vote: this.#vote({ ...message.vote, digest: blockHash(header) }) };
  }

  /** One block for the even seats, another for the odd ones, each backed by its votes. */
  #equivocate(to: number, message: Message): readonly Message[] {
    if (message.kind === 'pre-prepare' && message.body !== null && to % 2 === 0) {
      return [this.#once(message, () => this.#later(message))];
    }
    return [message];
  }

  /** The same block, a millisecond later. */
  #later(message: MessageOf<'pre-prepare'>): MessageOf<'pre-prepare'> {
    return this.#resealed(message, { timestamp: (message.header.timestamp + 1) as Header['timestamp'] });
  }

  /** A fresh block where the view begins, in place of the one that must be proposed again. */
  #besideAnchor(message: MessageOf<'pre-prepare'>): Message {
    const { header, vote } = message;
    const body = this.#bodies.get(header.transactionsRoot);
    if (body === undefined) return message;
    const timestamp = (header.timestamp + 1) as Header['timestamp'];
    return { ...this.#resealed(message, { view: vote.view, proposer: this.#means.seat, timestamp }), body };
  }

  /** A backup that proposes a block of its own beside the primary's. */
  #usurp(message: MessageOf<'pre-prepare'>): void {
    const { seat, transmit, authorities } = this.#means;
    // Not another usurper's: they would incite each other for ever.
    if (message.vote.signer !== primaryIndex(authorities, message.vote.view)) return;
    const forged = this.#once(message, () => {
      const timestamp = (message.header.timestamp + 1) as Header['timestamp'];
      return this.#resealed(message, { proposer: seat, timestamp });
    });
    for (const to of this.#seats) if (to % 2 === 0) transmit(to, forged);
  }

  /** A VIEW-CHANGE that claims nothing, or an old certificate. */
  #forgetful(message: MessageOf<'view-change'>): Message {
    const { chainId, sign, prng } = this.#means;
    const older = this.#certificates.filter(
      (one) =>
        one.view < message.viewChange.newView &&
        (message.certificate === null || compareRank(one, message.certificate) < 0),
    );
    const certificate = older.length > 0 && prng.chance(0.5) ? prng.pick(older) : null;
    const claim =
      certificate === null
        ? null
        : {
            view: certificate.view,
            height: certificate.height,
            digest: certificate.digest,
            phase: certificate.phase,
          };
    const wish = { ...message.viewChange, claim };
    const viewChange = { ...wish, signature: sign(viewChangeSigningBytes(chainId, wish)) };
    return { kind: 'view-change', viewChange, certificate };
  }

  /** A valid NEW-VIEW from the quorum with the lowest claims. */
  #newView(message: MessageOf<'new-view'>, _choice: 'low'): Message {
    const { chainId, sign, authorities } = this.#means;
    const { view, epoch } = message.newView;
    const held = [...this.#viewChanges.values()].filter(({ viewChange }) => viewChange.newView === view);
    const own = message.newView.viewChanges.find(({ signer }) => signer === this.#means.seat);
    const rank = ({ viewChange }: MessageOf<'view-change'>): number =>
      viewChange.claim === null ? -1 : viewChange.claim.view * 1_000_000 + viewChange.claim.height;
    held.sort((a, b) => rank(a) - rank(b));
    const quorum = quorumOf(authorities.authorities.length);
    const ownMessage =
      own?.claim === null ? [{ kind: 'view-change' as const, viewChange: own, certificate: null }] : [];
    const chosen = [...ownMessage, ...held].slice(0, quorum);
    if (chosen.length < quorum) return message;
    chosen.sort((a, b) => a.viewChange.signer - b.viewChange.signer);
    let anchor: Certificate | null = null;
    for (const { certificate } of chosen) {
      if (certificate !== null && (anchor === null || compareRank(certificate, anchor) > 0)) anchor = certificate;
    }
    const unsigned: Omit<NewView, 'signature'> = {
      epoch,
      view,
      viewChanges: chosen.map(({ viewChange }) => viewChange),
      anchor,
    };
    return { kind: 'new-view', newView: { ...unsigned, signature: sign(newViewSigningBytes(chainId, unsigned)) } };
  }

  #garble(message: Message): Message {
    const bad = `${'ab'.repeat(64)}` as Signature;
    if (message.kind === 'vote') return { ...message, vote: { ...message.vote, signature: bad } };
    if (message.kind === 'pre-prepare') return { ...message, vote: { ...message.vote, signature: bad } };
    if (message.kind === 'view-change') {
      return { ...message, viewChange: { ...message.viewChange, signature: bad } };
    }
    return message;
  }

  /** Certificates that are none: too few signers, another height or phase. */
  #padded(message: Message): readonly Message[] {
    const known = this.#certificates.at(-1);
    if (known === undefined || message.kind !== 'status') return [message];
    const few: Certificate = { ...known, signers: known.signers.slice(1), signatures: known.signatures.slice(1) };
    const higher: Certificate = { ...known, height: Height(known.height + 1) };
    const doubled: Certificate = {
      ...known,
      signers: known.signers.map(() => known.signers[0] ?? 0),
      signatures: known.signatures.map(() => known.signatures[0] ?? ('' as Signature)),
    };
    const other: Certificate = { ...known, phase: known.phase === 'COMMIT' ? 'PREPARE' : 'COMMIT' };
    return [
      message,
      ...[few, higher, doubled, other].map((certificate) => ({ kind: 'certificate' as const, certificate })),
    ];
  }

  #falseStatus(message: MessageOf<'status'>): Message {
    const { status } = message;
    return {
      kind: 'status',
      status: {
        ...status,
        finalHeight: Height(status.finalHeight + 1_000),
        suspects: status.view,
        highest: { view: View(status.view + 5), height: Height(status.finalHeight + 1_000) },
      },
    };
  }
}
