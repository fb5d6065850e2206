import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { Client } from '../client/http.ts';
import { defined } from '../lib/assert.ts';
import { quorumOf } from '../model/authorities.ts';
import { sampleTicketId } from '../sample/tickets.ts';
import { BlockFollower } from './follow.ts';
import { Gateway } from './gateway.ts';
import { devnetKeys } from './genesis.ts';
import { DevnetClient } from './http.ts';
import { devnetKeyPair } from './keys.ts';
import { type ListedNode, listNodes, NodeMonitor, type NodeState } from './nodes.ts';
import { allNodes, type DevnetPlan, httpUrl, type PlannedNode } from './plan.ts';
import { Report, type ReportOutput, renderBlock, renderNodes, renderWelcome, tryCommands } from './report.ts';
import { type SampleTarget, seedSample } from './seed.ts';
import { type NodeCommand, type NodeEvent, Supervisor } from './supervisor.ts';

/** From the first process to a network that has decided something; a slow machine's first start included. */
const READY_MS_MAX = 60_000;
const SAMPLE_IDS_LISTED = 10;

/** It could not be brought up; the message says why. */
export class DevnetError extends Error {
  override readonly name = 'DevnetError';
}

export interface DevnetOptions {
  readonly plan: DevnetPlan;
  readonly chainId: string;
  readonly networkId: string;
  readonly homeOf: (node: PlannedNode) => string;
  readonly commandOf: (node: PlannedNode) => NodeCommand;
  /** What to type to start a node that died. */
  readonly restartHint: (node: PlannedNode) => string;
  /** The directory of all homes when it is to go with the network. */
  readonly temporary: string | undefined;
  /** The same as its owner named it, when it is kept. */
  readonly kept: string | undefined;
  readonly tickets: number;
  readonly target: (client: DevnetClient, deadlineMs: number) => SampleTarget;
  /** Ways to the nodes, in their order, and to the gateway. */
  readonly clients: readonly Client[];
  readonly gatewayClient: Client;
  /** Where to say, as JSON, what there is, once there is something. */
  readonly jsonOut: string | undefined;
  readonly output: ReportOutput;
  /** Milliseconds since 1970 at which the user began to wait. */
  readonly startedAt: number;
}

/** A running network of real processes, told about line by line. */
export class Devnet {
  readonly #options: DevnetOptions;
  readonly #report: Report;
  readonly #supervisor: Supervisor;
  readonly #monitor: NodeMonitor;
  readonly #gateway: Gateway;
  readonly #died = new Set<string>();
  readonly #ready = new Set<string>();
  #follower: BlockFollower | undefined;
  #onProgress: () => void = () => undefined;
  readonly #stopped = new AbortController();
  #failure: DevnetError | undefined;
  #isUp = false;

