import type { BlocksAnswer, CertificateAnswer, HeaderAnswer } from '../client/answers.ts';
import { defined } from '../lib/assert.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { API_PAGE, API_PAGE_MAX } from '../model/http-limits.ts';
import { Hash, Height, isHex } from '../model/ids.ts';
import { TRANSACTION_BYTES_MAX } from '../model/limits.ts';
import { parseTransaction } from '../model/transaction.ts';
import {
  type ApiRequest,
  badField,
  json,
  type Outcome,
  parseHeight,
  type Route,
  waitParameter,
  wholeParameter,
} from './exchange.ts';
import type { FinalBlock, Reader } from './ports.ts';
import { fail, type Problem } from './problems.ts';
import { blockSummaryView, blockView, certificateView, headerView, transactionStateView } from './views.ts';
import { refusal, replayHeaders, submitted, underWay, type Writer } from './writes.ts';

const FOR_EVER = 'public, max-age=31536000, immutable';

export interface ChainRoutes extends Pick<Writer, 'reader' | 'submit'> {
  /** A devnet begins anew at the same address: what a height means there is not for ever. */
  readonly devnet: boolean;
}

/** The chain itself: genesis, blocks and transactions. */
export function chainRoutes(dependencies: ChainRoutes): readonly Route[] {
  const { reader, devnet } = dependencies;
  return [
    { method: 'GET', path: '/api/v1/genesis', handle: () => genesis(reader) },
    {
      method: 'GET',
      path: '/api/v1/blocks',
      query: ['limit', 'before'],
      handle: (request) => listBlocks(reader, request),
    },
    {
      method: 'GET',
      path: '/api/v1/blocks/:id',
      handle: (request) => {
        const block = findBlock(reader, request);
        if (!block.ok) return block;
        const isNamedByHash = request.params['id'] === block.value.hash;
        const caching = isNamedByHash || !devnet ? { 'cache-control': FOR_EVER } : {};
        return json(blockView(block.value), { etag: `"${block.value.hash}"`, ...caching });
      },
    },
    { method: 'GET', path: '/api/v1/blocks/:id/certificate', handle: (request) => certificate(reader, request) },
    {
      method: 'POST',
      path: '/api/v1/transactions',
      query: ['wait'],
      body: { mediaType: 'application/octet-stream', bytesMax: TRANSACTION_BYTES_MAX, example: 'transaction.bin' },
      handle: (request) => submitTransaction(dependencies, request),
    },
    { method: 'GET', path: '/api/v1/transactions/:id', handle: (request) => transaction(reader, request) },
  ];
}

function genesis(reader: Reader): Outcome {
  return ok({
    status: 200,
    headers: { etag: `"${reader.status().chainId}"` },
    content: { kind: 'bytes', mediaType: 'application/json; charset=utf-8', bytes: reader.genesis() },
  });
}

function listBlocks(reader: Reader, { query }: ApiRequest): Outcome {
  const limit = wholeParameter(query, 'limit', { least: 1, most: API_PAGE_MAX, otherwise: API_PAGE });
  if (!limit.ok) return limit;
  const { head } = reader.status();
  const named = query.get('before');
  const before = named === undefined ? ok(Height(head.height + 1)) : parseHeight('before', named);
  if (!before.ok) return before;
  const newest = Math.min(head.height, before.value - 1);
  const blocks: FinalBlock[] = [];
  for (let height = newest; height >= 0 && blocks.length < limit.value; height -= 1) {
    const block = reader.block(Height(height));
    // A node that keeps only recent blocks ends here.
    if (block === undefined) break;
    blocks.push(block);
  }
  const lowest = blocks.at(-1)?.header.height ?? 0;
  const answer: BlocksAnswer = {
    blocks: blocks.map(blockSummaryView),
    next: blocks.length === limit.value && lowest > 0 ? lowest : null,
  };
  return json(answer, { etag: `W/"${head.hash}"` });
}

function findBlock(reader: Reader, { params }: ApiRequest): Result<FinalBlock, Problem> {
  const id = params['id'] ?? '';
  const isHash = isHex(id, 32);
  if (!isHash && !/^\d{1,16}$/.test(id)) return badField('id', 'is a height, or a hash of 64 lower-case hex digits');
  const height = isHash ? ok(reader.heightOf(Hash(id))) : parseHeight('id', id);
  if (!height.ok) return height;
  const block = height.value === undefined ? undefined : reader.block(height.value);
  if (block !== undefined) return ok(block);
  if (height.value !== undefined && height.value < reader.oldest()) return pruned(reader, `block ${height.value}`);
  return fail('UNKNOWN_BLOCK', `no final block ${id} here; the head of this node is at ${reader.status().head.height}`);
}

function pruned(reader: Reader, what: string): Result<never, Problem> {
  return fail('PRUNED', `${what} is not kept here; the oldest block here is ${reader.oldest()}: ask an archive`);
}

function certificate(reader: Reader, request: ApiRequest): Outcome {
  const block = findBlock(reader, request);
  if (!block.ok) return block;
  const { certificate, certifiedHeight, hash, header } = block.value;
  if (certificate === null) {
    return fail('UNKNOWN_BLOCK', `block ${header.height} has no certificate: genesis is agreed on, not voted on`);
  }
  const path: HeaderAnswer[] = [];
  for (let height = header.height + 1; height <= certifiedHeight; height += 1) {
    const next = reader.block(Height(height));
    if (next === undefined)
      return fail('NOT_SYNCED', `block ${height}, which leads to the certificate, is not here yet`);
    path.push(headerView(next.header));
  }
  const isCurrent = certificate.epoch === reader.status().epoch;
  const authorities = isCurrent ? reader.authorities() : [];
  const answer: CertificateAnswer = {
    height: header.height,
    hash,
    certificate: certificateView(certificate, (seat) => authorities[seat]?.id ?? null),
    path,
  };
  return json(answer);
}

async function submitTransaction(dependencies: ChainRoutes, request: ApiRequest): Promise<Outcome> {
  const waitMs = waitParameter(request.query, 0);
  if (!waitMs.ok) return waitMs;
  const parsed = parseTransaction(request.body);
  if (!parsed.ok) {
    return fail('BAD_REQUEST', `not the canonical bytes of a signed transaction: ${parsed.error.reason}`);
  }
  const written = await submitted(dependencies, parsed.value, waitMs.value);
  if (!written.ok) return written;
  if (!written.value.isFinal) return underWay(written.value.transaction, waitMs.value);
  if (!written.value.receipt.accepted) return err(refusal(written.value));
  const id = written.value.transaction;
  const answer = defined(transactionStateView(id, dependencies.reader.transaction(id)), 'a final transaction is known');
  return json(answer, replayHeaders(written.value.isReplay));
}

function transaction(reader: Reader, { params }: ApiRequest): Outcome {
  const id = params['id'] ?? '';
  if (!isHex(id, 32)) return badField('id', 'is a transaction id: 64 lower-case hex digits');
  const found = reader.transaction(Hash(id));
  if (found.state === 'pruned') return pruned(reader, `the transaction, final at height ${found.height},`);
  const answer = transactionStateView(Hash(id), found);
  if (answer === undefined) {
    return fail('UNKNOWN_TRANSACTION', 'this node has not seen it, or it expired before it became final');
  }
  return json(answer, answer.state === 'final' ? { etag: `"${id}"` } : {});
}
