import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/model/codec.ts';
import { Hash, Height, Timestamp } from '../../../src/model/ids.ts';
import { POINTS_HALF_LIFE_MS, SEND_BUFFER_BYTES_MAX } from '../../../src/model/limits.ts';
import { ANSWERS_WAITING_BYTES_MAX } from '../../../src/model/peer-limits.ts';
import { type PeerMessage, type PeerRole, peerMessageLayout } from '../../../src/model/peer-message.ts';
import type { PeerId, PeerInfo } from '../../../src/network/transport.ts';
import { KnownPeers } from '../../../src/node/known-peers.ts';
import type { PeeringPart } from '../../../src/node/peering-part.ts';
import { PostOffice } from '../../../src/node/post-office.ts';
import type { Offence } from '../../../src/peering/reputation.ts';
import { memoryStore } from '../../support/stores.ts';

const ignore = (): void => undefined;
const ASKED = encode(peerMessageLayout, { kind: 'peer-discovery' });

/** A post office with one peer, which is charged whenever it is heard. */
function office(role: PeerRole, offence?: Offence) {
  const id = 'ab'.repeat(32) as PeerId;
  const head = { height: Height(0), hash: Hash('cd'.repeat(32)) };
  const peer: PeerInfo = { id, role, direction: 'inbound', address: '127.0.0.1:1', version: '1', since: 0, head };
  const time = { ms: 0 };
  const clock = { now: () => Timestamp(0), monotonicMs: () => time.ms };
  const timers = { after: () => ignore, soon: ignore };
  const ends: string[] = [];
  const backlog = { here: 0, all: 0 };
  const heard: PeerMessage[] = [];
  const disconnect = (_: PeerId, reason: string): void => void ends.push(reason);
  const known = new KnownPeers({
    ...{ store: memoryStore(), clock, timers, salt: new Uint8Array(32) },
    onFailed: (error) => {
      throw error;
    },
  });
  const post = new PostOffice({
    ...{
      transport: {
        peers: () => [peer],
        send: () => true,
        backlog: (peer) => (peer === undefined ? backlog.all : backlog.here),
        disconnect,
      },
      known,
      clock,
    },
    metrics: { messageSent: ignore, messageReceived: ignore },
    log: { info: ignore, warn: ignore, error: ignore },
  });
  const part: PeeringPart = {
    ...{ kinds: ['peer-discovery'], start: ignore, up: ignore, down: ignore, stop: ignore },
    message: (from, message) => {
      heard.push(message);
      if (offence !== undefined) post.post.charge(from, offence);
    },
  };
  post.up(peer);
  return { id, time, ends, heard, known, backlog, post: post.post, say: () => post.deliver(id, ASKED, [part]) };
}

describe('a peer that shows false certificates', () => {
  it('is banned when it is no authority', () => {
    const { id, known, ends, say } = office('follower', 'BAD_CERTIFICATE');
    say();
    expect([known.isBanned(id), ...ends]).toEqual([true, 'BANNED']);
  });

  it('keeps its session as an authority, and makes this node work no more for a while', () => {
    const { id, time, known, ends, heard, say } = office('authority', 'BAD_CERTIFICATE');
    for (let said = 0; said < 5; said += 1) say();
    expect([known.isBanned(id), ends, heard.length]).toEqual([false, [], 1]);
    time.ms += POINTS_HALF_LIFE_MS;
    say();
    expect(heard.length).toBe(2);
  });

  it('is heard on as an authority that only is slow', () => {
    const { heard, say } = office('authority', 'STALLED');
    for (let said = 0; said < 10; said += 1) say();
    expect(heard.length).toBe(10);
  });
});

describe('a large answer', () => {
  it('is for who has read the one before, and for few who have not', () => {
    const { id, post, backlog } = office('follower');
    expect(post.hasRoom(id)).toBe(true);
    backlog.here = SEND_BUFFER_BYTES_MAX;
    expect(post.hasRoom(id)).toBe(false);
    backlog.here = 0;
    backlog.all = ANSWERS_WAITING_BYTES_MAX;
    expect(post.hasRoom(id)).toBe(false);
  });
});
