import { describe, expect, it } from 'vitest';
import { BOOTSTRAP_REDIAL_MS_MAX, BUSY_PEER_MS } from '../../../src/model/limits.ts';
import type { ListedPeer } from '../../../src/model/peer-message.ts';
import { isListable } from '../../../src/peering/address-book.ts';
import { stepDiscovery } from '../../../src/peering/discovery.ts';
import { outboundSessions } from '../../../src/peering/discovery-state.ts';
import { DiscoveryWorld, idOf, listed, type WorldNode } from './discovery-world.ts';

const FIRST = '127.0.0.1:7000';

function loopbackNetwork(world: DiscoveryWorld, count: number): readonly WorldNode[] {
  const first = world.add({ address: FIRST });
  const rest = Array.from({ length: count - 1 }, (_, index) =>
    world.add({ address: `127.0.0.1:${7_001 + index}`, bootstrap: [FIRST] }),
  );
  return [first, ...rest];
}

/** Everybody who can be reached from a node over sessions. */
function reachable(world: DiscoveryWorld, from: WorldNode): number {
  const seen = new Set([from.id]);
  const byId = new Map([...world.nodes.values()].map((node) => [node.id, node]));
  const queue = [from];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const id of node.discovery.sessions.keys()) {
      const next = byId.get(id);
      if (next === undefined || seen.has(id)) continue;
      seen.add(id);
      queue.push(next);
    }
  }
  return seen.size;
}

function addresses(node: WorldNode): string[] {
  return [...node.discovery.book.records.keys()].sort();
}

function publicAddress(index: number): string {
  return `${20 + (index % 100)}.${index % 250}.${Math.floor(index / 250) % 250}.${index % 200}:7281`;
}

