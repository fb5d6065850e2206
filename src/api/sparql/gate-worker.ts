/** The thread of the gate: half a second passes over the longest text, which the node has better use for. */
import { getPriority, platform, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import { QUERY_NICENESS } from '../../model/graph-limits.ts';
import { judgeQuery } from './gate.ts';
import { type GateAnswer, gateQuestion } from './gate-wire.ts';
import { NO_STATISTICS } from './statistics.ts';

const port = defined(parentPort, 'a thread that was started');
// A priority is the thread's on Linux; elsewhere it would be the whole node's.
if (platform() === 'linux' && getPriority() < QUERY_NICENESS) setPriority(QUERY_NICENESS);

port.on('message', (message: unknown) => {
  const { number, query } = gateQuestion.parse(message);
  port.postMessage({ number, verdict: judgeQuery(query, NO_STATISTICS) } satisfies GateAnswer);
});
