import type { ListedNode } from './nodes.ts';

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0; }
  th { border-bottom: 2px solid #1c2430; } td { border-bottom: 1px solid #d5dae1; }
  pre { background: #f2f4f7; padding: .8rem 1rem; overflow-x: auto; border-radius: .3rem; }
  .warning { background: #fff3cd; border-left: .3rem solid #c77700; padding: .6rem 1rem; }
  @media (prefers-color-scheme: dark) {
    body { background: #14181f; color: #e4e8ee; } th { border-color: #e4e8ee; } td { border-color: #333b47; }
    pre { background: #1e242e; } .warning { background: #3a2f10; } a { color: #8ab8ff; }
  }`;

/** The first page of a devnet: which nodes there are, and what to try. Complete in itself. */
export function renderPage(nodes: readonly ListedNode[], commands: readonly string[]): string {
  const rows = nodes
    .map(
      ({ id, role, http, p2p, pid, state }) =>
        `<tr><td>${escaped(id)}</td><td>${role}</td><td><a href="${escaped(http)}/api/v1/status">${escaped(http)}</a></td>` +
        `<td>${escaped(p2p)}</td><td>${pid ?? '-'}</td><td>${state}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterfoil devnet</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>Counterfoil devnet</h1>
<p class="warning"><strong>Devnet keys are public:</strong> anybody can sign as these nodes. Never for real tickets.</p>
<h2>Nodes</h2>
<table>
<thead><tr><th>node</th><th>role</th><th>http</th><th>p2p</th><th>pid</th><th>state</th></tr></thead>
<tbody>
${rows}
</tbody>
</table>
<p>What is asked of this address goes to the first of them that answers; the header <code>Counterfoil-Node</code> says which.
The list as JSON: <a href="/api/v1/nodes">/api/v1/nodes</a>.</p>
<h2>To try, in a terminal</h2>
<pre>${commands.map(escaped).join('\n')}</pre>
<h2>To look at</h2>
<ul>
<li><a href="/api/v1/status">/api/v1/status</a>: where the chain is</li>
<li><a href="/api/v1/tickets">/api/v1/tickets</a>: the tickets</li>
<li><a href="/api/v1/blocks">/api/v1/blocks</a>: the blocks, newest first</li>
<li><a href="/api/v1/explain">/api/v1/explain</a>: why the chain moves, or does not</li>
</ul>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
