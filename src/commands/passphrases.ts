import { randomBytes } from 'node:crypto';
import type { Protection } from '../node/keys/key-format.ts';
import { type PassphraseFault, readPassphrase } from '../node/keys/passphrase.ts';
import type { Invocation } from './command-line.ts';
import { CommandError, type ExitName } from './exit-codes.ts';
import type { PassphraseOptions } from './passphrase-options.ts';

/** A file that is not in order is part of how a node was set up; a slip at the keyboard is not. */
const EXITS: Partial<Record<PassphraseFault['code'], ExitName>> = {
  PASSPHRASE_FILE: 'CONFIG_INVALID',
  PASSPHRASE_EMPTY: 'CONFIG_INVALID',
};

/** One passphrase for everything that a command opens: it is asked for once. */
export class Passphrases {
  readonly #invocation: Invocation;
  readonly #file: string | undefined;
  #known: string | undefined;

  constructor(invocation: Invocation, file: string | undefined) {
    this.#invocation = invocation;
    this.#file = file;
  }

  get canBeHad(): boolean {
    const { environment } = this.#invocation;
    const file = this.#file ?? environment['COUNTERFOIL_PASSPHRASE_FILE'] ?? '';
    return file !== '' || process.stdin.isTTY === true;
  }

  /** @throws CommandError when nobody tells it */
  async get(question: string, isNew = false): Promise<string> {
    if (this.#known !== undefined) return this.#known;
    const { environment } = this.#invocation;
    const sources = { file: this.#file, environment, input: process.stdin, output: process.stderr };
    const answer = await readPassphrase(sources, question, isNew);
    if (!answer.ok) {
      const advice = isNew ? 'Or --no-passphrase keeps the secret unencrypted.' : '';
      throw new CommandError(EXITS[answer.error.code] ?? 'FAILED', `${answer.error.reason}.`, {
        code: answer.error.code,
        advice,
      });
    }
    this.#known = answer.value;
    return answer.value;
  }
}

/** How the secrets that a command makes are kept. */
export async function newProtection(invocation: Invocation, options: PassphraseOptions): Promise<Protection> {
  if (!options.passphrase) return { kind: 'no-passphrase' };
  const passphrase = await new Passphrases(invocation, options.passphraseFile).get('Passphrase for the new keys', true);
  return { kind: 'passphrase', passphrase, randomBytes };
}
