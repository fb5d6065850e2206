/** Runs the shell blocks of a page in order, on ports of its own, and says what they printed as the page would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../scripts/suites.mjs';
import { type Program, startProgram } from '../cluster/support/program.ts';
import type { Block } from './markdown.ts';

const NODES_MAX = 5;
const WRITTEN_BASE_PORT = 7180;
const PEER_PORTS_ABOVE = 100;

/** `cf` as the page defines it, but without npm's set-up, and asking the gateway of this run. */
const PRELUDE = `
cf() {
  case "$1" in
    status|peers|explain|ticket|event|rdf) [ -n "$TOUR_URL" ] && set -- "$@" --node "$TOUR_URL" ;;
    proof) [ "$2" = fetch ] && [ -n "$TOUR_URL" ] && set -- "$@" --node "$TOUR_URL" ;;
  esac
  npm_lifecycle_event=cf "$TOUR_NODE" "$TOUR_MAIN" "$@"
}
npm() {
  if [ "$1 $2 $3 $4" = 'run -s cf --' ]; then shift 4; cf "$@"; else command npm "$@"; fi
}
`;

export interface TourOptions {
  readonly directory: string;
  readonly basePort: number;
  /** Whether commands that name no node ask the gateway, as on the default ports they would. */
  readonly hasGateway: boolean;
}

export class Tour {
  readonly #options: TourOptions;
  readonly #ports: ReadonlyMap<string, string>;
  readonly #background = new Map<string, Program>();
  /** What this run calls something that the page was written with. */
  readonly #names = new Map<string, string>();

  constructor(options: TourOptions) {
    this.#options = options;
    const offsets = Array.from({ length: NODES_MAX + 1 }, (_, index) => index);
    this.#ports = new Map(
      offsets
        .flatMap((offset) => [offset, offset + PEER_PORTS_ABOVE])
        .map((offset) => [`${WRITTEN_BASE_PORT + offset}`, `${options.basePort + offset}`]),
    );
  }

  /** From here on `written` in a command means `actual`. */
  rename(written: string, actual: string): void {
    this.#names.set(written, actual);
  }

  /** Text of the page as it is to be run here. */
  here(text: string): string {
    const ported = text.replace(/\b7[12]8\d\b/g, (port) => this.#ports.get(port) ?? port);
    return [...this.#names].reduce((sofar, [written, actual]) => sofar.replaceAll(written, actual), ported);
  }

  /** Output of this run as the page says it. */
  written(text: string): string {
    // A port of the page has one digit less: the column after it moves by one.
    const ports = [...this.#ports].reduce(
      (sofar, [written, actual]) =>
        sofar
          .replace(new RegExp(`(?<![0-9a-f])${actual}( {2,})`, 'g'), `${written} $1`)
          .replace(new RegExp(`(?<![0-9a-f])${actual}(?![0-9a-f])`, 'g'), written),
      text,
    );
    const placed = ports.replaceAll(this.#options.directory, '/home/you/counterfoil');
    return placed.replaceAll(` --node http://localhost:${WRITTEN_BASE_PORT}`, '').replaceAll('\r', '');
  }

  /** Runs a block to its end. @returns both outputs as a terminal shows them */
  async run(block: Block): Promise<string> {
    const child = spawn('bash', ['-c', this.#script(block)], this.#spawnOptions());
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await once(child, 'close');
    return this.written(output);
  }

  /** Starts a block that goes on, as in a terminal of its own. */
  start(name: string, block: Block): Program {
    // exec: the signal that ends it must reach the program, not a shell before it.
    const last = block.lines.at(-1) ?? '';
    const [command = '', ...args] = last.replace(/^npm run -s cf --|^cf/, '"$TOUR_NODE" "$TOUR_MAIN"').split(' ');
    const lines = [...block.lines.slice(0, -1), ['exec', command, ...args].join(' ')];
    const { cwd, env } = this.#spawnOptions();
    const url = last.includes(' ticket watch') ? ' --node "$TOUR_URL"' : '';
    const script = this.#script({ ...block, lines }) + url;
    const program = startProgram('bash', ['-c', script], { cwd, environment: env });
    this.#background.set(name, program);
    return program;
  }

  background(name: string): Program {
    const program = this.#background.get(name);
    if (program === undefined) throw new Error(`nothing called ${name} runs`);
    return program;
  }

  /** Ends what runs in the background. */
  async end(): Promise<void> {
    for (const program of this.#background.values()) program.child.kill('SIGTERM');
    await Promise.all([...this.#background.values()].map(({ ended }) => ended));
  }

  #script(block: Block): string {
    return `${PRELUDE}\n${this.here(block.lines.join('\n'))}`;
  }

  #spawnOptions() {
    const { directory, basePort, hasGateway } = this.#options;
    const env = Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        value === undefined || name.startsWith('COUNTERFOIL_') ? [] : [[name, value]],
      ),
    );
    return {
      cwd: directory,
      env: {
        ...env,
        TOUR_NODE: process.execPath,
        TOUR_MAIN: join(ROOT, 'dist', 'main.js'),
        TOUR_URL: hasGateway ? `http://localhost:${basePort}` : '',
        NO_COLOR: '1',
      },
    };
  }
}