describe('discovery', () => {
  it('brings nodes that were given one address together within seconds', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const world = new DiscoveryWorld(seed);
      const nodes = loopbackNetwork(world, 16);
      world.run(10_000);
      expect(reachable(world, nodes[3] as WorldNode)).toBe(16);
      for (const node of nodes) {
        // Whoever has fewer sessions of its own has one with everybody.
        const own = outboundSessions(node.discovery).length;
        expect(own >= 8 || node.discovery.sessions.size === 15).toBe(true);
        expect(addresses(node).length).toBeGreaterThanOrEqual(14);
      }
    }
  });

  it('outlives the node that all of them were given', () => {
    const world = new DiscoveryWorld(6);
    const nodes = loopbackNetwork(world, 12);
    world.run(10_000);
    world.kill(nodes[0] as WorldNode);
    const late = world.add({ address: '127.0.0.1:9000', bootstrap: [FIRST, '127.0.0.1:7004'] });
    world.run(20_000);
    expect(reachable(world, late)).toBe(12);
    expect(outboundSessions(late.discovery).length).toBeGreaterThanOrEqual(8);
  });

  it('leaves a node that only knows peers once there is nothing more to learn from it', () => {
    const world = new DiscoveryWorld(7);
    const first = world.add({ address: FIRST, role: 'bootstrap', outboundMin: 4 });
    const others = Array.from({ length: 5 }, (_, index) =>
      world.add({ address: `127.0.0.1:${7_001 + index}`, bootstrap: [FIRST] }),
    );
    world.run(60_000);
    // What is left are the sessions that it seeks itself.
    expect([...first.discovery.sessions.values()].filter(({ direction }) => direction === 'inbound')).toEqual([]);
    for (const node of others) {
      const chains = [...node.discovery.sessions.values()].filter(({ role }) => role === 'follower');
      expect(chains.length).toBe(4);
    }
    expect(addresses(first).length).toBe(5);
  });

  it('makes room on a node that only knows peers', () => {
    const world = new DiscoveryWorld(8);
    const first = world.add({ address: FIRST, role: 'bootstrap', outboundMin: 0, peersMax: 8 });
    for (let index = 0; index < 40; index += 1) {
      world.add({ address: `127.0.0.1:${7_001 + index}`, bootstrap: [FIRST] });
      world.run(1_000);
    }
    expect(first.discovery.sessions.size).toBeLessThanOrEqual(8);
  });

  it('finds out that an address is its own, and dials it no more', () => {
    const world = new DiscoveryWorld(9);
    const node = world.add({ address: FIRST, bootstrap: [FIRST] });
    world.run(60_000);
    expect(world.dials.get(FIRST)).toBe(1);
    expect([...node.discovery.own]).toEqual([FIRST]);
  });

  it('dials an address in vain ever more seldom, and gives it up when nobody ever answered', () => {
    const world = new DiscoveryWorld(10);
    const teller = world.add({ address: FIRST, lies: () => [listed('nobody', '127.0.0.1:9999')] });
    const node = world.add({ address: '127.0.0.1:7001', bootstrap: [FIRST] });
    world.run(30 * 60_000);
    expect(teller.discovery.sessions.has(node.id)).toBe(true);
    expect(world.dials.get('127.0.0.1:9999')).toBe(3);
  });

  it('keeps dialling a configured address, at a bounded rate', () => {
    const world = new DiscoveryWorld(11);
    const node = world.add({ address: '127.0.0.1:7001', bootstrap: [FIRST] });
    world.run(60_000);
    expect(world.dials.get(FIRST) ?? 0).toBeGreaterThan(5);
    expect(world.dials.get(FIRST) ?? 0).toBeLessThan(25);
    world.add({ address: FIRST });
    world.run(11_000);
    expect(node.discovery.sessions.size).toBe(1);
  });

  it('is not crowded by thousands of invented addresses, and does not pass them on', () => {
    const world = new DiscoveryWorld(12);
    let invented = 0;
    const lies = (): ListedPeer[] =>
      Array.from({ length: 64 }, () => {
        invented += 1;
        return listed(`invented ${invented}`, publicAddress(invented), 'authority');
      });
    const liar = world.add({ address: '66.66.0.1:7281', lies });
    const honest = Array.from({ length: 10 }, (_, index) =>
      world.add({ address: `${101 + index}.1.1.1:7281`, bootstrap: ['101.1.1.1:7281', liar.address] }),
    );
    const victim = world.add({ address: '120.1.1.1:7281', bootstrap: ['101.1.1.1:7281', liar.address] });
    world.run(2 * 60_000);
    expect(invented).toBeGreaterThan(5_000);
    const { book, sessions } = victim.discovery;
    // One teller gets into an eighth of the places for hearsay.
    expect(book.records.size).toBeLessThan(1_024 + 512);
    const met = [...sessions.keys()].filter((id) => id !== liar.id);
    expect(met.length).toBeGreaterThanOrEqual(8);
    for (const node of honest) expect(reachable(world, node)).toBe(12);
    const listable = [...book.records.values()].filter((record) => isListable(record, world.now));
    for (const { address } of listable) expect(world.nodes.has(address)).toBe(true);
  });

  it('opens at most half of its sessions into one group of public addresses', () => {
    const world = new DiscoveryWorld(13);
    const near = Array.from({ length: 30 }, (_, index) => world.add({ address: `66.66.${index}.1:7281` }));
    const all = near.map(({ address }) => listed(address, address));
    const victim = world.add({ address: '120.1.1.1:7281', bootstrap: ['30.1.1.1:7281'] });
    world.add({ address: '30.1.1.1:7281', lies: () => all });
    world.run(60_000);
    const inGroup = outboundSessions(victim.discovery).filter(({ origin }) => origin.group === '66.66');
    expect(inGroup.length).toBe(4);
  });

  it('looks for proven authorities first', () => {
    const world = new DiscoveryWorld(14);
    const all: ListedPeer[] = [];
    for (let index = 0; index < 40; index += 1) {
      const role = index % 20 === 0 ? 'authority' : 'follower';
      const { address } = world.add({ address: `${30 + index}.1.1.1:7281`, role });
      all.push(listed(address, address, role));
    }
    const node = world.add({ address: '120.1.1.1:7281', bootstrap: ['20.1.1.1:7281'] });
    world.add({ address: '20.1.1.1:7281', lies: () => all });
    world.run(10_000);
    const authorities = [...node.discovery.sessions.values()].filter(({ role }) => role === 'authority');
    expect(authorities.length).toBeGreaterThanOrEqual(2);
  });

  it('does not let a peer far away make it dial into its own machine or site', () => {
    const world = new DiscoveryWorld(15);
    const inside = ['127.0.0.1:22', '10.0.0.1:22', '192.168.1.1:80', '[::1]:22', '[fe80::1]:22', 'localhost:22'];
    world.add({ address: '30.1.1.1:7281', lies: () => inside.map((address) => listed(address, address)) });
    world.add({ address: '120.1.1.1:7281', bootstrap: ['30.1.1.1:7281'] });
    world.run(30_000);
    for (const address of inside) expect(world.dials.get(address)).toBeUndefined();
  });

  it('takes lists only as answers, and says who sends others', () => {
    const world = new DiscoveryWorld(16);
    const [first, second] = loopbackNetwork(world, 2);
    world.run(2_000);
    const { discovery } = second as WorldNode;
    const session = discovery.sessions.get((first as WorldNode).id);
    if (session === undefined) throw new Error('not connected');
    session.isAnswerDue = false;
    const moment = { now: world.now, random: () => 0.5 };
    const event = { type: 'listed', from: session.id, peers: [listed('x', '127.0.0.1:9998')] } as const;
    expect(stepDiscovery(discovery, event, moment)).toContainEqual({ type: 'unsolicited', id: session.id });
    expect(discovery.book.records.has('127.0.0.1:9998')).toBe(false);
  });

  it('dials no session with a node that it has one with, nor with one that is banned', () => {
    const world = new DiscoveryWorld(17);
    const nodes = loopbackNetwork(world, 6);
    world.run(30_000);
    const counts = [...world.dials].filter(([address]) => address !== FIRST);
    // Each is dialled for a session by those who are not connected with it yet, and looked at by some.
    for (const [, count] of counts) expect(count).toBeLessThan(20);
    const before = new Map(world.dials);
    world.run(20_000);
    for (const [address, count] of world.dials) expect(count - (before.get(address) ?? 0)).toBeLessThanOrEqual(6);
    expect(nodes.every(({ discovery }) => discovery.sessions.size === 5)).toBe(true);
  });

  it('leaves alone whom the operator has cut off', () => {
    const world = new DiscoveryWorld(18);
    const [first, second] = loopbackNetwork(world, 2) as [WorldNode, WorldNode];
    world.run(1_000);
    world.step(first, { type: 'cut', id: second.id });
    world.step(first, { type: 'down', id: second.id });
    const before = world.dials.get(second.address) ?? 0;
    world.run(30_000);
    expect((world.dials.get(second.address) ?? 0) - before).toBe(0);
    expect(idOf(second.address)).toBe(second.id);
  });

  it('leaves alone whom the operator has cut off, also when the configuration names it', () => {
    const world = new DiscoveryWorld(19);
    const [first, second] = loopbackNetwork(world, 2) as [WorldNode, WorldNode];
    world.run(1_000);
    const id = first.id;
    expect(second.discovery.sessions.get(id)?.direction).toBe('outbound');
    // What ends after a moment would otherwise be dialled again soon.
    world.step(second, { type: 'cut', id });
    world.step(second, { type: 'down', id });
    first.isUp = false;
    const before = world.dials.get(FIRST) ?? 0;
    world.run(BUSY_PEER_MS - 1_000);
    expect((world.dials.get(FIRST) ?? 0) - before).toBe(0);
    world.run(BOOTSTRAP_REDIAL_MS_MAX);
    expect((world.dials.get(FIRST) ?? 0) - before).toBeGreaterThan(0);
  });

  it('a node that is nearly full tells the newest guest of others, and lets it go', () => {
    const world = new DiscoveryWorld(5);
    const full = world.add({ address: publicAddress(0), outboundMin: 8, peersMax: 16 });
    const guests = Array.from({ length: 8 }, (_, index) => publicAddress(index + 1));
    for (const address of guests) {
      const peer = { id: idOf(address), role: 'follower', direction: 'inbound', address } as const;
      stepDiscovery(full.discovery, { type: 'up', peer }, { now: 0, random: () => 0.5 });
    }
    const tick = () => stepDiscovery(full.discovery, { type: 'tick' }, { now: 600, random: () => 0.5 });
    expect(tick().filter(({ type }) => type === 'drop')).toEqual([]);
    for (const address of guests.slice(0, 5)) {
      stepDiscovery(full.discovery, { type: 'asked', from: idOf(address) }, { now: 500, random: () => 0.5 });
    }
    expect(tick().filter(({ type }) => type === 'drop')).toEqual([{ type: 'drop', id: idOf(guests[4] ?? '') }]);
    stepDiscovery(full.discovery, { type: 'down', id: idOf(guests[4] ?? '') }, { now: 600, random: () => 0.5 });
    expect(tick().filter(({ type }) => type === 'drop')).toEqual([]);
  });

  it('makes room among those who never ask first, and then in the most crowded group', () => {
    const world = new DiscoveryWorld(5);
    const full = world.add({ address: publicAddress(0), outboundMin: 8, peersMax: 16 });
    const crowd = [1, 2, 3].map((index) => `66.66.${index}.1:40000`);
    const others = [1, 2, 3, 4, 5].map((index) => `${90 + index}.1.1.1:40000`);
    const moment = (now: number) => ({ now, random: () => 0.5 });
    for (const address of [...crowd, ...others]) {
      const peer = { id: idOf(address), role: 'follower', direction: 'inbound', address } as const;
      stepDiscovery(full.discovery, { type: 'up', peer }, moment(0));
    }
    const drops = (now: number) =>
      stepDiscovery(full.discovery, { type: 'tick' }, moment(now)).filter(({ type }) => type === 'drop');
    // Somebody who is just there may not have come to asking yet.
    expect(drops(600)).toEqual([]);
    expect(drops(6_000)).toEqual([{ type: 'drop', id: idOf(crowd[2] ?? '') }]);
    const ask = (address: string) =>
      stepDiscovery(full.discovery, { type: 'asked', from: idOf(address) }, moment(6_000));
    for (const address of [...crowd, ...others.slice(1)]) ask(address);
    expect(drops(6_000)).toEqual([{ type: 'drop', id: idOf(others[0] ?? '') }]);
    ask(others[0] ?? '');
    expect(drops(6_000)).toEqual([{ type: 'drop', id: idOf(crowd[2] ?? '') }]);
  });

  it('a node without an authority asks its configured address again, whatever others tell it meanwhile', () => {
    const world = new DiscoveryWorld(6);
    let told = 0;
    const lies = () => {
      told += 64;
      return Array.from({ length: 64 }, (_, index) => listed(told + index, publicAddress(told + index)));
    };
    world.add({ address: '101.1.1.1:7281', lies });
    const node = world.add({ address: '102.1.1.1:7281', bootstrap: ['103.1.1.1:7281', '101.1.1.1:7281'] });
    world.run(60_000);
    expect(node.discovery.book.records.size).toBeGreaterThan(8);
    world.add({ address: '103.1.1.1:7281', role: 'authority' });
    world.run(20_000);
    expect([...node.discovery.sessions.values()].map(({ role }) => role)).toContain('authority');
  });
});

