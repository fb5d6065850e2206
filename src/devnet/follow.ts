import { WebSocket } from 'ws';
import type { Client } from '../client/http.ts';
import { type BlockStory, wordsOf } from './story.ts';

const RECONNECT_MS = 200;

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
  #next: number;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #lastTold: number;
  #waiting: { readonly height: number; readonly resolve: () => void }[] = [];
  /** Blocks are told one after another, although what is known of each is fetched. */
  #told: Promise<void> = Promise.resolve();

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#next = options.from;
    this.#lastTold = options.from - 1;
  }

  start(): void {
    if (this.#stopped) return;
    const socket = new WebSocket(`${this.#options.client.url.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', topics: ['block'], from: this.#next })));
    socket.on('message', (message) => this.#heard(message.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), RECONNECT_MS);
    });
  }

  /** Resolves when the block at `height` has been told, or nothing will be told any more. */
  told(height: number): Promise<void> {
    if (this.#stopped || height <= this.#lastTold) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ height, resolve }));
  }

  stop(): void {
    this.#stopped = true;
    this.#release(Number.POSITIVE_INFINITY);
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #heard(text: string): void {
    const height = blockHeightIn(text);
    if (height !== this.#next) return;
    const knownAt = Date.now();
    this.#next += 1;
    this.#told = this.#told.then(() => this.#tell(height, knownAt));
  }

  async #tell(height: number, knownAt: number): Promise<void> {
    while (!this.#stopped) {
      const story = await this.#story(height, knownAt);
      if (story !== undefined) {
        if (!this.#stopped) this.#options.onBlock(story);
        break;
      }
      // The node went away between its word and our question: the gateway asks the next one.
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
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

/** The height of a `block_finalised` event; undefined for anything else. */
function blockHeightIn(text: string): number | undefined {
  const event: unknown = JSON.parse(text);
  if (typeof event !== 'object' || event === null) return undefined;
  const height: unknown = Reflect.get(event, 'height');
  return Reflect.get(event, 'type') === 'block_finalised' && typeof height === 'number' ? height : undefined;
}
