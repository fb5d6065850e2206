import type { Command } from 'commander';
import { invocationOf, leaf } from './command-line.ts';

export function versionCommand(version: string): Command {
  return leaf({
    usage: 'version',
    summary: 'print the version of this program and what it runs on',
    examples: ['counterfoil version', 'counterfoil version --json'],
  }).action((_options: unknown, command: Command) => {
    const { node, openssl } = process.versions;
    const about = { version, node, openssl: openssl ?? null, platform: `${process.platform}-${process.arch}` };
    invocationOf(command).terminal.result(about, () => `counterfoil ${version} (Node ${node}, ${about.platform})`);
  });
}
