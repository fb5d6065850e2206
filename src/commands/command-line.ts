import { Command, Option } from 'commander';
import { CommandError } from './exit-codes.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** What every command gets beside its own options. */
export interface Invocation {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  readonly config: string | undefined;
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

const GLOBAL = 'Global options:';

function globalOptions(): readonly Option[] {
  return [
    new Option('--home <dir>', 'home of the node: keys, configuration, data (default: ".")'),
    new Option('--config <file>', 'configuration (default: config.toml in the home)'),
    new Option('--json', 'answers as JSON, one value per line'),
    new Option('--log-level <level>', 'silent, error, warn, info, debug or trace (default: info)'),
    new Option('--log-format <format>', 'auto, json or pretty (default: auto, pretty on a terminal)'),
    new Option('--no-color', 'no colours (also: NO_COLOR=1)'),
    new Option('-q, --quiet', 'only data and errors'),
    new Option('-v, --verbose', 'say more'),
  ];
}

/** The flags that people may write before or after the name of a command. */
export function addGlobalOptions(command: Command): Command {
  command.optionsGroup(GLOBAL);
  for (const option of globalOptions()) command.addOption(option.helpGroup(GLOBAL));
  return command;
}

export interface CommandText {
  /** `devnet`, `block <height>`. */
  readonly usage: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What it is for, for its own page; the summary when absent. */
  readonly purpose?: string;
  /** Two that can be copied. */
  readonly examples: readonly [string, string];
}

/** A command that does something: its page teaches with two examples. */
export function leaf(text: CommandText): Command {
  const command = new Command(text.usage.split(' ')[0] ?? '');
  const args = text.usage.split(' ').slice(1).join(' ');
  if (args !== '') command.arguments(args);
  return command
    .summary(text.summary)
    .description(text.purpose ?? text.summary)
    .addHelpText('after', `\nExamples:\n${text.examples.map((example) => `  ${example}\n`).join('')}`);
}

/** A command that only groups others. */
export function group(name: string, summary: string, commands: readonly Command[]): Command {
  const command = new Command(name).summary(summary).description(summary);
  for (const inner of commands) command.addCommand(inner);
  return command;
}

/** The global flags of a command, wherever on the line they stood. */
export function invocationOf(command: Command): Invocation {
  const options = globalValues(command);
  const text = (name: string): string | undefined => {
    const value = options.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const environment = process.env;
  const quiet = options.get('quiet') === true;
  const verbose = options.get('verbose') === true;
  const json = options.get('json') === true;
  const color = options.get('color') !== false;
  const { stdout, stderr } = process;
  return {
    terminal: openTerminal({ stdout, stderr, environment, json, color, quiet, verbose }),
    environment,
    home: text('home') ?? environment['COUNTERFOIL_HOME'],
    config: text('config') ?? environment['COUNTERFOIL_CONFIG'],
    logLevel: text('logLevel'),
    logFormat: text('logFormat'),
    verbose,
    quiet,
  };
}

/** Of a flag given twice the inner one counts; colours are off when either place says so. */
function globalValues(command: Command): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const [name, value] of Object.entries(at.opts<Record<string, unknown>>())) {
      if (!values.has(name) || (name === 'color' && value === false)) values.set(name, value);
    }
  }
  return values;
}

/** What was typed to get here: in a clone there is no `counterfoil` on the path. */
export function commandName(environment: Invocation['environment']): string {
  switch (environment['npm_lifecycle_event']) {
    case 'cf':
      return 'npm run -s cf --';
    case 'npx':
      return 'npx counterfoil';
    default:
      return 'counterfoil';
  }
}

const WHICH_NODE = ['--node', '--home', '--config'];

/** The words of a command line that say which node it means, for another command about the same one: ` --node URL`, or nothing. */
export function sameNode(words: readonly string[]): string {
  const end = words.indexOf('--');
  const typed = end < 0 ? words : words.slice(0, end);
  const found = new Map<string, string>();
  for (const [index, word] of typed.entries()) {
    for (const flag of WHICH_NODE) {
      const value = word.startsWith(`${flag}=`) ? word.slice(flag.length + 1) : typed[index + 1];
      if (value !== undefined && word.split('=', 1)[0] === flag) found.set(flag, value);
    }
  }
  return [...found].map(([flag, value]) => ` ${flag} ${shellWord(value)}`).join('');
}

/** As a shell takes it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A whole number given on the command line. */
export function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new CommandError('USAGE', `${name} is a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`);
}
