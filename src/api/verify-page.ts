import { ok } from '../lib/result.ts';
import type { Outcome, Route } from './exchange.ts';
import { renderPage } from './page.ts';
import { IMPORT_MAP, MODULES_AT, verifierModules } from './verifier-modules.ts';

const SCRIPT = `
  import { verifyBundle } from '${MODULES_AT}/verifier/verify.js';
  import { asOfLine, faultLine, verdictLines } from '${MODULES_AT}/verifier/words.js';
  const place = (name) => document.querySelector('#' + name);
  const given = async (name) => {
    const [file] = place(name + '-file').files;
    if (file) return new Uint8Array(await file.arrayBuffer());
    const text = place(name).value;
    return new TextEncoder().encode(text.endsWith('\\n') ? text : text + '\\n');
  };
  const show = (holds, lines) => {
    place('verdict').textContent = holds ? 'The proof holds.' : 'This proves nothing.';
    place('verdict').className = holds ? '' : 'warning';
    place('lines').replaceChildren(...lines.map((line) => {
      const item = document.createElement('li');
      item.textContent = line;
      return item;
    }));
  };
  place('verify').addEventListener('click', async () => {
    const verified = verifyBundle(await given('proof'), await given('genesis'));
    if (!verified.ok) return show(false, [faultLine(verified.error)]);
    const height = place('height').value;
    show(true, [...verdictLines(verified.value), ...(height === '' ? [] : [asOfLine(verified.value, Number(height))])]);
  });
  place('verify').disabled = false;
`;

function input(name: string, words: string): string {
  return `<h2><label for="${name}">${words}</label></h2>
<p><input type="file" id="${name}-file" aria-label="${words}, as a file"></p>
<p><textarea id="${name}" rows="6" spellcheck="false" placeholder="or its text"></textarea></p>`;
}

const BODY = `<h1>Verify a proof</h1>
<p>What a proof of a ticket proves, found out in this browser: nothing is sent anywhere, and the page works without a
network once it is there. What is believed is the genesis document alone, so have it from where you trust it, and the
page too: a node that lies can serve a page that lies. <code>counterfoil proof verify</code> does the same at home.</p>
${input('proof', 'The proof')}
${input('genesis', 'The genesis document')}
<p><label>As of an earlier height, if that is the question: <input type="number" id="height" min="0" step="1"></label></p>
<p><button id="verify" disabled>Verify</button></p>
<p id="verdict" role="status"></p>
<ul id="lines"></ul>`;

/** A page that verifies proofs, and the files of the verifier that it runs. */
export function verifyRoutes(): readonly Route[] {
  return [
    { method: 'GET', path: '/verify', handle: verifyPage },
    ...[...verifierModules()].map(
      ([path, bytes]): Route => ({
        method: 'GET',
        path: `${MODULES_AT}/${path}`,
        handle: () =>
          ok({
            status: 200,
            // As the page is: of this version of the node.
            headers: { 'cache-control': 'no-cache' },
            content: { kind: 'bytes', mediaType: 'text/javascript; charset=utf-8', bytes },
          }),
      }),
    ),
  ];
}

function verifyPage(): Outcome {
  const { html, policy } = renderPage('Verify a proof', BODY, SCRIPT, IMPORT_MAP);
  const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' };
  return ok({
    status: 200,
    headers,
    content: { kind: 'bytes', mediaType: 'text/html; charset=utf-8', bytes: Buffer.from(html) },
  });
}
