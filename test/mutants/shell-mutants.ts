import type { FullSimulationOptions } from '../../src/simulator/full/report.ts';
import type { Mutant } from './mutate.ts';

/** A mistake of the shell, the runs that must show it, and the invariant by which it shows. */
export interface ShellCase {
  readonly mutant: Mutant;
  readonly options: Omit<FullSimulationOptions, 'seed'>;
  readonly breaks: RegExp;
}

const CALM = { liars: [], faults: [], cuts: [], lost: [], late: -1, lossRate: 0, spikeRate: 0, haste: 1 } as const;

/** Deeds in the wrong order, memory that is not kept, trust that was not earned. */
export const SHELL_CASES: readonly ShellCase[] = [
  {
    mutant: {
      name: 'sends before its journal is durable',
      changes: [
        {
          file: 'node/deeds.ts',
          find: '    this.#write([...support, record], () => {\n      this.#outbox.broadcast(message);',
          replace: '    this.#outbox.broadcast(message);\n    this.#write([...support, record], () => {',
        },
      ],
    },
    options: { n: 4 },
    breaks: /^journal before send$/,
  },
  {
    mutant: {
      name: 'takes appended records for durable ones',
      changes: [
        {
          file: 'store/live-journal.ts',
          find: '    file.sync((error) => {\n      if (error === undefined) {\n        this.#durable',
          replace:
            '    const early = this.#queue.splice(0, count);\n    count = 0;\n    for (const work of early) if (work.kind !== "close") work.onDurable?.();\n    file.sync((error) => {\n      if (error === undefined) {\n        this.#durable',
        },
      ],
    },
    options: { n: 4 },
    breaks: /^journal before send$/,
  },
  {
    mutant: {
      name: 'reads no further than the start before the last when its journal is opened',
      changes: [
        {
          file: 'store/open-journal.ts',
          find: 'for (const found of chain) yield* readPayloads(disk, found);',
          replace: 'for (const found of chain.slice(0, -1)) yield* readPayloads(disk, found);',
        },
      ],
    },
    options: {
      n: 4,
      scenario: { ...CALM, faultsMs: 1_500, faults: [{ seat: 1, fault: 'kill', at: 900, fuse: 0 }] },
    },
    breaks: /^no sound key is given up$/,
  },
  {
    mutant: {
      name: 'forgets the witness of its journal',
      changes: [
        {
          file: 'store/chain.ts',
          find: 'witness === undefined ? [] : [{ table: TABLES.meta, key: META.witness, value: encodeWitness(witness) }];',
          replace: 'witness === undefined ? [] : [].slice(encodeWitness(witness).length);',
        },
      ],
    },
    options: {
      n: 4,
      scenario: { ...CALM, faultsMs: 1_500, faults: [{ seat: 1, fault: 'roll-journal-back', at: 900, fuse: 0 }] },
    },
    breaks: /^key and journal are one thing$/,
  },
  {
    mutant: {
      name: 'forgets in a crash what it has signed',
      changes: [
        {
          file: 'node/recovery.ts',
          find: 'records: decodeRecords(payloads),',
          replace: 'records: decodeRecords([]),',
        },
      ],
    },
    options: { n: 4, scenario: { haste: 0.1 } },
    breaks:
      /^(?:one statement for each slot|no vote in a past view|PREPAREs of a view|no honest|views never go back|the lemma|no sound key is given up)/,
  },
  {
    mutant: {
      name: 'commits twice what is stored already',
      changes: [
        {
          file: 'node/block-work.ts',
          find: 'const blocks = all.filter(({ header }) => header.height > chain.head.height);',
          replace: 'const blocks = all;',
        },
        {
          file: 'node/deeds.ts',
          find: '        this.#blocks.commit(effect.blocks, effect.certificate);',
          replace:
            '        this.#blocks.commit(effect.blocks, effect.certificate);\n        this.#blocks.commit(effect.blocks, effect.certificate);',
        },
      ],
    },
    options: { n: 4 },
    breaks: /^assertion$/,
  },
  {
    mutant: {
      name: 'acknowledges what a crash may still lose',
      changes: [
        {
          file: 'node/intake.ts',
          find: '    this.#undurable.push(stored);\n',
          replace: '    this.#undurable.push(stored);\n    this.durable(stored.header.height);\n',
        },
      ],
    },
    options: { n: 4 },
    breaks: /^durable before it is acknowledged$/,
  },
  {
    mutant: {
      name: 'answers a question about what a crash may still lose',
      changes: [
        {
          file: 'node/intake.ts',
          find: 'if (undurable !== undefined && place.height >= undurable) return undefined;',
          replace: 'void undurable;',
        },
      ],
    },
    options: { n: 4, scenario: { storeMsMax: 40, repeatRate: 1 } },
    breaks: /^durable before it is acknowledged$/,
  },
  {
    mutant: {
      name: 'takes an id in its mempool for the signature that it has checked',
      changes: [
        {
          file: 'node/body-check.ts',
          find: 'mempool.get(transaction.id)?.signature !== transaction.signature',
          replace: 'mempool.get(transaction.id) === undefined',
        },
      ],
    },
    options: {
      n: 4,
      window: 1,
      scenario: { ...CALM, liars: [{ seat: 0, strategies: [], lies: ['forged-client-signatures'] }] },
    },
    breaks: /^what is final was signed by its client$/,
  },
  {
    mutant: {
      name: 'serves blocks behind the last one that has a certificate',
      changes: [
        {
          file: 'node/serving.ts',
          find: 'blocks: blocks.slice(0, certified.length)',
          replace: 'blocks',
        },
        {
          file: 'node/serving.ts',
          find: 'if (blocks.length >= count && certified !== undefined) break;',
          replace: 'if (blocks.length >= count) break;',
        },
        {
          file: 'node/serving.ts',
          find: 'blocks.length < SYNC_BLOCKS_MAX; height',
          replace: 'blocks.length < 3; height',
        },
      ],
    },
    options: {
      n: 4,
      window: 4,
      scenario: { faultsMs: 1_500, blockIntervalMs: 100, late: 3, liars: [], lost: [], faults: [], tickets: 6 },
    },
    breaks: /^no honest message is refused$/,
  },
  {
    mutant: {
      name: 'does not compare what a block yields with its header',
      changes: [
        {
          file: 'node/executor.ts',
          find: '!executed.ok || checkRoots(header, executed.value) !== undefined',
          replace: '!executed.ok || checkRoots === undefined',
        },
      ],
    },
    options: {
      n: 4,
      window: 1,
      scenario: { ...CALM, liars: [{ seat: 0, strategies: ['wrong-state'], lies: [] }] },
    },
    breaks: /^(?:assertion|the chain is what consensus made final|receipts are those)/,
  },
  {
    mutant: {
      name: 'believes any body under a certified header',
      changes: [
        {
          file: 'node/import-blocks.ts',
          find: '!isBodyOf(block.header, block.body)',
          replace: 'isBodyOf === undefined',
        },
        {
          file: 'node/executor.ts',
          find: '|| !isBodyOf(header, body)) return',
          replace: '|| isBodyOf === undefined) return',
        },
        { file: 'node/body-check.ts', find: 'areValid && next < unknown.length', replace: 'next < unknown.length' },
        { file: 'node/body-check.ts', find: '      done(areValid);', replace: '      done(true);' },
      ],
    },
    options: {
      n: 4,
      scenario: {
        ...CALM,
        late: 3,
        faultsMs: 1_500,
        liars: [{ seat: 0, strategies: [], lies: ['bad-blocks'] }],
        tickets: 6,
      },
    },
    breaks:
      /^(?:agreement|what is final was signed|no honest node halts|receipts are those|stores are in order|equal stores)/,
  },
];
