import { closeSync, openSync, writeSync } from 'node:fs';
import type { Client } from '../client/http.ts';
import { parseGenesis } from '../ledger/genesis-document.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';

export interface DumpOptions extends NodeOptions {
  readonly out?: string;
}

/** `ticket:A-1` for what lies at `ticket/A-1` under the base of the chain. */
const SHORT = /^(ticket|tx|block|event|tier|gate|agent|authority):(?!\/\/)(.+)$/;

/** @throws CommandError with the node's own sentence */
export async function describeThing(invocation: Invocation, given: string, options: NodeOptions): Promise<void> {
  const { terminal } = invocation;
  const client = await connect(invocation, options);
  const [, kind, rest] = SHORT.exec(given) ?? [];
  const path = kind === undefined ? await pathOf(client, given) : `${kind}/${rest}`;
  const accept = terminal.isJson ? 'application/ld+json' : 'text/turtle';
  const { text, height } = answerOf(await client.document(path, accept));
  terminal.data(text.trimEnd());
  terminal.talk(`as of block ${height}`);
}

/** Which thing of the chain an IRI names. */
async function pathOf(client: Client, iri: string): Promise<string> {
  const genesis = parseGenesis(answerOf(await client.genesis()));
  if (!genesis.ok) {
    throw new CommandError('FAILED', `${client.url} answers with a genesis document that is not in order.`);
  }
  const { iriBase } = genesis.value;
  if (iri.startsWith(iriBase) && iri !== iriBase) return iri.slice(iriBase.length);
  throw new CommandError('USAGE', `${JSON.stringify(iri)} names nothing of this chain.`, {
    advice: `Its things are named ${iriBase}ticket/A-1 and so on, or ticket:A-1 for short.`,
  });
}

/** All quads of a node, a page at a time. @throws CommandError when a page does not come: what was written stays */
export async function dumpGraph(invocation: Invocation, { out, ...options }: DumpOptions): Promise<void> {
  const { terminal } = invocation;
  const client = await connect(invocation, options);
  const file = out === undefined ? undefined : openSync(out, 'w');
  let quads = 0;
  let height = 0;
  try {
    for (let next: string | null | undefined; next !== null; ) {
      const page: Awaited<ReturnType<typeof nextPage>> = await nextPage(client, next);
      if (file === undefined) terminal.raw(page.text);
      else writeSync(file, page.text);
      quads += page.text.split('\n').length - 1;
      ({ next, height } = page);
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
  const said = `${quads} quads, up to block ${height}`;
  if (out === undefined) terminal.talk(said);
  else terminal.result({ file: out, quads, height }, () => `Wrote ${said}, to ${out}.`);
}

async function nextPage(client: Client, next: string | undefined) {
  return answerOf(await client.quads(next));
}
