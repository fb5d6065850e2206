import { WebSocket } from 'ws';
import { followFeed } from '../client/feed.ts';
import type { Client } from '../client/http.ts';
import { type BlockStory, wordsOf } from './story.ts';

const AGAIN_MS = 200;

export interface FollowOptions {
  /** Of the gateway, so that any live node will do. */
  readonly client: Pick<Client, 'url' | 'block' | 'certificate'>;
  /** First height to tell of. */
  readonly from: number;
  /** Names by seat. */
  readonly authorities: readonly string[];
  readonly onBlock: (story: BlockStory) => void;
}

/** Tells of every final block in order, from whichever node can be reached. */
export class BlockFollower {
  readonly #options: FollowOptions;
  readonly #stop = new AbortController();
  #lastTold: number;
  #waiting: { readonly height: number; readonly resolve: () => void }[] = [];
  /** Blocks are told one after another, although what is known of each is fetched. */
  #told: Promise<void> = Promise.resolve();

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#lastTold = options.from - 1;
  }

  start(): void {
    const { client, from } = this.#options;
    void followFeed({
      url: client.url,
      connect: (url) => new WebSocket(url, { perMessageDeflate: false }),
      topics: ['block'],
      from,
      onEvent: ({ type, height }) => {
        if (type === 'block_finalised') this.#heard(height);
      },
      signal: this.#stop.signal,
    });
  }

  /** Resolves when the block at `height` has been told, or nothing will be told any more. */
  told(height: number): Promise<void> {
    if (this.#stop.signal.aborted || height <= this.#lastTold) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ height, resolve }));
  }

  stop(): void {
    this.#stop.abort();
    this.#release(Number.POSITIVE_INFINITY);
  }

  #heard(height: number): void {
    const knownAt = Date.now();
    this.#told = this.#told.then(() => this.#tell(height, knownAt));
  }

  async #tell(height: number, knownAt: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const story = await this.#story(height, knownAt);
      if (story !== undefined) {
        if (!signal.aborted) this.#options.onBlock(story);
        break;
      }
      // The node went away between its word and our question: the gateway asks the next one.
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    this.#release(height);
  }

  #release(height: number): void {
    this.#lastTold = height;
    for (const waiter of this.#waiting) if (waiter.height <= height) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.height > height);
  }

  async #story(height: number, knownAt: number): Promise<BlockStory | undefined> {
    const { client, authorities } = this.#options;
    const [block, certified] = await Promise.all([client.block(height), client.certificate(height)]);
    if (!block.ok || !certified.ok) return undefined;
    const { header } = block.value;
    return {
      height,
      time: header.timestamp,
      proposer: authorities[header.proposer] ?? `seat ${header.proposer}`,
      words: wordsOf(block.value),
      finalMs: Math.max(0, knownAt - Date.parse(header.timestamp)),
      signed: certified.value.certificate.signatures.length,
      authorities: authorities.length,
    };
  }
}
