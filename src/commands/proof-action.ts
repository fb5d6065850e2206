import { writeFileSync } from 'node:fs';
import { ticketView, timeView } from '../api/views.ts';
import { isName } from '../model/ids.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import { standingAt, type Verdict } from '../verifier/verdict.ts';
import { verifyBundle } from '../verifier/verify.ts';
import { asOfLine, faultLine, verdictLines } from '../verifier/words.ts';
import { type Invocation, wholeNumber } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { readGivenFile } from './files.ts';
import { answerOf, connect } from './node-client.ts';
import type { NodeOptions } from './node-options.ts';

export interface FetchOptions extends NodeOptions {
  readonly history?: true;
  readonly graphs?: true;
  readonly out?: string;
}

export interface VerifyOptions {
  readonly genesis: string;
  readonly asOf?: string;
}

export async function fetchTicketProof(invocation: Invocation, ticket: string, options: FetchOptions): Promise<void> {
  if (!isName(ticket)) {
    throw new CommandError('USAGE', `${JSON.stringify(ticket)} is no id: 1 to 64 of A-Z a-z 0-9 . _ -`);
  }
  const client = await connect(invocation, options);
  const wanted = { history: options.history === true, graphs: options.graphs === true };
  const bytes = answerOf(await client.proof(ticket, wanted));
  const { out } = options;
  if (out === undefined) return invocation.terminal.raw(Buffer.from(bytes).toString('utf8'));
  writeFileSync(out, bytes);
  const answer = { file: out, bytes: bytes.length };
  invocation.terminal.result(answer, () => `Wrote ${bytes.length} bytes to ${out}.`);
}

/** @throws CommandError (VERIFICATION_FAILED) when the file proves nothing */
export function verifyProofFile(invocation: Invocation, file: string, options: VerifyOptions): void {
  const proof = readGivenFile(file);
  const genesis = readGivenFile(options.genesis);
  const height =
    options.asOf === undefined ? undefined : wholeNumber(options.asOf, '--as-of', 0, Number.MAX_SAFE_INTEGER);
  const verified = verifyBundle(proof, genesis, createSignatureCheck());
  if (!verified.ok) {
    const { code } = verified.error;
    throw new CommandError('VERIFICATION_FAILED', `${file} proves nothing: ${faultLine(verified.error)}.`, { code });
  }
  const verdict = verified.value;
  if (height !== undefined && height > verdict.height) {
    throw new CommandError('USAGE', `--as-of is a height up to ${verdict.height}, of which ${file} is.`);
  }
  invocation.terminal.result(viewOf(verdict, height), () =>
    [...verdictLines(verdict), ...(height === undefined ? [] : [asOfLine(verdict, height)])].join('\n'),
  );
}

function viewOf(verdict: Verdict, height: number | undefined): object {
  const { ticket, record, history, blockHash, chainId, networkId, signers, authorities } = verdict;
  return {
    ticket_id: ticket,
    height: verdict.height,
    at: timeView(verdict.at),
    block_hash: blockHash,
    chain_id: chainId,
    network_id: networkId,
    signers,
    authorities,
    ticket: record === null ? null : ticketView(record),
    versions:
      history?.map(({ at, transaction, graph: _graph, stated: _stated, type, organisation, ...version }) => ({
        ...version,
        at: timeView(at),
        transaction_id: transaction,
        type,
        agent: organisation,
      })) ?? null,
    ...(height === undefined ? {} : { as_of: { height, ...standingAt(verdict, height) } }),
  };
}
