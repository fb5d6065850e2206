import type { Outcome } from './exchange.ts';
import { escaped, renderPage } from './page.ts';
import type { Reader } from './ports.ts';

/** What the page shows of `/api/v1/status`: the words, and the path of the member. */
const FACTS: readonly (readonly [string, string])[] = [
  ['height', 'head.height'],
  ['head', 'head.hash'],
  ['its time', 'head.time'],
  ['primary', 'primary'],
  ['view', 'view'],
  ['authorities', 'authorities'],
  ['connected', 'connected'],
  ['peers', 'peers'],
  ['waiting', 'mempool'],
];

const LINKS: readonly (readonly [string, string])[] = [
  ['/api/v1/status?pretty', 'where the chain is'],
  ['/api/v1/explain?pretty', 'why it moves, or does not'],
  ['/api/v1/blocks?limit=10&pretty', 'the newest blocks'],
  ['/api/v1/tickets?pretty', 'the tickets'],
  ['/api/v1/peers?pretty', 'whom this node is connected with'],
  ['/api/v1/authorities?pretty', 'who proposes and signs'],
  ['/api/v1/questions?pretty', 'what an auditor asks of the graph, with the text for /sparql'],
  ['/doc/block/0', 'what the graph says of the first block; everything else is linked'],
  ['/ontology', 'the words of the graph'],
  ['/verify', 'proofs of tickets, checked in this browser'],
  ['/metrics', 'numbers for Prometheus'],
];

const SCRIPT = `
  const read = async (name) => (await fetch('/api/v1/' + name)).json();
  const look = async () => {
    if (!document.hidden) {
      const alarm = document.querySelector('.warning');
      try {
        const [status, explain] = await Promise.all([read('status'), read('explain')]);
        for (const place of document.querySelectorAll('[data-of]')) {
          const value = place.dataset.of.split('.').reduce((from, name) => from?.[name], status);
          place.textContent = value ?? '-';
        }
        document.querySelector('#reason').textContent = explain.reason;
        alarm.hidden = true;
      } catch {
        alarm.hidden = false;
      }
    }
    setTimeout(look, 2000);
  };
  look();
`;

/** The first page of a node: where it is, kept up to date. */
export function nodePage(reader: Reader): Outcome {
  const { nodeId, networkId, chainId, role, version } = reader.status();
  const facts = FACTS.map(([words, path]) => `<dt>${words}</dt><dd class="number" data-of="${path}">-</dd>`);
  const links = LINKS.map(([href, words]) => `<li><a href="${escaped(href)}">${escaped(href)}</a>: ${words}</li>`);
  const body = `<h1>${escaped(nodeId)}</h1>
<p>${role} of ${escaped(networkId)}, chain ${chainId}; Counterfoil ${escaped(version)}</p>
<p class="warning" hidden>The node does not answer any more. What is below is what it said last.</p>
<p id="reason"></p>
<dl>
${facts.join('\n')}
</dl>
<h2>To look at</h2>
<ul>
${links.join('\n')}
</ul>`;
  const { html, policy } = renderPage(`${nodeId}, a node of ${networkId}`, body, SCRIPT);
  const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' };
  const mediaType = 'text/html; charset=utf-8';
  return { ok: true, value: { status: 200, headers, content: { kind: 'bytes', mediaType, bytes: Buffer.from(html) } } };
}
