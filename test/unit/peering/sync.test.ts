import { beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/assert.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import type { Certificate, Jurisdiction } from '../../../src/model/certificate.ts';
import { Height, Signature, Timestamp } from '../../../src/model/ids.ts';
import {
  SYNC_ANSWER_MS_MAX,
  SYNC_BLOCKS_MAX,
  SYNC_HELD_BYTES_MAX,
  SYNC_LAG_BLOCKS,
  SYNC_REQUESTS_MAX,
  SYNC_REQUESTS_PER_PEER_MAX,
  SYNC_REST_MS_MIN,
  SYNC_SEGMENTS_MAX,
} from '../../../src/model/limits.ts';
import { createSignatureCheck } from '../../../src/node/keys/signatures.ts';
import { OFFENCES, type Offence } from '../../../src/peering/reputation.ts';
import { isBehind, syncProgress } from '../../../src/peering/sync.ts';
import type { SyncEvent } from '../../../src/peering/sync-state.ts';
import { ChainGenerator } from '../../support/chain-generator.ts';
import { memoryStore } from '../../support/stores.ts';
import { type Behaviour, honest, SyncWorld } from './sync-world.ts';

const BLOCKS = 200;

let generator: ChainGenerator;
let jurisdiction: Jurisdiction;

beforeAll(async () => {
  generator = await ChainGenerator.open(memoryStore(), { seed: 11, transactions: 2, blocksPerCertificateMax: 3 });
  await generator.grow(BLOCKS);
  jurisdiction = { chainId: generator.genesis.chainId, authorities: generator.set, check: createSignatureCheck() };
});

function world(lagMin = 0): SyncWorld {
  const genesisHash = defined(generator.chain.block(0), 'genesis is a block').hash;
  return new SyncWorld({ jurisdiction, genesisHash, lagMin });
}

function isDone(node: SyncWorld): () => boolean {
  return () => node.height === generator.chain.head.height;
}

/** Honest but for what it says to one kind of question. */
function lying(change: (event: SyncEvent) => SyncEvent | undefined): () => Behaviour {
  return () => {
    const truth = honest(generator);
    return (peer, ask) => {
      const event = truth(peer, ask);
      return event === undefined ? undefined : change(event);
    };
  };
}

function withHeaders(
  change: (headers: readonly Header[], certificate: Certificate) => readonly [readonly Header[], Certificate],
) {
  return lying((event) => {
    if (event.type !== 'message' || event.message.kind !== 'headers') return event;
    const [headers, certificate] = change(event.message.headers, event.message.certificate);
    return { ...event, message: { ...event.message, headers, certificate } };
  });
}

function withStatus(change: (certificate: Certificate, height: number) => readonly [Certificate | null, number]) {
  return lying((event) => {
    if (event.type !== 'message' || event.message.kind !== 'chain-status') return event;
    const { head, certificate } = event.message;
    const [shown, height] = change(defined(certificate ?? undefined, 'it is final'), head.height);
    return { ...event, message: { ...event.message, head: { ...head, height: Height(height) }, certificate: shown } };
  });
}

function withoutFirst<T>(items: readonly T[]): readonly T[] {
  return items.slice(1);
}

function certificateAt(height: number): Certificate {
  for (let at = height; ; at += 1) {
    const block = defined(generator.chain.block(at), 'the chain has it');
    if (block.certifiedHeight === at && block.certificate !== null) return block.certificate;
  }
}

const forged = Signature('5a'.repeat(64));

interface Lie {
  readonly behaviour: () => Behaviour;
  readonly offence: Offence;
}

/** What is wrong with each, and what it is charged with. */
const LIES: Readonly<Record<string, Lie>> = {
  'claims a height that nobody has signed': {
    behaviour: withStatus((own, height) => [own, height + 500]),
    offence: 'BAD_CERTIFICATE',
  },
  'claims a height without a certificate': {
    behaviour: withStatus((_, height) => [null, height]),
    offence: 'BAD_CERTIFICATE',
  },
  'shows the certificate of another height': {
    behaviour: withStatus((_, height) => [certificateAt(7), height]),
    offence: 'BAD_CERTIFICATE',
  },
  'leaves headers out': {
    behaviour: withHeaders((all, own) => [all.filter((_, index) => index !== 1), own]),
    offence: 'BAD_BLOCK',
  },
  'begins at another height than was asked for': {
    behaviour: withHeaders((all, own) => [withoutFirst(all), own]),
    offence: 'BAD_BLOCK',
  },
  'sends headers in another order': {
    behaviour: withHeaders((all, own) => [[...all].reverse(), own]),
    offence: 'BAD_BLOCK',
  },
  'sends no headers': { behaviour: withHeaders((_, own) => [[], own]), offence: 'BAD_BLOCK' },
  'changes a header': {
    behaviour: withHeaders((all, own) => [
      all.map((one) => ({ ...one, timestamp: Timestamp(one.timestamp + 1) })),
      own,
    ]),
    offence: 'BAD_BLOCK',
  },
  'shows headers under the certificate of others': {
    behaviour: withHeaders((all) => [all, certificateAt(150)]),
    offence: 'BAD_CERTIFICATE',
  },
  'shows a certificate of too few': {
    behaviour: withHeaders((all, own) => [
      all,
      { ...own, signers: withoutFirst(own.signers), signatures: withoutFirst(own.signatures) },
    ]),
    offence: 'BAD_CERTIFICATE',
  },
  'shows a certificate in which one signs for two': {
    behaviour: withHeaders((all, own) => {
      const [signature = forged] = own.signatures;
      return [all, { ...own, signatures: own.signatures.map(() => signature) }];
    }),
    offence: 'BAD_CERTIFICATE',
  },
  'names a signer twice': {
    behaviour: withHeaders((all, own) => [all, { ...own, signers: own.signers.map(() => own.signers[0] ?? 0) }]),
    offence: 'BAD_CERTIFICATE',
  },
  'shows signatures of strangers': {
    behaviour: withHeaders((all, own) => [all, { ...own, signatures: own.signatures.map(() => forged) }]),
    offence: 'BAD_CERTIFICATE',
  },
  'shows PREPAREs for COMMITs': {
    behaviour: withHeaders((all, own) => [all, { ...own, phase: 'PREPARE' }]),
    offence: 'BAD_BLOCK',
  },
  'sends bodies of other blocks': {
    behaviour: lying((event) =>
      event.type === 'bodies' ? { ...event, bodies: [...(event.bodies ?? [])].reverse() } : event,
    ),
    offence: 'BAD_BLOCK',
  },
  'sends more bodies than were asked for': {
    behaviour: lying((event) =>
      event.type === 'bodies' ? { ...event, bodies: [...(event.bodies ?? []), []] } : event,
    ),
    offence: 'BAD_BLOCK',
  },
  'sends what is no list of bodies': {
    behaviour: lying((event) => (event.type === 'bodies' ? { ...event, bodies: null } : event)),
    offence: 'MALFORMED',
  },
  'sends no bodies': {
    behaviour: lying((event) => (event.type === 'bodies' ? { ...event, bodies: [] } : event)),
    offence: 'STALLED',
  },
  'answers no question about headers': {
    behaviour: lying((event) => (event.type === 'message' && event.message.kind === 'headers' ? undefined : event)),
    offence: 'STALLED',
  },
  'answers no question about bodies': {
    behaviour: lying((event) => (event.type === 'bodies' ? undefined : event)),
    offence: 'STALLED',
  },
  'has nothing of what it shows a certificate of': {
    behaviour: lying((event) => {
      if (event.type === 'bodies' || event.type !== 'message' || event.message.kind !== 'headers') return event;
      const { request } = event.message;
      return { ...event, message: { kind: 'request-failed', request, reason: 'UNKNOWN' } };
    }),
    offence: 'LIED_ABOUT_HEIGHT',
  },
};

/** Has removed what is below that block. */
function pruned(oldest: number): Behaviour {
  return (peer, ask) => {
    if (ask.kind !== 'chain-status-request' && ask.from < oldest) {
      const message = { kind: 'request-failed', request: ask.request, reason: 'PRUNED' } as const;
      return { type: 'message', peer, message };
    }
    const answer = honest(generator)(peer, ask);
    if (answer?.type !== 'message' || answer.message.kind !== 'chain-status') return answer;
    return { ...answer, message: { ...answer.message, oldest: Height(oldest) } };
  };
}

describe('catching up', () => {
  it('with one peer, block by block and under the certificates that it shows', () => {
    const node = world();
    node.join('a', honest(generator));
    expect(node.until(isDone(node))).toBe(true);
    expect(node.sync.head.hash).toBe(generator.chain.headHash);
    expect(node.charges).toEqual([]);
  });

  it('with several peers at once, each asked for a part, and no more than some questions open', () => {
    const node = world();
    const peers = ['a', 'b', 'c', 'd'];
    for (const peer of peers) node.join(peer, honest(generator));
    expect(node.until(isDone(node))).toBe(true);
    const asked = node.asked.filter(({ kind }) => kind === 'block-request');
    for (const peer of peers) expect(asked.filter((one) => one.peer === peer)).not.toHaveLength(0);
    expect(node.openMax).toBeGreaterThan(1);
    expect(node.openMax).toBeLessThanOrEqual(SYNC_REQUESTS_MAX);
    expect(node.segmentsMax).toBeLessThanOrEqual(SYNC_SEGMENTS_MAX);
  });

  it('goes on from where it was', () => {
    const node = world();
    const { hash } = defined(generator.chain.block(90), 'it was made');
    node.take({ type: 'chain', head: { height: Height(90), hash }, isBusy: false });
    node.join('a', honest(generator));
    expect(node.until(isDone(node))).toBe(true);
    expect(node.asked.filter(({ kind }) => kind === 'header-request').length).toBeLessThan(
      BLOCKS / SYNC_BLOCKS_MAX + 2,
    );
  });

  it('waits while blocks are being executed, and goes on when that failed', () => {
    const node = world();
    node.join('a', honest(generator, 40));
    node.until(() => node.height > 0);
    node.take({ type: 'chain', head: node.sync.head, isBusy: true });
    const { height } = node;
    node.until(() => node.height > height, 2_000);
    node.take({ type: 'chain', head: node.sync.head, isBusy: false });
    expect(node.until(() => node.height === 40)).toBe(true);
  });

  it('takes what comes by announcement without a question about headers', () => {
    const node = world();
    node.join('a', honest(generator, 0));
    for (const height of [1, 2, 3]) {
      const { header } = defined(generator.chain.block(height), 'it was made');
      const message = { kind: 'block-announcement', header, certificate: generator.certify(header), hops: 3 } as const;
      node.take({ type: 'message', peer: 'a', message });
    }
    expect(node.asked.filter(({ kind }) => kind === 'header-request')).toEqual([]);
    expect(node.asked.filter(({ kind }) => kind === 'block-request')).not.toEqual([]);
  });

  it('shows how far it is, and that it is behind', () => {
    const node = world();
    node.join('a', honest(generator));
    node.until(() => node.height > 0);
    expect(isBehind(node.sync)).toBe(BLOCKS);
    expect(syncProgress(node.sync, node.nowMs)).toMatchObject({ from: 0, to: BLOCKS, height: node.height, peers: 1 });
    node.until(isDone(node));
    expect(isBehind(node.sync)).toBeUndefined();
    expect(syncProgress(node.sync, node.nowMs)).toBeNull();
  });

  it('shows when all have removed the next block, and from where on they have some', () => {
    const node = world();
    for (const [name, oldest] of [
      ['a', 30],
      ['b', 20],
    ] as const)
      node.join(name, pruned(oldest));
    node.until(() => syncProgress(node.sync, node.nowMs)?.prunedBelow === 20);
    expect(syncProgress(node.sync, node.nowMs)).toMatchObject({ height: 0, peers: 0, prunedBelow: 20 });
    node.join('c', pruned(1));
    node.until(() => node.height > 0);
    expect(syncProgress(node.sync, node.nowMs)).toMatchObject({ prunedBelow: null });
  });

  it('holds a bounded number of bytes: with more, only what comes first is asked for', () => {
    const headersOnly: Behaviour = (peer, ask) =>
      ask.kind === 'block-request' ? undefined : honest(generator)(peer, ask);
    const fetched = (heldBytes: number): SyncWorld => {
      const node = world();
      node.join('a', headersOnly);
      node.until(() => node.sync.segments.filter(({ headers }) => headers !== null).length > 3);
      const last = defined(node.sync.segments.at(-1), 'several are fetched at once');
      last.bytes = heldBytes;
      for (const peer of ['b', 'c', 'd']) node.join(peer, headersOnly);
      node.take({ type: 'down', peer: 'a' });
      node.until(() => false, 100);
      return node;
    };
    const open = ({ sync }: SyncWorld): number => sync.segments.filter(({ question }) => question !== null).length;
    expect(open(fetched(SYNC_HELD_BYTES_MAX - 1))).toBeGreaterThan(3);
    const full = fetched(SYNC_HELD_BYTES_MAX);
    expect(open(full)).toBe(1);
    expect(full.sync.segments[0]?.question).not.toBeNull();
  });

  it('an authority leaves the last blocks to those it votes with', () => {
    const node = world(SYNC_LAG_BLOCKS);
    node.join('a', honest(generator));
    expect(node.until(() => node.height > 0, 30_000)).toBe(false);
    const far = world(BLOCKS / 2);
    far.join('a', honest(generator));
    expect(far.until(isDone(far))).toBe(true);
  });

  it('is stopped by a quorum that has signed another history, and takes nothing of it', () => {
    const node = world();
    const { header } = defined(generator.chain.block(1), 'it was made');
    const rival = { ...header, previous: blockHash(header) };
    node.join('a', honest(generator, 0));
    const message = {
      kind: 'block-announcement',
      header: rival,
      certificate: generator.certify(rival),
      hops: 1,
    } as const;
    node.take({ type: 'message', peer: 'a', message });
    expect(node.conflicts).toBe(1);
    expect(node.height).toBe(0);
  });
});

describe('a peer that', () => {
  it.each(Object.entries(LIES))('%s stops nobody, and is charged', (_, { behaviour, offence }) => {
    const node = world();
    node.join('liar', behaviour());
    node.until(() => false, 1_000);
    node.join('honest', honest(generator));
    expect(node.until(isDone(node))).toBe(true);
    expect(node.sync.head.hash).toBe(generator.chain.headHash);
    expect(node.offencesOf('liar')).toContain(offence);
    expect(node.offencesOf('honest')).toEqual([]);
  });

  it('lowers its height is not asked for more than it then says, and keeps nobody from the rest', () => {
    const node = world();
    let asked = 0;
    const high = honest(generator);
    const low = honest(generator, 30);
    node.join('liar', (peer, ask) => {
      if (ask.kind !== 'chain-status-request') return undefined;
      asked += 1;
      return (asked === 1 ? high : low)(peer, ask);
    });
    node.until(() => asked > 1, 20_000);
    node.join('honest', honest(generator));
    expect(node.until(isDone(node))).toBe(true);
  });

  it('is slow costs the time of one question, not of each', () => {
    const node = world();
    node.join('slow', lying((event) => (event.type === 'bodies' ? undefined : event))());
    node.join('honest', honest(generator));
    expect(node.until(isDone(node), 3 * SYNC_ANSWER_MS_MAX)).toBe(true);
  });

  it('turns several questions down at once because it is busy is left alone once, not for each', () => {
    const node = world();
    let left = SYNC_REQUESTS_PER_PEER_MAX;
    node.join('busy', (peer, ask) => {
      if (ask.kind === 'chain-status-request' || left === 0) return honest(generator)(peer, ask);
      left -= 1;
      return { type: 'message', peer, message: { kind: 'request-failed', request: ask.request, reason: 'BUSY' } };
    });
    node.until(() => left === 0);
    const asked = node.asked.length;
    expect(node.until(() => node.asked.length > asked, 3 * SYNC_REST_MS_MIN)).toBe(true);
  });

  it('leaves has its questions put to others at once', () => {
    const node = world();
    node.join('gone', (peer, ask) => (ask.kind === 'chain-status-request' ? honest(generator)(peer, ask) : undefined));
    node.until(() => node.asked.some(({ kind }) => kind === 'header-request'));
    node.join('honest', honest(generator));
    node.leave('gone');
    expect(node.until(isDone(node), SYNC_ANSWER_MS_MAX)).toBe(true);
    expect(node.charges).toEqual([]);
  });

  it('is honest is never charged with what is provable, whatever the others do', () => {
    const node = world();
    for (const [name, { behaviour }] of Object.entries(LIES)) node.join(name, behaviour());
    node.join('honest', honest(generator));
    expect(node.until(isDone(node), 600_000)).toBe(true);
    for (const offence of node.offencesOf('honest')) {
      expect(OFFENCES[offence].pointsMax).not.toBe(Number.POSITIVE_INFINITY);
    }
  });
});
