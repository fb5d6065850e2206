/**
 * The rules of docs/protocol.md, section 13, alone, without bytes, timers or journals: small enough to look at every state.
 * Three honest nodes and one liar that backs every vote and may report any certificate that exists.
 * A block is its path: 'a' at height 1, 'ab' its child. A vote for a block is a vote for all its prefixes.
 */

export interface Rules {
  /** R2: a first vote of a view is at or above the anchor. */
  readonly respectsAnchor: boolean;
  /** R4: no COMMIT is decided after a VIEW-CHANGE. */
  readonly stopsAfterViewChange: boolean;
  /** D3: the anchor is the highest certificate by view, then by height. */
  readonly viewBeforeHeight: boolean;
  /** Only a COMMIT certificate is final. */
  readonly needsCommits: boolean;
}

export const REAL_RULES: Rules = {
  respectsAnchor: true,
  stopsAfterViewChange: true,
  viewBeforeHeight: true,
  needsCommits: true,
};

export interface Bounds {
  readonly heightMax: number;
  readonly viewMax: number;
}

const HONEST = 3;
/** Honest votes that make a quorum of three together with the liar's. */
const HONEST_QUORUM = 2;

interface Certificate {
  readonly view: number;
  readonly block: string;
}

/** One honest node. */
interface Node {
  readonly view: number;
  /** Whether it votes in `view`; false between its VIEW-CHANGE and the NEW-VIEW. */
  readonly active: boolean;
  readonly anchor: string;
  /** Last PREPARE of the view. */
  readonly tip: string;
  readonly highest: Certificate | null;
  /** What its VIEW-CHANGE for each view claimed; undefined for a view that it did not ask for. */
  readonly claims: readonly (Certificate | null | undefined)[];
}

/** All that was ever said: messages are never lost for good, and may be read at any time. */
export interface State {
  readonly nodes: readonly Node[];
  /** `view/block` to the set of honest voters, as bits. */
  readonly prepares: ReadonlyMap<string, number>;
  readonly commits: ReadonlyMap<string, number>;
}

export function initialState(): State {
  const node: Node = { view: 0, active: true, anchor: '', tip: '', highest: null, claims: [] };
  return { nodes: Array.from({ length: HONEST }, () => node), prepares: new Map(), commits: new Map() };
}

/** A state as text; the order of the honest nodes does not matter, so equal states of other orders are one. */
export function keyOf(state: State): string {
  const voted = (votes: ReadonlyMap<string, number>, seat: number): string =>
    [...votes]
      .filter(([, bits]) => (bits >> seat) & 1)
      .map(([key]) => key)
      .sort()
      .join();
  const show = (certificate: Certificate | null): string =>
    certificate === null ? '-' : `${certificate.view}${certificate.block}`;
  return state.nodes
    .map(
      ({ view, active, anchor, tip, highest, claims }, seat) =>
        `${view}${active ? '+' : '-'}${anchor}|${tip}|${show(highest)}|${claims.map((claim) => (claim === undefined ? '' : show(claim))).join('/')}|${voted(state.prepares, seat)}|${voted(state.commits, seat)}`,
    )
    .sort()
    .join(';');
}

function isPrefix(ancestor: string, block: string): boolean {
  return block.startsWith(ancestor);
}

function count(bits: number): number {
  return (bits & 1) + ((bits >> 1) & 1) + ((bits >> 2) & 1);
}

function parse(key: string): Certificate {
  const [view = '0', block = ''] = key.split('/');
  return { view: Number(view), block };
}

function certificates(votes: ReadonlyMap<string, number>): Certificate[] {
  return [...votes].filter(([, bits]) => count(bits) >= HONEST_QUORUM).map(([key]) => parse(key));
}

/** Two blocks that somebody may take for final and that are not on one branch; null when there are none. */
export function conflict(state: State, rules: Rules): string | null {
  const final = certificates(rules.needsCommits ? state.commits : state.prepares);
  for (const one of final) {
    for (const other of final) {
      if (isPrefix(one.block, other.block) || isPrefix(other.block, one.block)) continue;
      return `${one.view}/${one.block} and ${other.view}/${other.block}`;
    }
  }
  return null;
}

function isHigher(a: Certificate, b: Certificate | null, byViewFirst: boolean): boolean {
  if (b === null) return true;
  const view = a.view - b.view;
  const height = a.block.length - b.block.length;
  return (byViewFirst ? view || height : height || view) > 0;
}

