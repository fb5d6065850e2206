import { z } from 'zod';
import type { BanAnswer, BansAnswer, PeerAnswer } from '../client/answers.ts';
import { parseAddress } from '../lib/address.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { API_BODY_BYTES_MAX } from '../model/http-limits.ts';
import { isHex, isName, Timestamp } from '../model/ids.ts';
import { OPERATOR_BAN_MS, OPERATOR_BAN_MS_MAX } from '../model/limits.ts';
import { json, type Outcome, type Route } from './exchange.ts';
import { take } from './fields.ts';
import { parseJson } from './json.ts';
import type { BannedPeer, PeerControl } from './ports.ts';
import { fail, type Problem } from './problems.ts';
import { timeView } from './views.ts';

const SECONDS_MAX = OPERATOR_BAN_MS_MAX / 1_000;

const peer = z
  .string()
  .refine((value) => isHex(value, 32) || isName(value), 'is a node id of 64 hex digits, or the name of an authority');
const addressSchema = z.strictObject({
  address: z.string().refine((value) => parseAddress(value) !== undefined, 'is host:port or [v6]:port'),
});
const peerSchema = z.strictObject({ id: peer });
const banSchema = z.strictObject({
  id: peer,
  seconds: z
    .int()
    .min(1)
    .max(SECONDS_MAX)
    .default(OPERATOR_BAN_MS / 1_000),
});

/** Whom this node is to talk with, and whom not: for its operator. A ban takes the token, also on a devnet. */
export function peerRoutes(control: PeerControl): readonly Route[] {
  const post = (name: string, example: string, handle: (body: Uint8Array) => ReturnType<Route['handle']>): Route => ({
    method: 'POST',
    path: `/api/v1/peers/${name}`,
    isOperators: true,
    body: { mediaType: 'application/json', bytesMax: API_BODY_BYTES_MAX, example },
    handle: ({ body }) => handle(body),
  });
  return [
    { method: 'GET', path: '/api/v1/peers/banned', handle: () => json(bans(control)) },
    post('connect', '{"address":"127.0.0.1:7281"}', (body) => connect(control, body)),
    post('disconnect', '{"id":"<node id>"}', (body) => disconnect(control, body)),
    { ...post('ban', '{"id":"<node id>"}', async (body) => await ban(control, body)), isOpenOnDevnets: false },
    { ...post('unban', '{"id":"<node id>"}', async (body) => await unban(control, body)), isOpenOnDevnets: false },
  ];
}

function parsed<T extends z.ZodType>(schema: T, body: Uint8Array): Result<z.output<T>, Problem> {
  const value = parseJson(body);
  return value.ok ? take(schema, value.value) : value;
}

function connect(control: PeerControl, body: Uint8Array): Outcome {
  const asked = parsed(addressSchema, body);
  if (!asked.ok) return asked;
  const { address } = asked.value;
  control.connect(address);
  // What came of it shows among the peers, or in the log.
  const answer: PeerAnswer = { address };
  return ok({ status: 202, headers: { location: '/api/v1/peers' }, content: { kind: 'json', value: answer } });
}

function unknown(id: string): Outcome {
  return fail('UNKNOWN_PEER', `this node is not connected with ${id}; GET /api/v1/peers lists those it is with`);
}

function disconnect(control: PeerControl, body: Uint8Array): Outcome {
  const asked = parsed(peerSchema, body);
  if (!asked.ok) return asked;
  const { id } = asked.value;
  const answer: PeerAnswer = { id };
  return control.disconnect(id) ? json(answer) : unknown(id);
}

async function ban(control: PeerControl, body: Uint8Array): Promise<Outcome> {
  const asked = parsed(banSchema, body);
  if (!asked.ok) return asked;
  const { id, seconds } = asked.value;
  const outcome = await control.ban(id, 1_000 * seconds);
  if (outcome === 'AUTHORITY') {
    return err({
      code: 'PEER_IS_AUTHORITY',
      detail: `${id} holds a key of genesis, and a quorum may need its votes; what it does wrong is kept as evidence`,
    });
  }
  return outcome === 'UNKNOWN' ? unknown(id) : json(banView(outcome));
}

async function unban(control: PeerControl, body: Uint8Array): Promise<Outcome> {
  const asked = parsed(peerSchema, body);
  if (!asked.ok) return asked;
  const { id } = asked.value;
  if (await control.unban(id)) return json({ id } satisfies PeerAnswer);
  return fail('UNKNOWN_PEER', `${id} is not banned here; GET /api/v1/peers/banned lists those that are`);
}

function bans(control: PeerControl): BansAnswer {
  return { banned: control.bans().map(banView) };
}

function banView({ id, reason, since, until, times }: BannedPeer): BanAnswer {
  return { id, reason, since: timeView(Timestamp(since)), until: timeView(Timestamp(until)), times };
}
