import { InvariantError } from '../../lib/assert.ts';
import type { Prng } from '../../lib/prng.ts';
import { type Body, blockHash, type Header, transactionsRoot } from '../../model/block.ts';
import { ballotSigningBytes, type Jurisdiction } from '../../model/certificate.ts';
import { decode, encode } from '../../model/codec.ts';
import { Signature } from '../../model/ids.ts';
import { type Message, type MessageOf, messageLayout } from '../../model/message.ts';
import { sealTransaction, type Transaction } from '../../model/transaction.ts';
import type { Signer } from '../../node/ports.ts';
import { type Adversary, createAdversary, type StrategyName } from '../adversary.ts';
import type { WireLie } from './scenario.ts';

/** What a liar can do: it holds one key, and the line to everybody. */
export interface LiarMeans {
  readonly seat: number;
  readonly jurisdiction: Jurisdiction;
  readonly signer: Signer;
  readonly prng: Prng;
  after(delayMs: number, run: () => void): void;
  transmit(to: number, frame: Uint8Array): void;
  /** Lets checkers know a block that only this liar made. */
  reveal(header: Header): void;
}

const NOBODYS_SIGNATURE = Signature('cd'.repeat(64));

/** A whole node inside, and lies on the way out: of messages as the bare simulator knows them, and of bytes. */
export class FullLiar {
  readonly #means: LiarMeans;
  readonly #lies: readonly WireLie[];
  readonly #adversary: Adversary;
  readonly #known = new WeakMap<Uint8Array, Message>();
  readonly #forged = new WeakMap<Message, Message>();

  constructor(means: LiarMeans, strategies: readonly StrategyName[], lies: readonly WireLie[]) {
    const { seat, jurisdiction, prng, signer } = means;
    const { chainId, authorities } = jurisdiction;
    this.#means = means;
    this.#lies = lies;
    this.#adversary = createAdversary(
      {
        seat,
        chainId,
        authorities,
        prng,
        sign: (bytes) => signer.sign(bytes),
        transmit: (to, message) => this.#say(to, message),
        after: (delayMs, run) => means.after(delayMs, run),
        reveal: (header) => means.reveal(header),
      },
      strategies,
    );
  }

  /** What becomes of a frame that the node inside wants to send. */
  speak(to: number, frame: Uint8Array): void {
    const message = this.#decoded(frame);
    if (message === undefined) return;
    if (message.kind === 'pre-prepare') this.#means.reveal(message.header);
    for (const bent of this.#adversary.bend(to, message)) {
      for (const forged of this.#lies.reduce<readonly Message[]>((all, lie) => this.#forge(lie, all), [bent])) {
        this.#say(to, forged);
      }
    }
    if (this.#lies.includes('garbage-frames') && this.#means.prng.chance(0.05)) {
      this.#means.transmit(to, this.#garbage(frame));
    }
  }

  overhear(from: number, frame: Uint8Array): void {
    const message = this.#decoded(frame);
    if (message !== undefined) this.#adversary.overhear(from, message);
  }

  #decoded(frame: Uint8Array): Message | undefined {
    const known = this.#known.get(frame);
    if (known !== undefined) return known;
    const decoded = decode(messageLayout, frame);
    if (!decoded.ok) return undefined;
    this.#known.set(frame, decoded.value);
    return decoded.value;
  }

  /** Some lies cannot even be written down. */
  #say(to: number, message: Message): void {
    let frame: Uint8Array;
    try {
      frame = encode(messageLayout, message);
    } catch (error) {
      if (error instanceof InvariantError) return;
      throw error;
    }
    this.#means.transmit(to, frame);
  }

  #forge(lie: WireLie, messages: readonly Message[]): readonly Message[] {
    return messages.flatMap((message) => {
      const known = this.#forged.get(message);
      if (known !== undefined) return [known];
      const forged = this.#forgeOne(lie, message);
      if (forged !== message) this.#forged.set(message, forged);
      return [forged];
    });
  }

  #forgeOne(lie: WireLie, message: Message): Message {
    const { prng } = this.#means;
    switch (lie) {
      case 'garbage-frames':
        return message;
      case 'forged-client-signatures':
        return message.kind === 'pre-prepare' && message.body !== null && message.body.length > 0
          ? this.#withForgedSignature(message, message.body)
          : message;
      case 'bad-blocks':
        return message.kind === 'blocks' || message.kind === 'body' ? this.#badBlocks(message) : message;
      case 'forged-transactions':
        return message.kind === 'transactions' && prng.chance(0.5)
          ? { kind: 'transactions', transactions: message.transactions.map(unsigned) }
          : message;
    }
  }

  /** A block that is right in everything but one client's signature, which others may hold in their mempools. */
  #withForgedSignature(message: MessageOf<'pre-prepare'>, body: Body): Message {
    const { signer, jurisdiction, reveal } = this.#means;
    const [first, ...rest] = body;
    if (first === undefined) return message;
    const forged = [unsigned(first), ...rest];
    const header = { ...message.header, transactionsRoot: transactionsRoot(forged) };
    reveal(header);
    const ballot = { ...message.vote, digest: blockHash(header) };
    const vote = { ...ballot, signature: signer.sign(ballotSigningBytes(jurisdiction.chainId, ballot)) };
    return { kind: 'pre-prepare', header, body: forged, vote };
  }

  /** What a node that catches up must not believe. */
  #badBlocks(message: MessageOf<'blocks'> | MessageOf<'body'>): Message {
    const { prng } = this.#means;
    if (message.kind === 'body') {
      const { header, body } = message.block;
      return { kind: 'body', block: { header, body: prng.chance(0.5) ? body.slice(1) : body.map(unsigned) } };
    }
    const { blocks, certificate } = message;
    const spoiled = blocks.map(({ header, body }) => ({ header, body: body.map(unsigned) }));
    switch (prng.below(4)) {
      case 0:
        return { kind: 'blocks', blocks: spoiled, certificate };
      case 1:
        return { kind: 'blocks', blocks: blocks.slice(0, -1), certificate };
      case 2:
        return { kind: 'blocks', blocks: blocks.slice(1), certificate };
      default:
        return { kind: 'blocks', blocks: [], certificate: null };
    }
  }

  #garbage(frame: Uint8Array): Uint8Array {
    const { prng } = this.#means;
    const bytes = frame.slice(0, prng.chance(0.5) ? frame.length : prng.below(frame.length + 1));
    for (let count = prng.below(4); count > 0 && bytes.length > 0; count -= 1) {
      bytes[prng.below(bytes.length)] = prng.below(256);
    }
    return bytes;
  }
}

/** The same transaction under the same id, signed by nobody. */
function unsigned(transaction: Transaction): Transaction {
  return sealTransaction(transaction.body, NOBODYS_SIGNATURE);
}
