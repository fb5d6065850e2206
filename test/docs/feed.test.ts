import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createPeerControl } from '../../src/api/peer-control.ts';
import { createApi } from '../../src/api/server.ts';
import { API_LIMITS, type Api } from '../../src/api/settings.ts';
import { ballotSigningBytes, type Vote } from '../../src/model/certificate.ts';
import { EventId, Hash, TicketId, TierId } from '../../src/model/ids.ts';
import type { Operation } from '../../src/model/operation.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { admit, grant, issue, openWorld, validate } from '../support/small-office.ts';
import { frameOf, type SmallWorld } from '../support/small-world.ts';
import { until } from '../unit/api/world.ts';
import { blocksOf, readPage, rewriteBlocks } from './markdown.ts';

const PAGE = 'docs/operations.md';
const SECTION = 'The feed';
/** The node that is listened to, and another one. */
const HERE = 1;
const THERE = 3;

const A1 = TicketId('A-1');
const A2 = TicketId('A-2');
const A3 = TicketId('A-3');
const PLACE = { event: EventId('cup'), tier: TierId('stand'), seat: null, gate: null };
const REPLACEMENT = { ...PLACE, ticket: A3, data: new Uint8Array() };

let world: SmallWorld;
let api: Api;
let socket: WebSocket;
const transcript: string[] = [];

beforeAll(async () => {
  world = openWorld({});
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  api = createApi({
    reader: world.reader(HERE),
    submit: (transaction, waitMs) => world.submit(HERE, transaction, waitMs),
    graph: {
      iriBase: 'http://localhost/id/',
      read: () => undefined,
      status: () => null,
      fresh: () => Promise.resolve(),
    },
    peers: createPeerControl(world.node(HERE)),
    subscribe: (listener) => world.node(HERE).subscribe(listener),
    metrics: createMetrics(),
    logger: silent,
    seed: () => {
      world.finalise(HERE, world.transaction('boxoffice', issue('sample-1', 'sample-2')));
      world.run(20);
      const height = world.machine(HERE).chain.head.height;
      return Promise.resolve({ outcome: 'final', event: EventId('cup'), tickets: 2, added: 2, height });
    },
    settings: {
      ...{ host: '127.0.0.1', port: 0, portOption: '', hosts: [], origins: [], operatorToken: null },
      ...{ devnet: true, gate: 'main', limits: API_LIMITS },
    },
  });
  const { url } = await api.listen();
  socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  socket.on('message', (text) => transcript.push(`← ${shortened(String(text))}`));
  await until(() => socket.readyState === WebSocket.OPEN);
  await tell(url);
});

afterAll(async () => {
  socket.terminate();
  await api.close();
});

/** Hashes and keys by their first digits: a line is to be read. */
function shortened(text: string): string {
  return text.replaceAll(/"([0-9a-f]{8})[0-9a-f]{56}"/g, '"$1…"');
}

/** Without what a change of the timers changes. */
function timeless(line: string): string {
  return line.replaceAll(/"[0-9a-f]{8}…"/g, '"…"').replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"');
}

/** What comes of something that is done, up to a message of this type. */
async function awaiting(type: string, deed: () => unknown): Promise<void> {
  const before = transcript.length;
  await deed();
  await until(() => transcript.slice(before).some((line) => line.includes(`"type":"${type}"`)));
}

async function ask(request: object, type: string): Promise<void> {
  const text = JSON.stringify(request);
  await awaiting(type, () => {
    transcript.push(`→ ${text}`);
    socket.send(text);
  });
}

async function decide(organisation: string, operation: Operation, type: string): Promise<void> {
  await awaiting(type, () => {
    world.finalise(HERE, world.transaction(organisation, operation));
    // Told once it is on the disk.
    world.run(20);
  });
}

const TOPICS = ['block', 'ticket:A-1', 'ticket:A-2', 'ticket:A-3'];

