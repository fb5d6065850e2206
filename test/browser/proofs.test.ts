import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/http.ts';
import { defined } from '../../src/lib/assert.ts';
import { post, type RunningDevnet, startDevnet } from '../cluster/support/devnet.ts';
import { endPrograms } from '../cluster/support/program.ts';
import { until } from '../cluster/support/until.ts';
import { type Browser, findChromium, startChromium } from './chromium.ts';

const path = findChromium();

/** Runs in the page: which of these positions can be another byte without anybody noticing. */
const UNNOTICED = `async (text, genesis, positions) => {
  const { verifyBundle } = await import('/verify/modules/verifier/verify.js');
  const encode = (one) => new TextEncoder().encode(one);
  const holds = (bytes) => verifyBundle(bytes, encode(genesis)).ok;
  const bytes = encode(text);
  if (!holds(bytes)) return 'the proof does not hold';
  const digits = '0123456789abcdef';
  return positions.filter((at) => {
    const byte = bytes[at];
    const digit = digits.indexOf(String.fromCharCode(byte));
    bytes[at] = digit < 0 ? byte ^ 1 : digits.charCodeAt((digit + 7) % 16);
    const unnoticed = holds(bytes);
    bytes[at] = byte;
    return unnoticed;
  });
}`;
/** Few enough for one call to a browser on a busy machine: a forged signature takes milliseconds to find out. */
const POSITIONS_PER_CALL = 150;

describe.skipIf(path === undefined)('proofs in a browser (chromium has to be installed)', () => {
  let directory: string;
  let net: RunningDevnet;
  let browser: Browser;
  let genesis: string;
  let url: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
    browser = await startChromium(path ?? '');
    net = await startDevnet(directory, ['--tickets', '2']);
    await post(`${net.url}/api/v1/tickets/admit`, { ticket_id: ticket() });
    url = defined(net.nodes[0], 'a devnet has nodes').http;
    genesis = await (await fetch(`${url}/api/v1/genesis`)).text();
  });

  afterAll(async () => {
    await browser?.close();
    net?.program.child.kill('SIGTERM');
    await net?.program.ended;
    endPrograms();
    rmSync(directory, { recursive: true, force: true });
  });

  function ticket(): string {
    return defined(net.sample_tickets[0], 'a devnet has tickets');
  }

  async function proof(id: string, wanted = { history: false, graphs: false }): Promise<string> {
    const answered = await createClient({ url }).proof(id, wanted);
    if (!answered.ok) throw new Error(answered.error.detail);
    return Buffer.from(answered.value).toString('utf8');
  }

  async function open(width = 1_280): Promise<void> {
    await browser.tab.open(`${url}/verify`, width);
    await until(async () => (await shown('button:not([disabled])')) !== null || undefined, {
      what: 'a page that is ready',
    });
  }

  async function shown(selector: string): Promise<unknown> {
    return await browser.tab.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? null`);
  }

  /** What the page says of a proof that was pasted into it. */
  async function judged(text: string, height = ''): Promise<string> {
    const values = { proof: text, genesis, height };
    for (const [name, value] of Object.entries(values)) {
      await browser.tab.evaluate(`document.querySelector('#${name}').value = ${JSON.stringify(value)}; 0`);
    }
    await browser.tab.evaluate(
      `document.querySelector('#verdict').textContent = ''; document.querySelector('#verify').click(); 0`,
    );
    return await until(async () => String(await shown('#verdict')) || undefined, { what: 'a verdict' });
  }

  it.each([400, 1_280])('the page says what a proof proves, %d px wide, and asks nobody', async (width) => {
    const text = await proof(ticket(), { history: true, graphs: true });
    await open(width);
    const asked = browser.tab.requests.length;
    expect(await judged(text, '0')).toBe('The proof holds.');
    const lines = String(await shown('#lines'));
    expect(lines).toContain(`Ticket ${ticket()} of event`);
    expect(lines).toContain('CONSUMED, in good standing.');
    expect(lines).toContain('These are all its versions.');
    expect(lines).toContain('3 of 4 authorities');
    expect(lines).toContain(`As of block 0 there was no ticket ${ticket()}.`);
    expect(await judged(text.trimEnd())).toBe('The proof holds.');
    expect(await judged(text.replace('"view":0', '"view":1'))).toBe('This proves nothing.');
    expect(String(await shown('#lines'))).toMatch(/\(BAD_SIGNATURE\)$/);
    expect(await judged(await proof('nobody'))).toBe('The proof holds.');
    expect(String(await shown('#lines'))).toContain('There is no ticket nobody');
    expect(browser.tab.requests.length).toBe(asked);
    const sticksOut = '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.documentElement)';
    expect(await browser.tab.evaluate(sticksOut)).toBe(0);
    expect(browser.tab.complaints).toEqual([]);
  });

  it('one changed byte is noticed, wherever in the proof of a state it is', async () => {
    await open();
    const text = await proof(ticket());
    expect(text.length).toBeLessThan(3_000);
    await expectNoticed(text, all(Buffer.byteLength(text)));
  });

  it('and all over a history, and everywhere in a graph', async () => {
    await open();
    const text = await proof(ticket(), { history: true, graphs: true });
    const bytes = Buffer.from(text);
    await expectNoticed(text, all(bytes.length, 41));
    const from = bytes.lastIndexOf('"graph":"');
    const to = bytes.indexOf('","stated":', from);
    await expectNoticed(text, all(bytes.length).slice(from, to));
  });

  function all(length: number, step = 1): readonly number[] {
    return Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step);
  }

  async function expectNoticed(text: string, positions: readonly number[]): Promise<void> {
    expect(positions.length).toBeGreaterThan(0);
    for (let from = 0; from < positions.length; from += POSITIONS_PER_CALL) {
      const some = positions.slice(from, from + POSITIONS_PER_CALL);
      const call = [text, genesis, some].map((value) => JSON.stringify(value)).join(', ');
      expect(await browser.tab.evaluate(`(${UNNOTICED})(${call})`)).toEqual([]);
    }
  }
});
