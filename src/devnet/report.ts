import { counted } from '../lib/words.ts';
import { faultsTolerated } from '../model/authorities.ts';
import type { ListedNode } from './nodes.ts';
import type { BlockStory } from './story.ts';

/** Where the report goes: a stream, and whether people watch it as it comes. */
export interface ReportOutput {
  readonly isInteractive: boolean;
  readonly columns: number;
  /** Makes a warning stand out, where that can be shown. */
  emphasise(text: string): string;
  write(text: string): void;
}

const WARNING = 'DEVNET KEYS ARE PUBLIC: anybody can sign as these nodes. Never for real tickets.';
const NODE_WIDTH = 13;
const ROLE_WIDTH = 11;
const HTTP_WIDTH = 25;
const PEER_WIDTH = 18;
const WORDS_WIDTH = 36;
const PROPOSER_WIDTH = 11;

/** What a devnet is, before anything has happened on it. */
export function renderNodes(
  nodes: readonly ListedNode[],
  gatewayUrl: string,
  emphasise: ReportOutput['emphasise'],
): string {
  const count = nodes.filter(({ role }) => role === 'authority').length;
  const followers = nodes.length - count;
  const faults = faultsTolerated(count);
  const safety = faults === 0 ? 'needs all of them' : `stays correct with ${faults} of them faulty`;
  const beside = followers === 0 ? '' : ` and ${counted(followers, 'follower')}`;
  const processes = `${counted(count, 'authority', 'authorities')}${beside}, ${counted(nodes.length, 'process', 'processes')}`;
  const row = (cells: readonly [string, string, string, string, string]): string => {
    const [node, role, http, peer, pid] = cells;
    const line = node.padEnd(NODE_WIDTH) + role.padEnd(ROLE_WIDTH) + http.padEnd(HTTP_WIDTH) + peer.padEnd(PEER_WIDTH);
    return `  ${`${line}${pid}`.trimEnd()}`;
  };
  return [
    `Counterfoil devnet · ${processes}, ${safety}`,
    emphasise(WARNING),
    '',
    row(['node', 'role', 'http', 'p2p', 'pid']),
    ...nodes.map(({ id, role, http, p2p, pid }) => row([id, role, http, p2p, `${pid ?? '-'}`])),
    row(['any of them', '→', gatewayUrl, '', '']),
  ].join('\n');
}

/** `     1  10:03:25  federation  500 tickets issued                 final in  6 ms  signed 4/4` */
export function renderBlock(story: BlockStory): string {
  const height = `${story.height}`.padStart(6);
  const time = new Date(story.time).toTimeString().slice(0, 8);
  const proposer = story.proposer.padEnd(PROPOSER_WIDTH);
  const words = story.words.padEnd(WORDS_WIDTH);
  return `${height}  ${time}  ${proposer} ${words}  ${finality(story.finalMs)}  signed ${story.signed}/${story.authorities}`;
}

function finality(finalMs: number | undefined): string {
  if (finalMs === undefined) return 'final          ';
  return finalMs < 1_000 ? `final in ${`${finalMs}`.padStart(2)} ms` : `final in ${(finalMs / 1_000).toFixed(1)} s`;
}

/** What to try, in the order in which a ticket lives: each line can be copied. */
export function tryCommands(gatewayPort: number, [first, second]: readonly [string, string]): readonly string[] {
  const address = `localhost:${gatewayPort}/api/v1`;
  const post = (verb: string, ticket: string): string =>
    `curl -s ${address}/tickets/${verb} -H 'content-type: application/json' -d '{"ticket_id":"${ticket}"}'`;
  return [
    // Quoted: zsh takes a bare question mark for a pattern of file names.
    `curl -s '${address}/status?pretty'`,
    `curl -s '${address}/tickets/${first}?pretty'`,
    post('validate', first),
    post('consume', first),
    `curl -s '${address}/tickets/${first}/history?pretty'`,
    `npm run -s cf -- ticket admit ${second}${gatewayPort === 7180 ? '' : ` --node http://localhost:${gatewayPort}`}`,
  ];
}

export function renderWelcome(readyMs: number, commands: readonly string[], home: string | undefined): string {
  const end =
    home === undefined
      ? 'Ctrl-C stops everything and removes it (keep it: npm start -- --home my-net).'
      : `Ctrl-C stops everything; ${home} keeps it for the next time.`;
  const seconds = (readyMs / 1_000).toFixed(1);
  return [`Ready in ${seconds} s. In another terminal:`, ...commands.map((command) => `  ${command}`), end].join('\n');
}

/** Lines of a report, and at its end on a terminal one line that is written over and over. */
export class Report {
  readonly #output: ReportOutput;
  #hasPassingLine = false;

  constructor(output: ReportOutput) {
    this.#output = output;
  }

  line(text: string): void {
    this.#clearPassing();
    this.#output.write(`${text}\n`);
  }

  /** Said on a terminal only, and gone with the next line. */
  passing(text: string): void {
    if (!this.#output.isInteractive) return;
    this.#clearPassing();
    this.#output.write(text.slice(0, this.#output.columns - 1));
    this.#hasPassingLine = true;
  }

  #clearPassing(): void {
    if (this.#hasPassingLine) this.#output.write('\r\u001b[2K');
    this.#hasPassingLine = false;
  }
}
