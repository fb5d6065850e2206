import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { journalRecordLayout } from '../../consensus/record.ts';
import { createReplica } from '../../consensus/recover.ts';
import { defined } from '../../lib/assert.ts';
import { utf8 } from '../../lib/bytes.ts';
import type { Prng } from '../../lib/prng.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import { encode } from '../../model/codec.ts';
import { sha256 } from '../../model/hash.ts';
import { Height, hexBytes, Timestamp } from '../../model/ids.ts';
import { OUTBOUND_PEERS_MIN } from '../../model/limits.ts';
import { GUESTS_PER_GROUP_MAX } from '../../model/peer-limits.ts';
import { type PeerId, peerIdOf } from '../../network/transport.ts';
import { BootstrapNode } from '../../node/bootstrap-node.ts';
import { Executor } from '../../node/executor.ts';
import { KnownPeers } from '../../node/known-peers.ts';
import { Mempool } from '../../node/mempool.ts';
import { Node } from '../../node/node.ts';
import type { NodeParts } from '../../node/node-parts.ts';
import type { Clock, Signer, Timers } from '../../node/ports.ts';
import { beginChain, recoveredFrom } from '../../node/recovery.ts';
import { carriedRows, completeArrival } from '../../store/arriving.ts';
import { type Chain, readWitness } from '../../store/chain.ts';
import { MemoryKeyValue } from '../../store/memory.ts';
import { MemoryDisk } from '../../store/memory-disk.ts';
import { createJournal, type OpenedJournal, openJournal } from '../../store/open-journal.ts';
import { TABLES } from '../../store/schema.ts';
import { BEGINNING } from '../full/genesis.ts';
import type { VirtualTime } from '../full/time.ts';
import { timingOf } from '../scenario.ts';
import type { Internet } from './internet.ts';
import { type Network, PAST_BLOCK_MS } from './past.ts';
import { SimulatedTransport } from './simulated-transport.ts';

type Kind = 'authority' | 'follower' | 'bootstrap' | 'hostile';

export interface StationPlan {
  readonly kind: Kind;
  readonly name: string;
  readonly address: string;
  /** -1 for one without a vote. */
  readonly seat: number;
  /** `host:port`s that it is told of. */
  readonly bootstrap: readonly string[];
  /** Whether it begins with a snapshot. */
  readonly isSnapshot: boolean;
  readonly guestsMax: number;
}

/** What stations ask of their world, and tell it. */
export interface Ground {
  readonly time: VirtualTime;
  readonly prng: Prng;
  readonly internet: Internet;
  readonly network: Network;
  readonly jurisdiction: Jurisdiction;
  readonly pastBlocks: number;
  readonly storeMsMax: number;
  readonly contacts: NodeParts['contacts'];
  /** Lets a hostile one say other things than its program does. */
  disguise(station: Station, transport: SimulatedTransport): NodeParts['transport'];
  afterEvent(station: Station): void;
  /** Its program has failed. */
  failed(station: Station, error: unknown): void;
  trace(line: () => string): void;
}

const ANTI_ENTROPY_MS = 5_000;
const FANOUT_MIN = 6;
const HOPS_MAX = 8;
const IDS_MAX = 2_000;
const RESTART_MS = 50;
const SILENT_METRICS = new Proxy({} as NodeParts['metrics'], { get: () => () => undefined });

/** One computer: what it stores, and the production node that runs on it until something ends it. */
export class Station {
  readonly plan: StationPlan;
  readonly id: PeerId;
  readonly clock: Clock;
  readonly timers: Timers;
  node: Node | undefined;
  known: KnownPeers | undefined;
  transport: SimulatedTransport | undefined;
  isOn = false;
  boots = 0;
  readonly #ground: Ground;
  readonly #signer: Signer | undefined;
  #store: MemoryKeyValue;
  #arriving: MemoryKeyValue | undefined;
  #isReplaced = false;
  #storeFreeAt = 0;
  #disk: MemoryDisk;

  constructor(plan: StationPlan, ground: Ground, past: MemoryKeyValue) {
    this.plan = plan;
    this.#ground = ground;
    this.id = peerIdOf(sha256(utf8(plan.name)));
    this.#signer = plan.seat < 0 ? undefined : ground.network.keys.signerOf(plan.name);
    this.#store = past.copy((task) => this.#laterInOrder(task));
    if (plan.isSnapshot) {
      this.#arriving = this.#emptyStore();
    }
    this.#disk = new MemoryDisk({ schedule: (task) => this.#later(task) });
    this.clock = {
      now: () => Timestamp(Math.floor(BEGINNING + (ground.pastBlocks + 2) * PAST_BLOCK_MS + ground.time.now)),
      monotonicMs: () => ground.time.now,
    };
    this.timers = {
      after: (delayMs, run) => this.#after(delayMs, run),
      soon: (run) => void this.#after(0, run),
    };
  }

  get isHonest(): boolean {
    return this.plan.kind !== 'hostile';
  }

