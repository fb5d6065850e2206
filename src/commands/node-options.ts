import { type Command, Option } from 'commander';

/** Which node is asked. */
export interface NodeOptions {
  readonly node?: string;
}

/** How a write is signed and how long it is waited for. */
export interface WriteCommandOptions extends NodeOptions {
  readonly key?: string;
  readonly organisation?: string;
  readonly tokenFile?: string;
  readonly passphraseFile?: string;
  readonly idempotencyKey?: string;
  readonly wait: string;
  /** Name of a file. */
  readonly statements?: string;
}

const NODE = 'The node:';
const SIGNING = 'Signing and waiting:';

export function withNode(command: Command): Command {
  return command.addOption(
    new Option(
      '--node <url>',
      'its address (default: that of --home, else http://localhost:7180, then http://localhost:7181)',
    ).helpGroup(NODE),
  );
}

/** What is said of the things of a write beside doing it. */
export function withStatements(command: Command): Command {
  return command.addOption(
    new Option(
      '--statements <file>',
      'what you say of it, recorded with it: Turtle when the node signs, N-Triples in canonical form with a key',
    ),
  );
}

export function withSigning(command: Command): Command {
  const options = [
    new Option('--key <file>', 'sign with this client key (default: the node signs with its own)'),
    new Option('--organisation <name>', 'of that key (default: the one that genesis lists it under)'),
    new Option('--passphrase-file <file>', 'of that key (also: COUNTERFOIL_PASSPHRASE_FILE; else asked)'),
    new Option('--token-file <file>', 'operator token, when the node signs (default: keys/operator.token of --home)'),
    new Option('--idempotency-key <text>', 'the same key again is done once'),
    new Option('--wait <time>', 'how long to wait until it is final').default('5s'),
  ];
  for (const option of options) command.addOption(option.helpGroup(SIGNING));
  return withNode(withStatements(command));
}
