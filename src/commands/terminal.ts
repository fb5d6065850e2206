/** Where a command writes: data for programs, talk for people. */
export interface Terminal {
  /** Whether people see the data as it comes. */
  readonly isInteractive: boolean;
  readonly isJson: boolean;
  readonly columns: number;
  /** To standard output, with a line end. */
  data(text: string): void;
  /** To standard output without one: parts of a line. */
  raw(text: string): void;
  /** One JSON value on a line of its own when `--json`, else what `forPeople` says. */
  result(value: unknown, forPeople: () => string): void;
  /** To standard error; silent with `-q`. */
  talk(text: string): void;
  /** To standard error; only with `-v`. */
  detail(text: string): void;
  readonly style: Style;
}

/** Text in colour on terminals that want it; unchanged elsewhere. */
interface Style {
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** What is used of a standard stream. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly color: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** https://no-color.org: any value that is not empty turns colours off. */
function wantsColour({ stdout, environment, color }: TerminalOptions): boolean {
  return color && stdout.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}

function styleOf(colours: boolean): Style {
  const wrap = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { red: wrap(31), green: wrap(32), yellow: wrap(33) };
}

export function openTerminal(options: TerminalOptions): Terminal {
  const { stdout, stderr, json, quiet, verbose } = options;
  return {
    isInteractive: stdout.isTTY === true && !json,
    isJson: json,
    columns: stdout.columns ?? 120,
    data: (text) => void stdout.write(`${text}\n`),
    raw: (text) => void stdout.write(text),
    result: (value, forPeople) => void stdout.write(json ? `${JSON.stringify(value)}\n` : `${forPeople()}\n`),
    talk: (text) => void (quiet || stderr.write(`${text}\n`)),
    detail: (text) => void (!verbose || stderr.write(`${text}\n`)),
    style: styleOf(wantsColour(options)),
  };
}
