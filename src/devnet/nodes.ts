import { createClient } from '../client/http.ts';
import { allNodes, type DevnetPlan, httpUrl, type PlannedNode, peerAddress } from './plan.ts';

/** `ready` to serve, `alive` and not ready (it starts, catches up, or lacks a quorum), or `down`. */
export type NodeState = 'ready' | 'alive' | 'down';

/** One entry of `GET /api/v1/nodes`. */
export interface ListedNode {
  readonly id: string;
  readonly role: 'authority' | 'follower';
  readonly http: string;
  /** `host:port`. */
  readonly p2p: string;
  readonly pid: number | null;
  readonly state: NodeState;
}

/** The same with where its chain is, by its own word; null while it does not answer. */
export interface SeenNode extends ListedNode {
  readonly height: number | null;
  readonly is_primary: boolean | null;
}

const PROBE_INTERVAL_MS = 500;
const PROBE_MS_MAX = 2_000;
/** A stopped process must not keep the whole list waiting. */
const STATUS_MS_MAX = 500;

/** Asks every node again and again whether it serves: also those that somebody started by hand. */
export class NodeMonitor {
  readonly #nodes: readonly PlannedNode[];
  readonly #onChange: (node: string, state: NodeState) => void;
  readonly #states = new Map<string, NodeState>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(plan: DevnetPlan, onChange: (node: string, state: NodeState) => void) {
    this.#nodes = allNodes(plan);
    this.#onChange = onChange;
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  stateOf(node: string): NodeState {
    return this.#states.get(node) ?? 'down';
  }

  /** Without waiting for the next round: its process is known to have ended. */
  markDown(node: string): void {
    this.#set(node, 'down');
  }

  async #round(): Promise<void> {
    await Promise.all(
      this.#nodes.map(async ({ name, httpPort }) => {
        const state = await probe(httpPort);
        if (!this.#stopped) this.#set(name, state);
      }),
    );
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#round(), PROBE_INTERVAL_MS);
  }

  #set(node: string, state: NodeState): void {
    if (this.stateOf(node) === state) return;
    this.#states.set(node, state);
    this.#onChange(node, state);
  }
}

/** Any answer at all means that it lives. */
async function probe(port: number): Promise<NodeState> {
  try {
    const response = await fetch(`${httpUrl(port)}/ready`, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
    await response.body?.cancel();
    return response.ok ? 'ready' : 'alive';
  } catch {
    return 'down';
  }
}

/** Asks each node that lives where it is. */
export async function seeNodes(nodes: readonly ListedNode[]): Promise<readonly SeenNode[]> {
  return await Promise.all(
    nodes.map(async (node) => {
      const client = createClient({ url: node.http, tries: 1, timeoutMs: STATUS_MS_MAX });
      const status = node.state === 'down' ? undefined : await client.status();
      if (status?.ok !== true) return { ...node, height: null, is_primary: null };
      const { head, primary } = status.value;
      return { ...node, height: head.height, is_primary: primary === node.id };
    }),
  );
}

/** The nodes as people and programs see them. */
export function listNodes(
  plan: DevnetPlan,
  stateOf: (node: string) => NodeState,
  pidOf: (node: string) => number | undefined,
): readonly ListedNode[] {
  return allNodes(plan).map(({ name, role, httpPort, peerPort }) => ({
    id: name,
    role,
    http: httpUrl(httpPort),
    p2p: peerAddress(peerPort),
    pid: pidOf(name) ?? null,
    state: stateOf(name),
  }));
}
