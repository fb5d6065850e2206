import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post, type RunningDevnet, startDevnet } from '../cluster/support/devnet.ts';
import { endPrograms } from '../cluster/support/program.ts';
import { until } from '../cluster/support/until.ts';
import { type Browser, findChromium, startChromium } from './chromium.ts';

const path = findChromium();
if (path === undefined) {
  process.stdout.write(
    'NO BROWSER: the pages are not tested on this machine. To test them: apt-get install chromium\n',
  );
}

/** A phone, and a desk. */
const WIDTHS = [400, 1_280];

describe.skipIf(path === undefined)('in a browser (chromium has to be installed)', () => {
  let directory: string;
  let net: RunningDevnet;
  let browser: Browser;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'counterfoil-test-'));
    browser = await startChromium(path ?? '');
    net = await startDevnet(directory, ['--tickets', '3']);
  });

  afterAll(async () => {
    await browser?.close();
    net?.program.child.kill('SIGTERM');
    await net?.program.ended;
    endPrograms();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Texts of all places that match, as the page shows them now. */
  async function texts(selector: string): Promise<readonly string[]> {
    const found = await browser.tab.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].map((place) => place.textContent)`,
    );
    return Array.isArray(found) ? found.map(String) : [];
  }

  /** Waits until every place shows a height of at least so much. */
  async function untilHeights(selector: string, places: number, least: number): Promise<void> {
    let shown: readonly string[] = [];
    await until(
      async () => {
        shown = await texts(selector);
        return (shown.length === places && shown.every((text) => Number(text) >= least)) || undefined;
      },
      { what: `${places} heights of at least ${least}`, describe: () => shown.join(', ') },
    );
  }

  async function headHeight(): Promise<number> {
    const status: unknown = await (await fetch(`${net.url}/api/v1/status`)).json();
    return Number((status as { head: { height: number } }).head.height);
  }

  /** Nothing sticks out to the right, nothing was complained of, nobody else was asked. */
  async function isInOrder(width: number): Promise<void> {
    const size = await browser.tab.evaluate(
      `[innerWidth, ...[document.documentElement, ...document.querySelectorAll('pre')]
        .map(({ scrollWidth, clientWidth }) => Math.max(0, scrollWidth - clientWidth))]`,
    );
    expect(size).toEqual([width, ...Array.from({ length: (await texts('pre')).length + 1 }, () => 0)]);
    expect(browser.tab.complaints).toEqual([]);
    expect(browser.tab.requests.filter((url) => !/^(?:http:\/\/127\.0\.0\.1:|data:|about:)/.test(url))).toEqual([]);
  }

  it.each(WIDTHS)('the page of a devnet shows its nodes and how they move, %d px wide', async (width) => {
    await browser.tab.open(net.url, width);
    await untilHeights('[data-of="height"]', 4, 1);
    expect(await texts('tr[data-node] td:first-child')).toEqual(net.nodes.map(({ id }) => id));
    expect(await texts('td.role')).toEqual(['primary', 'authority', 'authority', 'authority']);
    await isInOrder(width);
    const before = await headHeight();
    await post(`${net.url}/api/v1/tickets/admit`, { ticket_id: net.sample_tickets[WIDTHS.indexOf(width)] });
    await untilHeights('[data-of="height"]', 4, before + 1);
    await isInOrder(width);
  });

  it('hears a page that complains', async () => {
    const { complaints } = browser.tab;
    const asked = browser.tab.requests.length;
    await browser.tab.open(net.url, 400);
    await untilHeights('[data-of="height"]', 4, 1);
    await browser.tab.evaluate('fetch("http://elsewhere.example/").catch(() => setTimeout(() => { throw 1; }))');
    await until(() => (complaints.length >= 2 && complaints.some((text) => text.includes('Uncaught'))) || undefined, {
      what: 'two complaints',
      describe: () => complaints.join('; '),
    });
    expect(complaints.join()).toContain('Content Security Policy');
    expect(browser.tab.requests.length).toBeGreaterThan(asked);
    complaints.splice(0);
  });

  it.each(WIDTHS)('the page of a node shows where it is and follows it, %d px wide', async (width) => {
    const [first] = net.nodes;
    await browser.tab.open(`${first?.http}/`, width);
    await untilHeights('[data-of="head.height"]', 1, 1);
    expect(await texts('h1, [data-of="primary"]')).toEqual(['federation', 'federation']);
    const before = await headHeight();
    await post(`${net.url}/api/v1/tickets/admit`, { ticket_id: net.sample_tickets[2] });
    await untilHeights('[data-of="head.height"]', 1, before + 1);
    await isInOrder(width);
  });
});
