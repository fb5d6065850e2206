import { Command, CommanderError } from 'commander';
import { addGlobalOptions } from './command-line.ts';
import { CommandError, EXIT_CODES, exitNameOf, toldCodeOf } from './exit-codes.ts';

const PURPOSE =
  'A proof-of-authority ledger for tickets. Several organisations run it together: every transition of a ticket is ' +
  'ordered and signed by enough of them that no single one can rewrite who sold, activated, admitted or contested it.';

const AFTER = `
Examples:
  counterfoil devnet                      a network of four on this machine, to try it
  counterfoil ticket admit <ticket id>    one scan, decided by the network

In a clone: npm start, and npm run -s cf -- <command>.
Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 not found, 5 refused by a rule of the chain,
6 node unreachable, 7 data locked or damaged, 8 verification failed, 130/143 ended by a signal.
`;

/** Every command with its options; what a command runs on is loaded when it runs. */
export function buildProgram(version: string, commands: readonly Command[]): Command {
  const program = addGlobalOptions(new Command('counterfoil'))
    .description(PURPOSE)
    .usage('<command> [options]')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'this page')
    .helpCommand('help [command]', 'the page of a command')
    .addHelpText('after', AFTER);
  for (const command of commands) program.addCommand(command);
  finish(program);
  return program;
}

/** The same on every terminal: what is wider than this wraps by itself. */
const HELP_COLUMNS = 110;

function finish(command: Command): void {
  command.exitOverride().showSuggestionAfterError(true);
  command.configureOutput({
    outputError: () => undefined,
    getOutHelpWidth: () => HELP_COLUMNS,
    getErrHelpWidth: () => HELP_COLUMNS,
  });
  for (const inner of command.commands) finish(inner);
  if (command.parent !== null && command.commands.length === 0) addGlobalOptions(command);
}

/** Runs one command line. @returns the exit code */
export async function runProgram(program: Command, args: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...args], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT_CODES.OK;
  } catch (error) {
    if (error instanceof CommanderError) return usageProblem(error);
    report(error, args.includes('--json'), args.includes('-v') || args.includes('--verbose'));
    return EXIT_CODES[exitNameOf(error)];
  }
}

/** Commander has printed a page that was asked for; everything else is a line that cannot be understood. */
function usageProblem(error: CommanderError): number {
  if (error.exitCode === 0) return EXIT_CODES.OK;
  if (error.code !== 'commander.help') {
    const message = error.message.replace(/^error: /, '').trimEnd();
    process.stderr.write(`counterfoil: ${message}\nSee counterfoil --help, or --help after a command.\n`);
  }
  return EXIT_CODES.USAGE;
}

function report(error: unknown, json: boolean, verbose: boolean): void {
  const message = error instanceof Error ? error.message : String(error);
  const advice = error instanceof CommandError ? error.advice : '';
  const code = toldCodeOf(error);
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code: code ?? exitNameOf(error), message, advice } })}\n`);
    return;
  }
  const told = code === undefined || message.includes(code) ? '' : ` (${code})`;
  process.stderr.write(`counterfoil: ${message}${causes(error)}${told}\n${advice === '' ? '' : `${advice}\n`}`);
  const isOurs = error instanceof CommandError;
  if (verbose || (!isOurs && exitNameOf(error) === 'FAILED' && error instanceof TypeError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
  }
}

/** What the environment said below our own sentence. */
function causes(error: unknown): string {
  if (error instanceof CommandError || !(error instanceof Error) || error.cause === undefined) return '';
  const { cause } = error;
  return `: ${cause instanceof Error ? cause.message : String(cause)}`;
}
