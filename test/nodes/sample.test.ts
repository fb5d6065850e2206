import '../setup/native-hash.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { foundLedger } from '../../src/ledger/genesis.ts';
import { concat, toHex } from '../../src/lib/bytes.ts';
import { ok, type Result } from '../../src/lib/result.ts';
import { blockHash } from '../../src/model/block.ts';
import { sha256 } from '../../src/model/hash.ts';
import { Height } from '../../src/model/ids.ts';
import { type ImportedBlock, importChain } from '../../src/node/audit/import-chain.ts';
import { createSignatureCheck } from '../../src/node/keys/signatures.ts';
import { QUESTIONS } from '../../src/provenance/questions.ts';
import type { ExpectedAnswer } from '../../src/sample/answers.ts';
import { SAMPLE_SIZES, type SampleSize } from '../../src/sample/plan.ts';
import { Recording } from '../../src/sample/recording.ts';
import { Chain } from '../../src/store/chain.ts';
import { readChainFile } from '../../src/store/chain-file.ts';
import { Asked } from '../support/asking.ts';
import { sampleSigner } from '../support/sample-keys.ts';
import { memoryStore } from '../support/stores.ts';

const IS_LONG = process.env['COUNTERFOIL_LONG'] === '1';

interface Sample {
  readonly recording: Recording;
  readonly file: Uint8Array;
  readonly asked: Asked;
}

function recordedSample(size: SampleSize): Sample {
  const recording = new Recording(SAMPLE_SIZES[size], sampleSigner);
  const asked = new Asked([], recording.genesis.iriBase);
  const pieces: Uint8Array[] = [];
  const file = recording.chainFile((_, documents) => asked.add(documents.join('')));
  for (const piece of file) pieces.push(piece);
  return { recording, file: concat(...pieces), asked };
}

function expectAnswers({ recording, asked }: Sample): void {
  const answers = recording.answers();
  expect(new Set(answers.map(({ question }) => question))).toEqual(new Set(QUESTIONS.map(({ name }) => name)));
  for (const { question, parameters, rows } of answers) {
    expect(asked.rows(question, parameters), `${question} ${JSON.stringify(parameters)}`).toEqual(rows);
  }
  expect(asked.quads).toBe(recording.counts.quads);
}

/** The whole way of `chain import`, into a store in memory. */
async function imported({ recording, file }: Sample): Promise<Result<unknown, unknown>> {
  const { genesis } = recording;
  const { header, changes, pageWrites, set } = foundLedger(genesis);
  const hash = blockHash(header);
  const stored = { header, hash, body: [], receipts: [], certificate: null, certifiedHeight: Height(0) };
  const chain = await new Promise<Chain>((resolve, reject) => {
    Chain.open(memoryStore(), genesis.chainId, { stored, changes, pageWrites }, (begun) =>
      begun.ok ? resolve(begun.value) : reject(begun.error),
    );
  });
  const jurisdiction = { chainId: genesis.chainId, authorities: set, check: createSignatureCheck() };
  const run = importChain({ chain, jurisdiction, iriBase: genesis.iriBase, blocks: blocksOf(file) });
  for (;;) {
    const next = await run.next();
    if (next.done !== true) continue;
    return next.value.ok ? ok({ ...next.value.value, head: chain.headHash }) : next.value;
  }
}

function* blocksOf(file: Uint8Array): Generator<ImportedBlock<never>> {
  let at = 0;
  const records = readChainFile((count) => {
    at += count;
    return file.subarray(at - count, at);
  });
  for (const record of records) {
    if (record.kind !== 'block') continue;
    const { kind: _, ...block } = record;
    yield ok(block);
  }
}

let small: Sample;
beforeAll(() => {
  small = recordedSample('S');
});

describe('the recorded sample', () => {
  it('is the same bytes on every machine', () => {
    const { head, genesis } = small.recording;
    // It changes with every change of the bytes of the chain, and with nothing else.
    expect({ chain: genesis.chainId, head, file: toHex(sha256(small.file)) }).toEqual({
      chain: 'ccd2cb8e1d7e389acb6bec76b387665cfede5e67a2555032b377cceb311eb887',
      head: { height: 802, hash: 'abec8adc67f95decefb42a1ec6f2547e2647da7d6455e460ada23948c7e6f1a7' },
      file: 'f6854731b8eddc86618f519fab2623ca98d4523f6bf028d4125b68e6af3493aa',
    });
  });

  it('is a chain that an import takes, block by block', async () => {
    const { counts, head } = small.recording;
    expect(await imported(small)).toEqual(ok({ added: counts.blocks, known: 0, head: head.hash }));
  });

  it('answers every question as it was planned', () => {
    expectAnswers(small);
  });

  it('has a story for every question but those that an honest ledger has nothing to say to', () => {
    const silent = small.recording
      .answers()
      .filter(({ rows }: ExpectedAnswer) => rows.length === 0)
      .map(({ question }) => question);
    expect(new Set(silent)).toEqual(new Set(['who-admitted', 'illegal-transitions', 'chain-breaks', 'out-of-lease']));
  });

  it('misses a signature in some blocks, and never two', () => {
    const signed = small.asked.ask('authorities').map(([, , count]) => Number(count));
    const missing = 4 * small.recording.counts.blocks - signed.reduce((sum, count) => sum + count, 0);
    expect(missing / small.recording.counts.blocks).toBeGreaterThan(0.05);
    expect(missing / small.recording.counts.blocks).toBeLessThan(0.15);
  });

  it.runIf(IS_LONG)('does all that at ten thousand tickets too', { timeout: 600_000 }, async () => {
    const middle = recordedSample('M');
    expectAnswers(middle);
    const { counts, head } = middle.recording;
    expect(await imported(middle)).toEqual(ok({ added: counts.blocks, known: 0, head: head.hash }));
  });
});
