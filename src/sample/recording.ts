import { foundLedger, type Genesis } from '../ledger/genesis.ts';
import { parseGenesis, writeGenesis } from '../ledger/genesis-document.ts';
import { assert } from '../lib/assert.ts';
import { blockHash } from '../model/block.ts';
import { type Hash, Height, type TicketId, Timestamp } from '../model/ids.ts';
import type { OperationKind } from '../model/operation.ts';
import { type DescribableBlock, describeBlock } from '../provenance/describe-block.ts';
import { type Iris, irisUnder } from '../provenance/iris.ts';
import type { Iri } from '../provenance/terms.ts';
import { CHAIN_FILE_MAGIC, CHAIN_FILE_VERSION, encodeChainFileRecord } from '../store/chain-file.ts';
import { type Act, actOf } from './act.ts';
import { answersOf, type ExpectedAnswer, type Setting } from './answers.ts';
import { RECORDED_CAST, RECORDED_MARKET, recordedGenesis } from './cast.ts';
import { CAST_SIZE } from './fate.ts';
import { planSample } from './plan.ts';
import { type Recorded, type RecordedBlock, Recorder, type SignerOf } from './record.ts';
import { sampleTierTerms, tiersOfNew } from './setting.ts';
import { sampleTicketId } from './tickets.ts';
import { HOUR, KICK_OFF } from './timeline.ts';

/** How much of what there is in a recorded chain. */
export interface RecordingCounts {
  readonly blocks: number;
  readonly transactions: number;
  readonly accepted: number;
  readonly repeated: number;
  /** By its code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Of all, by its kind. */
  readonly operations: Readonly<Record<string, number>>;
  /** Lines of all graphs, with those of blocks. */
  readonly quads: number;
}

/** A whole chain of the sample, signed with keys of its own, the same bytes each time. */
export class Recording {
  readonly genesis: Genesis;
  /** The document's bytes. */
  readonly genesisBytes: Uint8Array;
  readonly #tickets: number;
  readonly #recorder: Recorder;
  readonly #acts: Act[] = [];
  readonly #iris: Iris;
  readonly #tierOf = new Map<TicketId, Iri>();
  readonly #refused = new Map<string, number>();
  readonly #operations = new Map<OperationKind, number>();
  readonly #signed = new Map<number, number>();
  readonly #proposed = new Map<number, number>();
  #repeated = 0;
  #blocks = 0;
  #quads = 0;

  constructor(tickets: number, signerOf: SignerOf) {
    this.#tickets = tickets;
    this.genesisBytes = writeGenesis(recordedGenesis(signerOf));
    const parsed = parseGenesis(this.genesisBytes);
    assert(parsed.ok, 'the genesis of the sample is in order');
    this.genesis = parsed.value;
    this.#iris = irisUnder(this.genesis.iriBase);
    this.#recorder = new Recorder(this.genesis, signerOf);
  }

  get head(): { readonly height: Height; readonly hash: Hash } {
    return this.#recorder.head;
  }

  /** The chain as a file that can be imported, piece by piece; `each` sees every block with its graphs, genesis too. */
  *chainFile(each?: (block: DescribableBlock, documents: readonly string[]) => void): Generator<Uint8Array> {
    const { chainId } = this.genesis;
    yield CHAIN_FILE_MAGIC;
    yield encodeChainFileRecord({ kind: 'chain', version: CHAIN_FILE_VERSION, chainId });
    const { header } = foundLedger(this.genesis);
    const founding = { header, hash: blockHash(header), body: [], receipts: [], certificate: null };
    this.#describe({ ...founding, certifiedHeight: Height(0) }, each);
    const startsAt = Timestamp(this.genesis.created + KICK_OFF);
    const plan = { tickets: this.#tickets, grants: RECORDED_CAST, market: RECORDED_MARKET, startsAt };
    for (const block of this.#recorder.blocks(planSample(plan))) {
      this.#count(block);
      this.#describe(block, each);
      const { header: own, body, certificate, certifiedHeight } = block;
      yield encodeChainFileRecord({ kind: 'block', block: { header: own, body }, certificate, certifiedHeight });
    }
    yield encodeChainFileRecord({ kind: 'end', ...this.head });
  }

  /** Of what was written so far. */
  get counts(): RecordingCounts {
    const refused = [...this.#refused.values()].reduce((sum, count) => sum + count, 0);
    return {
      blocks: this.#blocks,
      transactions: this.#acts.length,
      accepted: this.#acts.length - refused - this.#repeated,
      repeated: this.#repeated,
      refused: byName(this.#refused),
      operations: byName(this.#operations),
      quads: this.#quads,
    };
  }

  /** What the questions are to be answered about what was written so far. */
  answers(): readonly ExpectedAnswer[] {
    const iris = this.#iris;
    const { created, authorities } = this.genesis;
    const setting: Setting = {
      iris,
      tiers: sampleTierTerms(iris),
      tierOf: this.#tierOf,
      tickets: Array.from({ length: CAST_SIZE }, (_, index) => sampleTicketId(index)),
      instant: created + KICK_OFF,
      from: created,
      until: created + KICK_OFF + 29 * HOUR,
    };
    const none = ['illegal-transitions', 'chain-breaks', 'out-of-lease'];
    const kept = authorities.map(({ id, organisation }, seat) => [
      iris.authority(id),
      iris.agent(organisation),
      `${this.#signed.get(seat) ?? 0}`,
      `${this.#proposed.get(seat) ?? 0}`,
      '0',
    ]);
    return [
      ...answersOf(this.#acts, setting),
      ...none.map((question) => ({ question, parameters: {}, rows: [] })),
      { question: 'authorities', parameters: {}, rows: kept },
    ];
  }

  #count({ header, certificate, recorded }: RecordedBlock): void {
    this.#blocks += 1;
    add(this.#proposed, header.proposer);
    for (const seat of certificate.signers) add(this.#signed, seat);
    for (const one of recorded) this.#countOne(one);
  }

  #countOne(recorded: Recorded): void {
    const { intent, receipt } = recorded;
    const { operation, code, repeats } = intent;
    // Nothing is read from receipts but that the plan was right.
    const isPlanned = receipt.code === code && (receipt.replayOf !== null) === repeats;
    assert(isPlanned, `${intent.idempotencyKey} was planned as ${code}, and is ${receipt.code}`);
    this.#acts.push(actOf(recorded, this.#iris));
    add(this.#operations, operation.kind);
    if (repeats) this.#repeated += 1;
    else if (code !== null) add(this.#refused, code);
    else for (const [ticket, tier] of tiersOfNew(operation, this.#iris)) this.#tierOf.set(ticket, tier);
  }

  #describe(block: DescribableBlock, each?: (block: DescribableBlock, documents: readonly string[]) => void): void {
    const documents = describeBlock(block, this.genesis);
    for (const document of documents) this.#quads += document.split('\n').length - 1;
    each?.(block, documents);
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function byName(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