describe('what strangers make a node dial', () => {
  it('is no machine of its own site, wherever they say that they live', () => {
    const { discovery } = new DiscoveryWorld(21).add({ address: '20.1.0.1:7281' });
    const claims = ['127.0.0.1:22', '10.0.0.5:443', '192.168.1.1:80', 'localhost:6379', '21.1.0.1:7281'];
    const dialled = claims.flatMap((listenAddress, index) => {
      const session = { role: 'follower', direction: 'inbound', address: `30.${index}.0.1:41000` } as const;
      const peer = { id: idOf(`claims ${index}`), ...session, listenAddress };
      return stepDiscovery(discovery, { type: 'up', peer }, { now: 0, random: () => 0.3 });
    });
    expect(dialled).toEqual([{ type: 'dial', address: '21.1.0.1:7281', purpose: 'probe' }]);
  });

  it('is itself under each of its names once, however many it is told', () => {
    const one = new DiscoveryWorld(22).add({ address: '20.1.0.1:7281' });
    const moment = (now: number) => ({ now, random: () => 0.3 });
    const teller = { id: idOf('teller'), role: 'follower', direction: 'inbound', address: '30.0.0.1:41000' } as const;
    stepDiscovery(one.discovery, { type: 'up', peer: teller }, moment(0));
    const peers = Array.from({ length: 60 }, (_, index) => listed(`name ${index}`, `node.zone-${index}.org:7281`));
    const dials = new Map<string, number>();
    let effects = stepDiscovery(one.discovery, { type: 'found', from: teller.id, peers }, moment(0));
    for (let now = 0; now < 120_000; now += 500) {
      for (let next = effects.shift(); next !== undefined; next = effects.shift()) {
        if (next.type !== 'dial') continue;
        dials.set(next.address, (dials.get(next.address) ?? 0) + 1);
        const answer = { type: 'dialled', address: next.address, outcome: { type: 'self' } } as const;
        effects.push(...stepDiscovery(one.discovery, answer, moment(now)));
      }
      effects = stepDiscovery(one.discovery, { type: 'tick' }, moment(now));
    }
    expect(dials.size).toBeGreaterThan(16);
    expect(Math.max(...dials.values())).toBe(1);
  });
});
