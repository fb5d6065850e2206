import { primaryOf, type Replica } from '../consensus/replica.ts';
import { lapseMs } from '../consensus/status.ts';
import { LAG_BLOCKS } from '../model/limits.ts';
import { type ForeignPrimary, type NotAdmittedOutcome, notAdmitted } from './intake.ts';

/** Authorities that can vote with this node now: connected, heard lately, and no observers; itself included. */
export function votersPresent(replica: Replica, connected: readonly number[]): number {
  const { config, mode, peers, now } = replica;
  const others = connected.filter((seat) => {
    const peer = peers[seat];
    const said = peer?.status?.mode;
    if (seat === config.self || peer === undefined || said === undefined) return false;
    // Whoever has halted says so.
    return said !== 'observer' && said !== 'halted' && now - peer.heardAt <= lapseMs(replica);
  });
  return others.length + (config.self >= 0 && mode !== 'halted' ? 1 : 0);
}

/** Who proposes now, when that is another seat. */
export function foreignPrimary(replica: Replica, connected: readonly number[]): ForeignPrimary | undefined {
  const { view, config } = replica;
  const seat = primaryOf(replica, view);
  return seat === config.self ? undefined : { seat, view, isConnected: connected.includes(seat) };
}

/** The height that others have reached, when it is well above this node's; a single liar cannot make it so. */
export function heightAhead(replica: Replica, connected: readonly number[]): number | undefined {
  const claims = connected.flatMap((seat) => replica.peers[seat]?.status?.finalHeight ?? []).sort((a, b) => b - a);
  const height = claims[replica.weakQuorum - 1];
  return height !== undefined && height > replica.final.height + LAG_BLOCKS ? height : undefined;
}

/** Why nothing that is new can become final through this node now. */
export function standstill(replica: Replica, connected: readonly number[]): NotAdmittedOutcome | undefined {
  if (replica.mode === 'halted') return haltedRefusal();
  const voters = votersPresent(replica, connected);
  if (voters < replica.quorum) {
    const detail = `${voters} of ${replica.peers.length} authorities are here, and a block needs ${replica.quorum}: nothing was taken`;
    return notAdmitted('NO_QUORUM', detail);
  }
  return notSynced(replica, heightAhead(replica, connected));
}

/** The same of a node that only follows: whether the authorities can decide, it hears when they have. */
export function followerStandstill(
  replica: Replica,
  peers: number,
  ahead: number | undefined,
): NotAdmittedOutcome | undefined {
  if (replica.mode === 'halted') return haltedRefusal();
  if (peers === 0) return notAdmitted('NOT_SYNCED', 'no other node is connected, so nothing can be passed on');
  return notSynced(replica, ahead);
}

function haltedRefusal(): NotAdmittedOutcome {
  return notAdmitted('NOT_READY', 'this node has halted: GET /api/v1/explain says why');
}

function notSynced({ final }: Replica, ahead: number | undefined): NotAdmittedOutcome | undefined {
  if (ahead === undefined) return undefined;
  const detail = `this node is at height ${final.height} and others are at ${ahead}; try again in a moment`;
  return notAdmitted('NOT_SYNCED', detail);
}