  constructor(options: DevnetOptions) {
    this.#options = options;
    this.#report = new Report(options.output);
    this.#supervisor = new Supervisor((event) => this.#onNode(event));
    this.#monitor = new NodeMonitor(options.plan, (node, state) => this.#onState(node, state));
    this.#gateway = new Gateway({
      port: options.plan.basePort,
      nodes: () => this.#nodes(),
      upstreams: () => this.#upstreams(),
      commands: this.#commands(),
    });
  }

  /** Brings the network up with its sample. @throws DevnetError; `stop` is to be called then, too */
  async start(): Promise<void> {
    const { plan, jsonOut, temporary, commandOf, output } = this.#options;
    if (jsonOut !== undefined) rmSync(jsonOut, { force: true });
    await this.#gateway.listen();
    for (const node of allNodes(plan)) {
      this.#supervisor.start(commandOf(node), temporary);
      if (node.role === 'follower') yieldToOthers(this.#supervisor.pidOf(node.name));
    }
    this.#report.line(`${renderNodes(this.#nodes(), httpUrl(plan.basePort), output.emphasise)}\n`);
    await this.#untilAuthoritiesReady();
    this.#monitor.start();
    await this.#follow();
    await this.#seed();
    const readyMs = Date.now() - this.#options.startedAt;
    this.#isUp = true;
    if (jsonOut !== undefined) this.#writeJson(jsonOut);
    this.#report.line(renderWelcome(readyMs, this.#commands(), this.#options.kept));
  }

  /** Ends every process that was started here. */
  async stop(): Promise<void> {
    this.#isUp = false;
    this.#stopped.abort();
    this.#failure ??= new DevnetError('It was stopped before it was ready.');
    this.#onProgress();
    this.#monitor.stop();
    this.#follower?.stop();
    await Promise.all([this.#supervisor.stop(), this.#gateway.close()]);
  }

  /** Ends them at once. */
  kill(): void {
    this.#supervisor.kill();
  }

  say(text: string): void {
    this.#report.line(text);
  }

  #commands(): readonly string[] {
    return tryCommands(this.#options.plan.basePort, [sampleTicketId(0), sampleTicketId(1)]);
  }

  #nodes(): readonly ListedNode[] {
    return listNodes(
      this.#options.plan,
      (node) => this.#monitor.stateOf(node),
      (node) => this.#supervisor.pidOf(node),
    );
  }

  /** Those that serve, then those that live; none of the rest, which would only be waited for. */
  #upstreams() {
    const inState = (wanted: NodeState) =>
      this.#options.plan.nodes
        .filter(({ name }) => this.#monitor.stateOf(name) === wanted)
        .map(({ name, httpPort }) => ({ name, port: httpPort }));
    return [...inState('ready'), ...inState('alive')];
  }

  /** A follower finds them by itself: nobody waits for it. */
  async #untilAuthoritiesReady(): Promise<void> {
    const deadline = Date.now() + READY_MS_MAX;
    while (!this.#options.plan.nodes.every(({ name }) => this.#ready.has(name))) {
      if (this.#failure !== undefined) throw this.#failure;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new DevnetError(`The nodes were not ready within ${READY_MS_MAX / 1_000} s.`);
      await this.#progress(leftMs);
    }
  }

  #progress(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onProgress = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #follow(): Promise<void> {
    const { plan, output, clients, gatewayClient } = this.#options;
    const status = await defined(clients[0], 'a devnet has a node').status();
    if (!status.ok) throw new DevnetError(`The first node does not answer: ${status.error.detail}`);
    if (this.#failure !== undefined) throw this.#failure;
    this.#follower = new BlockFollower({
      client: gatewayClient,
      from: status.value.head.height + 1,
      authorities: plan.nodes.map(({ name }) => name),
      onBlock: (story) => {
        if (story.words === 'heartbeat' && output.isInteractive) this.#report.passing(renderBlock(story));
        else if (story.words !== 'heartbeat') this.#report.line(renderBlock(story));
      },
    });
    this.#follower.start();
  }

  async #seed(): Promise<void> {
    const { tickets, target, clients } = this.#options;
    if (tickets === 0) return;
    const seeded = await seedSample(
      target(new DevnetClient(clients, this.#stopped.signal), Date.now() + READY_MS_MAX),
      tickets,
    );
    if (!seeded.ok) throw new DevnetError(`The sample tickets could not be issued: ${seeded.error.detail}`);
    if (seeded.value.added > 0) await this.#follower?.told(seeded.value.height);
  }

  #onNode(event: NodeEvent): void {
    const node = allNodes(this.#options.plan).find(({ name }) => name === event.name);
    if (node === undefined) return;
    if (event.kind === 'ready') this.#ready.add(event.name);
    else if (event.kind === 'killed') this.#report.line(`${event.name} did not stop in time and was killed.`);
    else {
      this.#monitor.markDown(event.name);
      this.#died.add(event.name);
      if (this.#isUp) this.#report.line(this.#deathLine(node, event));
      else this.#failure ??= new DevnetError(startFailure(event, this.#options.commandOf(node).logFile));
    }
    this.#onProgress();
  }

  #deathLine(node: PlannedNode, { how, reason }: Extract<NodeEvent, { kind: 'died' }>): string {
    const { nodes } = this.#options.plan;
    const left = nodes.filter(({ name }) => !this.#died.has(name)).length;
    const others = left < quorumOf(nodes.length) ? 'the others cannot decide without it' : 'the others go on';
    const why = reason === undefined ? how : reason;
    return `${node.name} died (${why}), ${others}; restart with: ${this.#options.restartHint(node)}`;
  }

  #onState(node: string, state: NodeState): void {
    if (state !== 'down' && this.#died.delete(node)) this.#report.line(`${node} is back.`);
  }

  #writeJson(file: string): void {
    const { plan, chainId, networkId, tickets, homeOf } = this.#options;
    const homes = new Map(allNodes(plan).map((node) => [node.name, homeOf(node)]));
    const content = {
      url: httpUrl(plan.basePort),
      pid: process.pid,
      network_id: networkId,
      chain_id: chainId,
      nodes: this.#nodes().map((node) => ({
        ...node,
        home: homes.get(node.id),
        public_key: devnetKeyPair(devnetKeys(node.id)[node.role === 'authority' ? 'authority' : 'node']).publicKey,
      })),
      tickets,
      sample_tickets: Array.from({ length: Math.min(tickets, SAMPLE_IDS_LISTED) }, (_, index) => sampleTicketId(index)),
    };
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`);
    renameSync(draft, file);
  }
}

/** All start at once, on few cores perhaps: the authorities first. */
function yieldToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, which is told elsewhere, or the system has no such thing.
  }
}

function startFailure({ name, how, reason }: Extract<NodeEvent, { kind: 'died' }>, logFile: string): string {
  return reason === undefined ? `${name} ended at its start (${how}); its log: ${logFile}` : `${name}: ${reason}`;
}
