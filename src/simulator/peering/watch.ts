import { quorumOf } from '../../model/authorities.ts';
import { blockHash } from '../../model/block.ts';
import { ballotSigningBytes, type Certificate, type Jurisdiction } from '../../model/certificate.ts';
import type { Hash } from '../../model/ids.ts';
import type { StoredBlock } from '../../store/blocks.ts';
import type { Chain } from '../../store/chain.ts';
import { Violation } from '../checkers.ts';
import type { Station } from './station.ts';

/** Events of one station between two looks at what it holds. */
const LOOK_EVENTS = 16;

interface Seen {
  boots: number;
  height: number;
  events: number;
}

/** Sees every station after everything that happens to it, and checks what no liar may bring about. */
export class Watch {
  readonly #jurisdiction: Jurisdiction;
  /** The one chain, as the first honest station to reach each height has it. */
  readonly #chain = new Map<number, Hash>();
  readonly #certified = new Set<string>();
  readonly #seen = new Map<string, Seen>();
  readonly #honest: ReadonlySet<string>;
  /** How often a bound was looked at, and the fullest of each kind. */
  readonly fullest = new Map<string, number>();

  constructor(jurisdiction: Jurisdiction, honest: readonly string[]) {
    this.#jurisdiction = jurisdiction;
    this.#honest = new Set(honest);
  }

  get height(): number {
    return this.#chain.size - 1;
  }

  /** @throws Violation */
  afterEvent(station: Station): void {
    const seen = this.#seen.get(station.plan.name) ?? { boots: 0, height: -1, events: 0 };
    this.#seen.set(station.plan.name, seen);
    if (seen.boots !== station.boots) Object.assign(seen, { boots: station.boots, height: -1 });
    seen.events += 1;
    if (station.chain !== undefined) this.#blocks(station, station.chain, seen);
    if (station.node?.replica.mode === 'halted') throw new Violation('nobody is made to halt', station.plan.name);
    this.#bans(station);
    if (seen.events % LOOK_EVENTS === 0) this.#levels(station);
  }

  #blocks(station: Station, chain: Chain, seen: Seen): void {
    const { height } = chain.visibleHead.header;
    const { name } = station.plan;
    if (height < seen.height)
      throw new Violation('what is final stays', `${name} went from ${seen.height} to ${height}`);
    for (let at = Math.max(seen.height + 1, chain.oldest); at <= height; at += 1) {
      const stored = chain.block(at);
      if (stored === undefined) throw new Violation('no gaps', `${name} has no block ${at} of ${height}`);
      this.#enter(name, stored);
      if (at > 0 && !this.#isCertified(chain, stored)) {
        throw new Violation('what is final has a valid certificate', `${name} at height ${at}`);
      }
    }
    seen.height = height;
  }

  #enter(name: string, { header, hash }: StoredBlock): void {
    const known = this.#chain.get(header.height);
    if (known === undefined) this.#chain.set(header.height, hash);
    else if (known !== hash) throw new Violation('one chain', `${name} has another block ${header.height}`);
  }

  /** A quorum has signed it, or a descendant that links back to it. Judged here by its own rule. */
  #isCertified(chain: Chain, stored: StoredBlock): boolean {
    const { certificate, certifiedHeight } = stored;
    let { hash } = stored;
    for (let at = stored.header.height + 1; at <= certifiedHeight; at += 1) {
      const next = chain.block(at);
      if (next === undefined || next.header.previous !== hash) return false;
      hash = blockHash(next.header);
    }
    return (
      certificate !== null &&
      certificate.height === certifiedHeight &&
      certificate.digest === hash &&
      this.#isQuorum(certificate)
    );
  }

  #isQuorum(certificate: Certificate): boolean {
    const { chainId, authorities, check } = this.#jurisdiction;
    const key = `${certificate.digest} ${certificate.signers.join()} ${certificate.signatures.join()}`;
    if (this.#certified.has(key)) return true;
    const message = ballotSigningBytes(chainId, certificate);
    const valid = new Set(
      certificate.signers.filter((seat, index) => {
        const authority = authorities.authorities[seat];
        const signature = certificate.signatures[index];
        return authority !== undefined && signature !== undefined && check(authority.publicKey, message, signature);
      }),
    );
    const isValid = certificate.phase === 'COMMIT' && valid.size >= quorumOf(authorities.authorities.length);
    if (isValid) this.#certified.add(key);
    return isValid;
  }

  #bans(station: Station): void {
    for (const { id, reason } of station.known?.bans() ?? []) {
      if (!this.#honest.has(id)) continue;
      throw new Violation('an honest peer is never banned', `${station.plan.name} bans ${id.slice(0, 8)}: ${reason}`);
    }
  }

  #levels(station: Station): void {
    for (const { what, size, sizeMax } of station.node?.peering?.levels() ?? []) {
      this.fullest.set(what, Math.max(this.fullest.get(what) ?? 0, size));
      if (size > sizeMax)
        throw new Violation('what is held is bounded', `${station.plan.name}: ${what} ${size} of ${sizeMax}`);
    }
  }
}
