import { z } from 'zod';

const term = z.object({
  type: z.string(),
  value: z.string(),
  datatype: z.string().optional(),
  'xml:lang': z.string().optional(),
});
const answer = z.union([
  z.object({ boolean: z.boolean() }),
  z.object({
    head: z.object({ vars: z.array(z.string()).optional() }),
    results: z.object({ bindings: z.array(z.record(z.string(), term)) }),
  }),
]);

/** A table for people, of an answer in `application/sparql-results+json`; undefined when it is none. */
export function tableText(
  json: string,
  prefixes: Readonly<Record<string, string>>,
): { readonly text: string; readonly rows: number } | undefined {
  const parsed = answer.safeParse(parseJson(json));
  if (!parsed.success) return undefined;
  if ('boolean' in parsed.data) return { text: parsed.data.boolean ? 'yes' : 'no', rows: 1 };
  const { head, results } = parsed.data;
  const names = head.vars ?? [];
  const cells = results.bindings.map((row) => names.map((name) => cellOf(row[name], prefixes)));
  const widths = names.map((name, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), name.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return { text: [names, ...cells].map(line).join('\n'), rows: cells.length };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Control characters of somebody else's text stay out of the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function cellOf(value: z.infer<typeof term> | undefined, prefixes: Readonly<Record<string, string>>): string {
  if (value === undefined) return '';
  if (value.type !== 'uri') return printable(value.value);
  for (const [name, iri] of Object.entries(prefixes)) {
    const local = value.value.slice(iri.length);
    if (value.value.startsWith(iri) && /^[A-Za-z][A-Za-z0-9_-]*$/.test(local)) return `${name}:${local}`;
  }
  return printable(value.value);
}
