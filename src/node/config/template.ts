import { ALL_SETTINGS, SECTION_NOTES, SECTIONS } from './schema.ts';
import type { RawValue } from './values.ts';

const INTRODUCTION = `# Counterfoil: the configuration of one node. Every key is here, with its default unless this node needs another value.
# A flag wins over an environment variable (COUNTERFOIL_SECTION_KEY), that over this file, that over the default.
# "counterfoil config show" prints what is in force and where it came from.
#
# The file at the root of the repository has the defaults only. This makes a network of one and starts it with them:
#   npm run -s cf -- init --network my-net --authorities 1 --no-passphrase
#   npm run -s cf -- start --config config.toml --home my-net/federation
`;

/** A whole config.toml with comments; `values` by `section.key` stand in place of the defaults. */
export function renderConfig(values: ReadonlyMap<string, RawValue>): string {
  return [INTRODUCTION, ...SECTIONS.map((section) => renderSection(section, values))].join('\n');
}

function renderSection(section: (typeof SECTIONS)[number], values: ReadonlyMap<string, RawValue>): string {
  const lines = [`[${section}]`, `# ${SECTION_NOTES[section]}`];
  for (const { key, setting } of ALL_SETTINGS.filter((named) => named.section === section)) {
    if (setting.note !== '') lines.push('', ...setting.note.split('\n').map((line) => `# ${line}`));
    lines.push(`${key} = ${renderValue(values.get(`${section}.${key}`) ?? setting.initial)}`);
  }
  return `${lines.join('\n')}\n`;
}

function renderValue(value: RawValue): string {
  if (typeof value !== 'object') return typeof value === 'string' ? renderText(value) : String(value);
  if (value.length === 0) return '[]';
  return `[\n${value.map((item) => `  ${renderText(item)},\n`).join('')}]`;
}

/** TOML's basic strings take the escapes of JSON, and escape DEL besides. */
function renderText(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}
