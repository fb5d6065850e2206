import { Option } from 'commander';

/** What a command line says about passphrases. */
export interface PassphraseOptions {
  readonly passphraseFile?: string;
  /** False with `--no-passphrase`. */
  readonly passphrase: boolean;
}

export function passphraseFileOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    'passphrase: its first line (also: COUNTERFOIL_PASSPHRASE_FILE; else asked)',
  );
}

export function noPassphraseOption(): Option {
  return new Option('--no-passphrase', 'keep secrets unencrypted, in files that only their owner can read');
}