  get chain(): Chain | undefined {
    return this.node?.parts.chain;
  }

  start(): void {
    if (this.isOn) return;
    this.isOn = true;
    this.boots += 1;
    this.run(() => (this.plan.kind === 'bootstrap' ? this.#launchBootstrap() : this.#boot()));
  }

  /** Whatever happens on this station happens in here. */
  run(deed: () => void): void {
    if (!this.isOn) return;
    try {
      deed();
    } catch (error) {
      this.#ground.failed(this, error);
      return;
    }
    this.#ground.afterEvent(this);
  }

  /** Ends the program, and with the power goes what was not durable. */
  fall(isPowerFailure: boolean): void {
    if (!this.isOn) return;
    this.#ground.trace(() => `${this.plan.name} falls`);
    this.isOn = false;
    this.transport?.vanish();
    this.node = undefined;
    this.#disk = this.#disk.kill();
    this.#store = this.#store.crash(!isPowerFailure);
    this.#arriving = this.#arriving?.crash(!isPowerFailure);
  }

  /** Runs later if the station is then still in the same run. */
  #after(delayMs: number, run: () => void): () => void {
    const { boots } = this;
    let isDue = true;
    this.#ground.time.after(delayMs, () => {
      if (isDue && this.isOn && this.boots === boots) this.run(run);
    });
    return () => {
      isDue = false;
    };
  }

  #later(task: () => void): void {
    const { time, prng, storeMsMax } = this.#ground;
    time.after(prng.next() * storeMsMax, () => this.run(task));
  }

  /** What a store is asked for, it does in order. */
  #laterInOrder(task: () => void): void {
    const { time, prng, storeMsMax } = this.#ground;
    this.#storeFreeAt = Math.max(time.now, this.#storeFreeAt) + prng.next() * storeMsMax;
    time.after(this.#storeFreeAt - time.now, () => this.run(task));
  }

  #boot(): void {
    const { genesis } = this.#ground.network;
    const { boots } = this;
    beginChain(this.#store, genesis, (begun) => {
      if (boots !== this.boots) return;
      if (!begun.ok) throw begun.error;
      if (this.#signer === undefined) this.#launch(begun.value, undefined);
      else this.#openJournal(this.#signer, (opened) => this.#launch(begun.value, opened));
    });
  }

  #openJournal({ publicKey }: Signer, done: (opened: OpenedJournal) => void): void {
    const key = hexBytes(publicKey);
    const open = (): void =>
      openJournal(
        {
          disk: this.#disk,
          publicKey: key,
          chainId: hexBytes(this.#ground.network.genesis.chainId),
          witness: readWitness(this.#store),
          onFatal: (error) => this.#ground.failed(this, error),
        },
        (opened) => {
          if (!opened.ok) throw new Error(`the journal of ${this.plan.name}: ${opened.error.code}`);
          done(opened.value);
        },
      );
    if (this.boots > 1) open();
    else createJournal({ disk: this.#disk, publicKey: key, incarnation: key.slice(0, 16) }, open);
  }

  #openTransport(chain: Chain | undefined, known: KnownPeers): NodeParts['transport'] {
    const { internet, network } = this.#ground;
    const transport = new SimulatedTransport({
      internet,
      self: this.id,
      address: this.plan.address,
      introduction: {
        authorityKey: this.#signer?.publicKey,
        isBootstrap: this.plan.kind === 'bootstrap',
        head: () => headOf(chain, network),
      },
      followersMax: this.plan.guestsMax,
      followersPerGroupMax: GUESTS_PER_GROUP_MAX,
      isBanned: (id) => known.isBanned(id),
      run: (deed) => this.run(deed),
    });
    this.transport = transport;
    return this.plan.kind === 'hostile' ? this.#ground.disguise(this, transport) : transport;
  }

  #openKnown(): KnownPeers {
    const known = new KnownPeers({
      store: this.#store,
      clock: this.clock,
      timers: this.timers,
      salt: sha256(utf8(`salt of ${this.plan.name}`)),
      onFailed: (error) => this.#ground.failed(this, error),
    });
    this.known = known;
    return known;
  }

  #launchBootstrap(): void {
    const known = this.#openKnown();
    const node = new BootstrapNode({
      transport: this.#openTransport(undefined, known),
      known,
      clock: this.clock,
      timers: this.timers,
      random: this.#ground.prng.next,
      metrics: SILENT_METRICS,
      log: this.#log(),
      bootstrap: this.plan.bootstrap,
      peersMax: this.plan.guestsMax,
    });
    void node.start();
  }

  #launch(chain: Chain, opened: OpenedJournal | undefined): void {
    const { network, jurisdiction, prng, contacts } = this.#ground;
    const { genesis, keys } = network;
    const { authorities } = jurisdiction;
    const timing = timingOf({ haste: 1 });
    const { seat } = this.plan;
    const known = this.#openKnown();
    const config = { chainId: genesis.chainId, authorities, self: seat, timing, window: 1 };
    this.node = new Node({
      genesis,
      jurisdiction,
      replica: createReplica(config, recoveredFrom(chain, [...this.#votesOfPast(chain), ...(opened?.records ?? [])])),
      seat,
      signer: this.#signer ?? null,
      journal: opened?.journal ?? null,
      chain,
      executor: new Executor(chain, authorities, genesis),
      mempool: new Mempool(),
      transport: this.#openTransport(chain, known),
      contacts: seat < 0 ? contacts.map(({ publicKey }) => ({ publicKey })) : contacts,
      checkLater: (key, message, signature, done) =>
        void this.#after(prng.next(), () => done(keys.check(key, message, signature))),
      clock: this.clock,
      timers: this.timers,
      metrics: SILENT_METRICS,
      log: this.#log(),
      forwardAfterMs: timing.forwardMs,
      onFatal: (error) => this.#ground.failed(this, error),
      peering: this.#peering(chain, known),
    });
    this.#ground.trace(() => `${this.plan.name} starts at height ${chain.head.height}`);
    void this.node.start();
  }

  /** Its journal was made for this run: what its key has signed before is told as if it were in there. */
  #votesOfPast(chain: Chain): readonly Uint8Array[] {
    const { seat } = this.plan;
    const certificate = chain.block(chain.head.height)?.certificate ?? null;
    const signature = certificate?.signatures[certificate.signers.indexOf(seat)];
    if (certificate === null || signature === undefined) return [];
    const { phase, epoch, view, height, digest } = certificate;
    const vote = { phase, epoch, view, height, digest, signer: seat, signature };
    return [encode(journalRecordLayout, { kind: 'vote', vote })];
  }

  #peering(chain: Chain, known: KnownPeers): NonNullable<NodeParts['peering']> {
    const { prng } = this.#ground;
    const isFollower = this.plan.seat < 0;
    const { guestsMax } = this.plan;
    const arrival = this.#isReplaced ? undefined : this.#arrival(chain);
    return {
      isFollower,
      known,
      discovery: {
        bootstrap: this.plan.bootstrap,
        outboundMin: isFollower ? OUTBOUND_PEERS_MIN : 0,
        peersMax: guestsMax + (isFollower ? OUTBOUND_PEERS_MIN : 0),
      },
      gossip: {
        fanoutMin: FANOUT_MIN,
        hopsMax: HOPS_MAX,
        idsMax: IDS_MAX,
        salt: sha256(utf8(`gossip of ${this.plan.name} ${this.boots}`)),
      },
      antiEntropyMs: ANTI_ENTROPY_MS,
      compression: {
        deflate: (bytes, done) => void this.#after(prng.next(), () => done(deflateRawSync(bytes, { level: 1 }))),
        inflate: (deflated, bytesMax, done) => void this.#after(prng.next(), () => done(inflated(deflated, bytesMax))),
      },
      random: prng.next,
      ...(arrival === undefined ? {} : { arrival }),
    };
  }

  #emptyStore(): MemoryKeyValue {
    return new MemoryKeyValue({ tables: Object.values(TABLES), schedule: (task) => this.#laterInOrder(task) });
  }

  #arrival(chain: Chain): NonNullable<NodeParts['peering']>['arrival'] {
    if (this.#arriving === undefined) return undefined;
    let store = this.#arriving;
    const { chainId } = this.#ground.network.genesis;
    const { boots } = this;
    return {
      into: {
        get store() {
          return store;
        },
        empty: async () => {
          if (boots !== this.boots) return;
          store = this.#emptyStore();
          this.#arriving = store;
        },
        complete: () => {
          const genesis = defined(chain.block(0), 'a chain has a genesis');
          return completeArrival(store, { chainId, genesis, carried: [...carriedRows(chain.store)] });
        },
        close: async (isWanted) => {
          if (boots === this.boots && !isWanted) this.#arriving = undefined;
        },
      },
      trusted: undefined,
      failed: (error) => this.#ground.failed(this, error),
      arrived: () => {
        if (boots === this.boots) this.#replace(store);
      },
    };
  }

  /** Starts again on what has arrived. */
  #replace(store: MemoryKeyValue): void {
    this.fall(false);
    this.#store = store.crash(true);
    this.#isReplaced = true;
    this.#arriving = undefined;
    this.#ground.time.after(RESTART_MS, () => this.start());
  }

  #log(): NodeParts['log'] {
    const write = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      this.#ground.trace(() => `${this.plan.name}: ${message} ${JSON.stringify(fields)}`);
    return { info: write, warn: write, error: write };
  }
}

function headOf(chain: Chain | undefined, { genesis }: Network) {
  return chain === undefined
    ? { height: Height(0), hash: genesis.chainId }
    : { height: chain.head.height, hash: chain.headHash };
}

function inflated(deflated: Uint8Array, maxOutputLength: number): Uint8Array | undefined {
  try {
    return inflateRawSync(deflated, { maxOutputLength });
  } catch {
    return undefined;
  }
}
