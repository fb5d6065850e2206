import { err, ok, type Result } from '../../lib/result.ts';
import { readPrivateFile } from './key-file.ts';

export interface PassphraseFault {
  readonly code:
    | 'PASSPHRASE_MISSING'
    | 'PASSPHRASE_EMPTY'
    | 'PASSPHRASE_DIFFERS'
    | 'PASSPHRASE_ABORTED'
    | 'PASSPHRASE_FILE';
  /** A sentence for people; never holds anything secret. */
  readonly reason: string;
}

/** The part of a terminal's input stream that is used here; `process.stdin` has it. */
export interface TerminalInput {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data' | 'end', listener: (text: string) => void): unknown;
  off(event: 'data' | 'end', listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface PassphraseSources {
  /** `--passphrase-file`. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: TerminalInput;
  /** Where the question is put: stderr, as stdout is data. */
  readonly output: { write(text: string): unknown };
}

const ENVIRONMENT_NAME = 'COUNTERFOIL_PASSPHRASE_FILE';
const FILE_BYTES_MAX = 4_096;
/** Keystrokes on one line: whoever sends more is no person. */
const KEYS_MAX = 1_024;
const LINE_ENDS = ['\r', '\n'];
/** Ctrl-C and Ctrl-D. */
const ABORTS = ['\u0003', '\u0004'];

/**
 * The passphrase from the file that the flag or else the environment names, or else from the terminal, unseen.
 *
 * @param question what is asked, such as `Passphrase of keys/node.json`
 * @param isNew asks twice, so that a slip of the finger does not lock a new key for ever
 */
export async function readPassphrase(
  sources: PassphraseSources,
  question: string,
  isNew = false,
): Promise<Result<string, PassphraseFault>> {
  const file = sources.file ?? sources.environment[ENVIRONMENT_NAME];
  if (file !== undefined && file !== '') return readPassphraseFile(file);
  if (sources.input.isTTY !== true) {
    const reason = `no terminal to ask on: give --passphrase-file or ${ENVIRONMENT_NAME}`;
    return err({ code: 'PASSPHRASE_MISSING', reason });
  }
  const typedAhead = { text: '' };
  const first = await ask(sources, question, typedAhead);
  if (!first.ok || !isNew) return first;
  const second = await ask(sources, `${question}, again`, typedAhead);
  if (!second.ok) return second;
  return first.value === second.value
    ? first
    : err({ code: 'PASSPHRASE_DIFFERS', reason: 'the two passphrases differ; nothing was done' });
}

/** The first line of a file that only its owner can read. */
function readPassphraseFile(path: string): Result<string, PassphraseFault> {
  const text = readPrivateFile(path, FILE_BYTES_MAX);
  if (!text.ok) return err({ code: 'PASSPHRASE_FILE', reason: text.error.reason });
  return notEmpty(text.value.split(/\r?\n/, 1)[0] ?? '', `the first line of ${path} is empty`);
}

function notEmpty(passphrase: string, reason: string): Result<string, PassphraseFault> {
  return passphrase === '' ? err({ code: 'PASSPHRASE_EMPTY', reason }) : ok(passphrase);
}

/** What came after the line that was asked for: the answer to the next question. */
interface TypedAhead {
  text: string;
}

/** Reads one line in raw mode, in which the terminal echoes nothing and sends Ctrl-C as a character. */
async function ask(
  sources: PassphraseSources,
  question: string,
  typedAhead: TypedAhead,
): Promise<Result<string, PassphraseFault>> {
  const { input, output } = sources;
  output.write(`${question}: `);
  input.setEncoding('utf8');
  input.setRawMode?.(true);
  try {
    const line = await readLine(input, typedAhead);
    return line === undefined
      ? err({ code: 'PASSPHRASE_ABORTED', reason: 'no passphrase was given' })
      : notEmpty(line, 'a passphrase has at least one character');
  } finally {
    input.setRawMode?.(false);
    input.pause();
    output.write('\n');
  }
}

/** Undefined when the line was broken off: Ctrl-C, Ctrl-D, or the end of the input. */
function readLine(input: TerminalInput, typedAhead: TypedAhead): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (line: string | undefined): void => {
      input.off('data', take);
      input.off('end', end);
      resolve(line);
    };
    const end = (): void => finish(undefined);
    const take = (typed: string): void => {
      typedAhead.text += typed;
      const keys = [...typedAhead.text];
      const length = keys.findIndex((key) => LINE_ENDS.includes(key) || ABORTS.includes(key));
      if (length < 0 && keys.length <= KEYS_MAX) return;
      typedAhead.text = keys.slice(length + 1).join('');
      finish(length >= 0 && LINE_ENDS.includes(keys[length] ?? '') ? edited(keys.slice(0, length)) : undefined);
    };
    input.on('data', take);
    input.on('end', end);
    take('');
    input.resume();
  });
}

/** The line that these keystrokes leave: backspace takes one character back, Ctrl-U all of them. */
function edited(keys: readonly string[]): string {
  const line: string[] = [];
  for (const key of keys) {
    if (key === '\u007f' || key === '\b') line.pop();
    else if (key === '\u0015') line.length = 0;
    else if (key >= ' ') line.push(key);
  }
  return line.join('');
}
