import { genesisSet } from '../../ledger/genesis.ts';
import { defined } from '../../lib/assert.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { Jurisdiction } from '../../model/certificate.ts';
import type { Hash } from '../../model/ids.ts';
import type { Transaction } from '../../model/transaction.ts';
import type { AuthorityContact } from '../../network/transport.ts';
import type { NodeParts } from '../../node/node-parts.ts';
import type { MemoryKeyValue } from '../../store/memory.ts';
import { Violation } from '../checkers.ts';
import { authorityName, foundNetwork } from '../full/genesis.ts';
import { createFullKeys } from '../full/keys.ts';
import { VirtualTime } from '../full/time.ts';
import { disguise } from './disguise.ts';
import { Internet } from './internet.ts';
import { foundEvent, makePast, type Network } from './past.ts';
import type { PeeringScenario } from './scenario.ts';
import type { SimulatedTransport } from './simulated-transport.ts';
import { type Ground, Station, type StationPlan } from './station.ts';
import { Watch } from './watch.ts';

const STORE_MS_MAX = 4;
const CLIENT_MS = 700;
/** One for all runs, so that a past is made once. */
const KEYS_SEED = 20_261_120;

/** Stations, the internet between them, and whoever watches: all that one seed decides. */
export class PeeringWorld implements Ground {
  readonly scenario: PeeringScenario;
  readonly time = new VirtualTime();
  readonly prng: Prng;
  readonly internet: Internet;
  readonly network: Network;
  readonly jurisdiction: Jurisdiction;
  readonly contacts: readonly AuthorityContact[];
  readonly stations: readonly Station[];
  readonly watch: Watch;
  readonly storeMsMax = STORE_MS_MAX;
  /** What clients want final. */
  readonly ordered: Hash[] = [];
  /** Programs of hostile peers that ended by themselves. */
  liarFailures = 0;
  readonly #trace: ((line: string) => void) | null;
  #number = 1_000_000;