/** What befalls tickets apart from their way to the gate. */
const REMEDIES: readonly (readonly [organisation: string, operation: Operation, type: string])[] = [
  [
    'boxoffice',
    { kind: 'transfer', ticket: A2, holder: Hash('34'.repeat(32)), price: 4_900, channel: 'RESALE' },
    'ticket_transferred',
  ],
  ['boxoffice', { kind: 'hold', ticket: A2, note: 'payment unclear' }, 'ticket_held'],
  ['boxoffice', { kind: 'release', ticket: A2, note: '' }, 'ticket_released'],
  ['boxoffice', { kind: 'dispute', ticket: A2, reason: 'CHARGEBACK', note: '', gate: null }, 'ticket_disputed'],
  ['boxoffice', { kind: 'case.open', ticket: A1, reason: 'STOLEN', note: '', evidence: null }, 'case_opened'],
  ['federation', grant('city', 'arbiter'), 'block_finalised'],
  ['city', { kind: 'resolve', ticket: A2, outcome: 'REISSUED', note: '', replacement: REPLACEMENT }, 'case_resolved'],
  ['boxoffice', { kind: 'revoke', ticket: A3, reason: 'REFUND', note: '' }, 'ticket_revoked'],
];

/** Every message of the feed, as a real node says it. */
async function tell(url: string): Promise<void> {
  const { height } = world.machine(HERE);
  await ask({ op: 'subscribe', topics: TOPICS, from: height + 1 }, 'subscribed');
  await decide('boxoffice', issue('A-1', 'A-2'), 'ticket_issued');
  await decide('boxoffice', validate('A-1', 'A-2'), 'ticket_validated');
  await decide('venue', admit('A-1'), 'ticket_consumed');
  await decide('venue', admit('A-1'), 'ticket_refused');
  for (const [organisation, operation, type] of REMEDIES) await decide(organisation, operation, type);
  await ask({ op: 'unsubscribe', topics: TOPICS }, 'subscribed');
  await ask({ op: 'ping' }, 'pong');
  await ask({ op: 'subscribe', topics: ['tickets'] }, 'error');
  await ask({ op: 'subscribe', topics: ['*'] }, 'subscribed');
  await awaiting('tickets_seeded', () => fetch(`${url}/api/v1/tickets/seed`, post('{}')));
  await awaiting('evidence', () => {
    world.network.deliver(THERE, HERE, frameOf(lie()));
    world.run(20);
  });
  await awaiting('peer_left', () => {
    world.network.cut(HERE, THERE);
    world.run(20);
  });
  await awaiting('peer_joined', () => {
    world.network.heal();
    world.run(1_000);
  });
  // The refusal that the new primary proposes comes last.
  await awaiting('ticket_refused', () => {
    world.network.isolate(0);
    void world.submit(HERE, world.transaction('venue', admit('A-2')));
    world.run(3_000);
  });
}

function post(body: string): RequestInit {
  return { method: 'POST', body, headers: { 'content-type': 'application/json' } };
}

/** Two votes of one authority for two blocks at one height. */
function lie() {
  const { signer } = world.machine(THERE);
  const { head } = world.machine(HERE).chain;
  const { chainId } = world.genesis;
  const vote = (digest: string): Vote => {
    const { epoch, view } = head;
    const ballot = { phase: 'PREPARE', epoch, view, height: head.height, digest: Hash(digest.repeat(64)) } as const;
    return { ...ballot, signer: THERE, signature: signer.sign(ballotSigningBytes(chainId, ballot)) };
  };
  return { kind: 'evidence', evidence: { kind: 'double-vote', first: vote('a'), second: vote('b') } } as const;
}

it('the transcript of the feed is what a node says', () => {
  const [block] = blocksOf(readPage(PAGE)).filter(({ section }) => section === SECTION);
  if (block === undefined) throw new Error(`${PAGE} has no transcript under "${SECTION}"`);
  if (process.env['UPDATE'] !== undefined) rewriteBlocks(PAGE, new Map([[block, transcript]]));
  const written = blocksOf(readPage(PAGE)).find(({ section }) => section === SECTION);
  expect(written?.lines.map(timeless)).toEqual(transcript.map(timeless));
});

it('every message of the transcript is explained, and no other', () => {
  const said = transcript.flatMap((line) => /^← \{"type":"(\w+)"/.exec(line)?.[1] ?? []);
  const page = readPage(PAGE);
  const section = page.slice(page.indexOf(`## ${SECTION}`)).split('\n## ')[0] ?? '';
  const explained = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, type]) => type);
  expect([...new Set(said)].sort()).toEqual(explained.sort());
});
