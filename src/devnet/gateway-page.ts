import { escaped, type Page, renderPage } from '../api/page.ts';
import type { SeenNode } from './nodes.ts';

const SCRIPT = `
  const look = async () => {
    if (!document.hidden) {
      const alarm = document.querySelector('#silent');
      try {
        const { nodes } = await (await fetch('/api/v1/nodes')).json();
        for (const row of document.querySelectorAll('[data-node]')) {
          const node = nodes.find(({ id }) => id === row.dataset.node) ?? {};
          for (const cell of row.querySelectorAll('[data-of]')) cell.textContent = node[cell.dataset.of] ?? '-';
          row.querySelector('.role').textContent = node.is_primary ? 'primary' : node.role;
        }
        alarm.hidden = true;
      } catch {
        alarm.hidden = false;
      }
    }
    setTimeout(look, 1000);
  };
  look();
`;

/** The first page of a devnet: which nodes there are, how far they are, and what to try. */
export function renderGatewayPage(nodes: readonly SeenNode[], commands: readonly string[]): Page {
  const body = `<h1>Counterfoil devnet</h1>
<p class="warning"><strong>Devnet keys are public:</strong> anybody can sign as these nodes. Never for real tickets.</p>
<p class="warning" id="silent" hidden>The devnet does not answer any more.</p>
<h2>Nodes</h2>
<div class="wide">
<table>
<thead><tr><th>node</th><th>role</th><th>height</th><th>state</th><th>http</th><th>p2p</th><th>pid</th></tr></thead>
<tbody>
${nodes.map(rowOf).join('\n')}
</tbody>
</table>
</div>
<p>What is asked of this address goes to the first of them that answers; the header <code>Counterfoil-Node</code> says which.
The list as JSON: <a href="/api/v1/nodes?pretty">/api/v1/nodes</a>.</p>
<h2>To try, in a terminal</h2>
<pre>${commands.map(escaped).join('\n')}</pre>
<h2>To look at</h2>
<ul>
<li><a href="/api/v1/status?pretty">/api/v1/status</a>: where the chain is</li>
<li><a href="/api/v1/tickets?pretty">/api/v1/tickets</a>: the tickets</li>
<li><a href="/api/v1/blocks?limit=10&amp;pretty">/api/v1/blocks</a>: the blocks, newest first</li>
<li><a href="/api/v1/explain?pretty">/api/v1/explain</a>: why the chain moves, or does not</li>
</ul>`;
  return renderPage('Counterfoil devnet', body, SCRIPT);
}

function rowOf({ id, role, is_primary, height, state, http, p2p, pid }: SeenNode): string {
  const cell = (of: string, text: unknown): string =>
    `<td class="number" data-of="${of}">${escaped(String(text ?? '-'))}</td>`;
  return (
    `<tr data-node="${escaped(id)}"><td>${escaped(id)}</td><td class="role">${is_primary ? 'primary' : role}</td>` +
    `${cell('height', height)}${cell('state', state)}` +
    `<td><a href="${escaped(http)}/">${escaped(http)}</a></td>${cell('p2p', p2p)}${cell('pid', pid)}</tr>`
  );
}