  constructor(scenario: PeeringScenario, trace: ((line: string) => void) | null) {
    this.scenario = scenario;
    this.#trace = trace;
    this.prng = createPrng(scenario.seed ^ 0x1b873593);
    const { authorities, checkpointInterval, blockIntervalMs } = scenario;
    const keys = createFullKeys(KEYS_SEED, false);
    const shape = { n: authorities, window: 1, checkpointInterval, rotationInterval: 0, blockIntervalMs };
    this.network = { genesis: foundNetwork(shape, keys), keys };
    const { chainId } = this.network.genesis;
    this.jurisdiction = { chainId, authorities: genesisSet(this.network.genesis), check: keys.check };
    this.internet = new Internet(this.time, this.prng, scenario);
    this.contacts = this.network.genesis.authorities.map(({ publicKey }, seat) => ({
      publicKey,
      address: authorityAddress(seat),
    }));
    this.stations = plansOf(scenario).map(
      (plan) => new Station(plan, this, pastOf(this.network, shapeKey(shape), this.#pastOf(plan))),
    );
    this.watch = new Watch(
      this.jurisdiction,
      this.stations.filter(({ isHonest }) => isHonest).map(({ id }) => id),
    );
  }

  get pastBlocks(): number {
    return this.scenario.pastBlocks;
  }

  get followers(): readonly Station[] {
    return this.stations.filter(({ plan }) => plan.kind === 'follower');
  }

  /** Honest stations that keep the chain. */
  get keepers(): readonly Station[] {
    return this.stations.filter(({ plan }) => plan.kind === 'follower' || plan.kind === 'authority');
  }

  get hostile(): readonly Station[] {
    return this.stations.filter(({ plan }) => plan.kind === 'hostile');
  }

  #pastOf({ kind, name }: StationPlan): number {
    const isInformed = kind !== 'follower' || Number(name.split('-')[1]) < this.scenario.informed;
    return isInformed ? this.scenario.pastBlocks : 0;
  }

  disguise(station: Station, transport: SimulatedTransport): NodeParts['transport'] {
    const number = Number(station.plan.name.split('-')[1]);
    return disguise({
      ...defined(this.scenario.hostile[number], 'a hostile peer lies'),
      transport,
      network: this.network,
      prng: this.prng,
      chain: () => station.chain,
      after: (delayMs, run) => void station.timers.after(delayMs, run),
    });
  }

  afterEvent(station: Station): void {
    if (station.isHonest) this.watch.afterEvent(station);
  }

  failed(station: Station, error: unknown): void {
    if (station.isHonest || error instanceof Violation) throw error;
    this.liarFailures += 1;
    station.fall(false);
  }

  /** A client has something for the chain, gives it to this follower, and comes back until it is final there. */
  order(station: Station): void {
    this.#number += 1;
    const transaction = foundEvent(this.network, this.#number, station.clock.now());
    this.ordered.push(transaction.id);
    this.trace(() => `${transaction.id.slice(0, 8)} is for ${station.plan.name}`);
    this.#attempt(station, transaction);
  }

  #attempt(station: Station, transaction: Transaction): void {
    if (station.chain?.place(transaction.id) !== undefined) return;
    if (station.isOn) station.run(() => void station.node?.submit(transaction, 0));
    this.time.after(CLIENT_MS, () => this.#attempt(station, transaction));
  }

  trace(line: () => string): void {
    if (this.#trace !== null) this.#trace(`${this.time.now.toFixed(1).padStart(9)} ${line()}`);
  }
}

function authorityAddress(seat: number): string {
  return `11.${seat}.0.1:7000`;
}

function hostileAddress(index: number, isOneGroup: boolean): string {
  return isOneGroup ? `66.66.${index}.1:7000` : `66.${index}.0.1:7000`;
}

const BOOTSTRAP_ADDRESS = '12.0.0.1:7000';

function plansOf(scenario: PeeringScenario): readonly StationPlan[] {
  const { authorities, followers, hasBootstrapNode, hostile, authorityGuestsMax, snapshots, informed } = scenario;
  const first = authorityAddress(0);
  const addressOfHostile = (index: number): string => hostileAddress(index, scenario.isHostileOneGroup === true);
  const told = [
    hasBootstrapNode ? BOOTSTRAP_ADDRESS : first,
    ...(scenario.tellsOfHostile ? numbers(hostile.length).map(addressOfHostile) : []),
  ];
  const base = { seat: -1, bootstrap: told, isSnapshot: false, guestsMax: GUESTS_MAX };
  return [
    ...numbers(authorities).map(
      (seat): StationPlan => ({
        ...base,
        kind: 'authority',
        name: authorityName(seat),
        address: authorityAddress(seat),
        seat,
        bootstrap: [],
        guestsMax: authorityGuestsMax,
      }),
    ),
    ...numbers(followers).map(
      (index): StationPlan => ({
        ...base,
        kind: 'follower',
        name: `follower-${index}`,
        address: `${20 + Math.floor(index / 200)}.${1 + (index % 200)}.0.1:7000`,
        isSnapshot: index >= informed && index < informed + snapshots,
      }),
    ),
    ...numbers(hasBootstrapNode ? 1 : 0).map(
      (): StationPlan => ({
        ...base,
        kind: 'bootstrap',
        name: 'bootstrap-0',
        address: BOOTSTRAP_ADDRESS,
        bootstrap: [first],
      }),
    ),
    ...numbers(hostile.length).map(
      (index): StationPlan => ({
        ...base,
        kind: 'hostile',
        name: `hostile-${index}`,
        address: addressOfHostile(index),
      }),
    ),
  ];
}

const GUESTS_MAX = 56;

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

const PASTS = new Map<string, MemoryKeyValue>();

/** Made once for each shape and length. */
function pastOf(network: Network, shape: string, blocks: number): MemoryKeyValue {
  const key = `${shape} ${blocks}`;
  const past = PASTS.get(key) ?? makePast(network, blocks);
  PASTS.set(key, past);
  return past;
}

function shapeKey(shape: object): string {
  return JSON.stringify(shape);
}