function withNode(state: State, seat: number, change: Partial<Node>): State {
  return { ...state, nodes: state.nodes.map((node, index) => (index === seat ? { ...node, ...change } : node)) };
}

function withVote(votes: ReadonlyMap<string, number>, key: string, seat: number): Map<string, number> {
  return new Map(votes).set(key, (votes.get(key) ?? 0) | (1 << seat));
}

/** Every state that one step of one honest node leads to; the primary may be the liar and propose anything. */
export function* successors(state: State, rules: Rules, bounds: Bounds): Generator<State> {
  for (let seat = 0; seat < HONEST; seat += 1) {
    yield* prepares(state, seat, rules, bounds);
    yield* commits(state, seat, rules);
    yield* leaves(state, seat, bounds);
    yield* enters(state, seat, rules, bounds);
  }
}

function* prepares(state: State, seat: number, rules: Rules, { heightMax }: Bounds): Generator<State> {
  const node = state.nodes[seat];
  if (node === undefined || !node.active) return;
  for (const block of blocksAbove(node.tip, heightMax)) {
    if (rules.respectsAnchor && !isPrefix(node.anchor, block)) continue;
    // A vote below the anchor is the mistake; a vote beside it would be caught by anybody.
    if (!isPrefix(node.anchor, block) && !isPrefix(block, node.anchor)) continue;
    const votes = withVote(state.prepares, `${node.view}/${block}`, seat);
    yield { ...withNode(state, seat, { tip: block }), prepares: votes };
  }
}

function* blocksAbove(tip: string, heightMax: number): Generator<string> {
  if (tip.length >= heightMax) return;
  for (const letter of ['a', 'b']) {
    yield tip + letter;
    yield* blocksAbove(tip + letter, heightMax);
  }
}

function* commits(state: State, seat: number, rules: Rules): Generator<State> {
  const node = state.nodes[seat];
  if (node === undefined) return;
  for (const certificate of certificates(state.prepares)) {
    const isOfView = certificate.view === node.view && node.active;
    const isLate = !rules.stopsAfterViewChange && !node.active && certificate.view === node.view - 1;
    if (!isOfView && !isLate) continue;
    const key = `${certificate.view}/${certificate.block}`;
    if (((state.commits.get(key) ?? 0) >> seat) & 1) continue;
    const highest = isHigher(certificate, node.highest, true) ? certificate : node.highest;
    yield { ...withNode(state, seat, { highest }), commits: withVote(state.commits, key, seat) };
  }
}

function* leaves(state: State, seat: number, { viewMax }: Bounds): Generator<State> {
  const node = state.nodes[seat];
  if (node === undefined || !node.active || node.view >= viewMax) return;
  const view = node.view + 1;
  const claims = Array.from({ length: view + 1 }, (_, index) => (index === view ? node.highest : node.claims[index]));
  yield withNode(state, seat, { view, active: false, anchor: '', tip: '', claims });
}

/** NEW-VIEW from any quorum of claims: two honest ones or more, and the liar's, which is any certificate or none. */
function* enters(state: State, seat: number, rules: Rules, { viewMax }: Bounds): Generator<State> {
  const node = state.nodes[seat];
  if (node === undefined) return;
  for (let view = node.active ? node.view + 1 : node.view; view <= viewMax; view += 1) {
    const claims = state.nodes.flatMap((one) => {
      const claim = one.claims[view];
      return claim === undefined ? [] : [claim];
    });
    if (claims.length < HONEST_QUORUM) continue;
    for (const anchor of anchorsOf(claims, certificates(state.prepares), view, rules)) {
      yield withNode(state, seat, { view, active: true, anchor, tip: '' });
    }
  }
}

function anchorsOf(
  claims: readonly (Certificate | null)[],
  existing: readonly Certificate[],
  view: number,
  rules: Rules,
): Set<string> {
  const lies = [null, ...existing.filter((certificate) => certificate.view < view)];
  const anchors = new Set<string>();
  for (const chosen of quorums(claims)) {
    for (const lie of lies) {
      let best: Certificate | null = null;
      for (const claim of [...chosen, lie]) {
        if (claim !== null && isHigher(claim, best, rules.viewBeforeHeight)) best = claim;
      }
      anchors.add(best?.block ?? '');
    }
  }
  return anchors;
}

function* quorums(claims: readonly (Certificate | null)[]): Generator<readonly (Certificate | null)[]> {
  for (let first = 0; first < claims.length; first += 1) {
    for (let second = first + 1; second < claims.length; second += 1) {
      yield [claims[first] ?? null, claims[second] ?? null];
    }
  }
}
