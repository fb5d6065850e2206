import { ok } from '../../lib/result.ts';
import type { Iri, Quad, Term } from '../../provenance/terms.ts';
import { NAMESPACES } from '../../provenance/vocabulary.ts';
import type { Outcome } from '../exchange.ts';
import { escaped, renderPage } from '../page.ts';

interface DocumentPage {
  readonly iri: Iri;
  readonly iriBase: Iri;
  readonly quads: readonly Quad[];
  /** Where everything that refers to it is, page by page, when it is not here. */
  readonly rest: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is known of a thing, for people: plain tables, with a link to whatever has a document of its own. */
export function documentPage({ iri, iriBase, quads, rest, headers }: DocumentPage): Outcome {
  const own = quads.filter(({ subject }) => subject === iri);
  const parts = quads.filter(({ subject }) => subject !== iri && subject.startsWith(`${iri}#`));
  const others = quads.filter(({ subject }) => subject !== iri && !subject.startsWith(`${iri}#`));
  const more =
    rest === undefined ? '' : `<p>More refers to it than is shown here: <a href="${escaped(rest)}">all of it</a>.</p>`;
  const name = iri.slice(iriBase.length);
  const body = `<h1>${escaped(name)}</h1>
<p>${escaped(iri)}</p>
${table('What it is', own, iriBase)}
${table('Its parts', parts, iriBase)}
${table('What refers to it', others, iriBase)}
${more}
<p>The same as data: ask this address for <code>text/turtle</code>, <code>application/trig</code>,
<code>application/n-quads</code>, <code>application/n-triples</code> or <code>application/ld+json</code>.</p>`;
  const { html, policy } = renderPage(name, body, '');
  return ok({
    status: 200,
    headers: { ...headers, vary: 'Accept', 'content-security-policy': policy, 'referrer-policy': 'no-referrer' },
    content: { kind: 'bytes', mediaType: 'text/html; charset=utf-8', bytes: Buffer.from(html) },
  });
}

function table(title: string, quads: readonly Quad[], iriBase: Iri): string {
  if (quads.length === 0) return '';
  const rows = quads.map(({ subject, predicate, object, graph }) => {
    const cells = [
      iriCell(subject, iriBase),
      iriCell(predicate, iriBase),
      termCell(object, iriBase),
      iriCell(graph, iriBase),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<h2>${title}</h2>
<div class="wide"><table>
<tr><th>subject</th><th>predicate</th><th>object</th><th>said in</th></tr>
${rows.join('\n')}
</table></div>`;
}

/** Links lead to this node's own documents, wherever the IRIs of the chain point. */
function iriCell(iri: Iri, iriBase: Iri): string {
  const shown = escaped(shortened(iri, iriBase));
  if (!iri.startsWith(iriBase)) return shown;
  return `<a href="/doc/${escaped(iri.slice(iriBase.length))}">${shown}</a>`;
}

function termCell(term: Term, iriBase: Iri): string {
  return term.kind === 'iri' ? iriCell(term.value, iriBase) : escaped(term.value);
}

function shortened(iri: Iri, iriBase: Iri): string {
  if (iri.startsWith(iriBase)) return iri.slice(iriBase.length);
  const found = Object.entries(NAMESPACES).find(([, namespace]) => iri.startsWith(namespace));
  return found === undefined ? iri : `${found[0]}:${iri.slice(found[1].length)}`;
}
