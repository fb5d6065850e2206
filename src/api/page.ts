import { createHash } from 'node:crypto';

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  .wide { overflow-x: auto; } p, li, td, dd { overflow-wrap: anywhere; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0; }
  table td { overflow-wrap: normal; white-space: nowrap; }
  th { border-bottom: 2px solid #1c2430; } td { border-bottom: 1px solid #d5dae1; }
  dl { display: grid; grid-template-columns: minmax(5rem, auto) 1fr; gap: .3rem 1rem; } dt { color: #5a6472; } dd { margin: 0; }
  pre { background: #f2f4f7; padding: .8rem 1rem; border-radius: .3rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  textarea { box-sizing: border-box; width: 100%; font: 13px/1.4 ui-monospace, monospace; }
  .number { font-variant-numeric: tabular-nums; }
  .warning { background: #fff3cd; border-left: .3rem solid #c77700; padding: .6rem 1rem; } [hidden] { display: none; }
  @media (prefers-color-scheme: dark) {
    body { background: #14181f; color: #e4e8ee; } th { border-color: #e4e8ee; } td { border-color: #333b47; }
    pre { background: #1e242e; } dt { color: #a3adba; } .warning { background: #3a2f10; } a { color: #8ab8ff; }
  }
`;

export interface Page {
  readonly html: string;
  /** Its `Content-Security-Policy`: nothing runs or is asked but what is written in it, and the address it came from. */
  readonly policy: string;
}

/**
 * A page that is complete in itself and asks nobody else. `body` is HTML; `script` runs at its end.
 *
 * @param importMap of a script that imports: where its modules find theirs, at this same address
 */
export function renderPage(title: string, body: string, script: string, importMap?: object): Page {
  const map = importMap === undefined ? undefined : JSON.stringify(importMap);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
${body}
${
  map === undefined
    ? `<script>${script}</script>`
    : `<script type="importmap">${map}</script>
<script type="module">${script}</script>`
}
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src ${sourceOf(STYLE)}`,
    `script-src ${sourceOf(script)}${map === undefined ? '' : ` ${sourceOf(map)} 'self'`}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
