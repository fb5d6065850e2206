import type { Command } from 'commander';
import type { ResolvedConfig, ResolvedSetting } from '../node/config/config.ts';
import { group, invocationOf, leaf } from './command-line.ts';

function show(): Command {
  return leaf({
    usage: 'show',
    summary: 'every setting in force, and where it came from',
    purpose:
      'Prints every setting in force, and where it came from: a flag, an environment variable, the file or the default. ' +
      'Secrets are never among them: they are in files that settings only name.',
    examples: ['counterfoil config show --home my-node', 'COUNTERFOIL_API_PORT=8080 counterfoil config show --json'],
  }).action(async (_options: unknown, command: Command) => {
    const invocation = invocationOf(command);
    const { loadConfig } = await import('./files.ts');
    const { settings } = loadConfig(invocation);
    invocation.terminal.result(asJson(settings), () => asText(settings));
  });
}

function asJson(settings: ResolvedConfig['settings']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    settings.map(({ section, key, value, origin, source }) => [`${section}.${key}`, { value, origin, source }]),
  );
}

function asText(settings: ResolvedConfig['settings']): string {
  const lines: string[] = [];
  let section = '';
  for (const setting of settings) {
    if (setting.section !== section) lines.push(...(section === '' ? [] : ['']), `[${setting.section}]`);
    section = setting.section;
    lines.push(settingLine(setting));
  }
  return lines.join('\n');
}

const SETTING_WIDTH = 52;

function settingLine({ key, value, origin, source }: ResolvedSetting): string {
  const from = source === '' ? origin : `${origin}, ${source}`;
  return `${`${key} = ${JSON.stringify(value)}`.padEnd(SETTING_WIDTH)}  # ${from}`;
}

function check(): Command {
  return leaf({
    usage: 'check',
    summary: 'say whether the configuration, the genesis document and the pins fit together',
    examples: ['counterfoil config check --home my-node', 'counterfoil config check --config config.toml'],
  }).action(async (_options: unknown, command: Command) => {
    const invocation = invocationOf(command);
    const { checkConfiguration } = await import('./config-check.ts');
    const checked = checkConfiguration(invocation);
    invocation.terminal.result(checked, () => checked.findings.join('\n'));
  });
}

export function configCommand(): Command {
  return group('config', 'show and check the configuration of a node', [show(), check()]);
}
