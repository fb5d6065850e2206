import { expect } from 'vitest';
import { defined } from '../../src/lib/assert.ts';
import type { Vote } from '../../src/model/certificate.ts';
import type { Message } from '../../src/model/message.ts';
import { PRODUCTION } from '../../src/simulator/bare/core.ts';
import type { SimulatedNode } from '../../src/simulator/bare/node.ts';
import { World } from '../../src/simulator/bare/world.ts';
import { drawScenario, type Scenario } from '../../src/simulator/scenario.ts';

/** A sound local network: messages take up to 3 ms, a sync of the journal up to 2, clocks agree. */
const SOUND: Omit<Scenario, 'seed' | 'n' | 'window'> = {
  byzantine: [],
  twins: [],
  lost: [],
  dead: [],
  wrongClocks: [],
  wiped: [],
  restored: [],
  blackouts: 0,
  faultsMs: 0,
  healMsMax: 0,
  lossRate: 0,
  duplicateRate: 0,
  delayMs: 3,
  delaySpikeMs: 0,
  spikeRate: 0,
  partitions: 0,
  crashes: 0,
  restartMsMax: 1_000_000_000,
  skewMs: 0,
  transactions: 0,
  checkpointInterval: 100,
  rotationInterval: 0,
  blockIntervalMs: 0,
  encoded: true,
  haste: 1,
  sendsBeforeSync: false,
  syncMsMax: 2,
  executionMs: 0,
  corrupt: [],
};

/** A network that a test takes through a story, one event a line; every invariant is checked all along. */
export class Story {
  readonly world: World;

  constructor(options: { n: number; window?: number; seed?: number } & Partial<Scenario>) {
    const { n, window = 1, seed = 1, ...changes } = options;
    this.world = new World(PRODUCTION, { ...drawScenario({ seed, n, window }), ...SOUND, seed, n, window, ...changes });
    for (const node of this.world.nodes) this.world.startNode(node);
    this.passes(50);
  }

  node(seat: number): SimulatedNode {
    return defined(this.world.nodes[seat], `no seat ${seat}`);
  }

  passes(ms: number): this {
    this.world.run(this.world.time + ms);
    return this;
  }

  clientSubmits(count = 1): this {
    for (let one = 0; one < count; one += 1) this.world.submit();
    return this;
  }

  crashes(...seats: number[]): this {
    for (const seat of seats) this.node(seat).crash();
    return this;
  }

  restarts(...seats: number[]): this {
    for (const seat of seats) this.world.startNode(this.node(seat));
    return this;
  }

  /** The network loses what `which` says, until `networkHeals`. */
  networkLoses(which: (message: Message, from: number, to: number) => boolean): this {
    this.world.loses = (from, to, message) => which(message, from, to);
    return this;
  }

  networkHeals(): this {
    this.world.loses = null;
    return this;
  }

  /** From now on this seat lies in what it sends. */
  lies(seat: number, bend: (to: number, message: Message) => readonly Message[]): this {
    this.node(seat).bend = bend;
    return this;
  }

  /** Milliseconds until `seats` have nothing waiting and the same height; fails after `msMax`. */
  everythingIsFinal(msMax: number, seats = this.world.nodes.map(({ seat }) => seat)): number {
    const begin = this.world.time;
    const isDone = (): boolean => {
      const nodes = seats.map((seat) => this.node(seat));
      const height = Math.max(...nodes.map(({ chain }) => chain.height));
      return nodes.every(({ alive, mempool, chain }) => alive && mempool.size === 0 && chain.height === height);
    };
    this.passes(10);
    while (!isDone() && this.world.time < begin + msMax) this.passes(10);
    expect(isDone(), `everything is final within ${msMax} ms: ${this.describe()}`).toBe(true);
    return this.world.time - begin;
  }

  heights(): number[] {
    return this.world.nodes.map(({ chain }) => chain.height);
  }

  views(): number[] {
    return this.world.nodes.map(({ replica }) => replica.view);
  }

  describe(): string {
    return this.world.nodes
      .map(
        ({ name, alive, replica: { view, mode, final } }) =>
          `${name}${alive ? '' : ' down'} ${view} ${mode} ${final.height}`,
      )
      .join(' | ');
  }
}

export function isVote(message: Message, phase: Vote['phase']): boolean {
  return message.kind === 'vote' && message.vote.phase === phase;
}
