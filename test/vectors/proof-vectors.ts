import { stateKey, treeKey } from '../../src/ledger/records.ts';
import { TICKET } from '../../src/ledger/ticket-record.ts';
import { defined } from '../../src/lib/assert.ts';
import { fromHex, fromUtf8, toHex } from '../../src/lib/bytes.ts';
import { blockHash, headerLayout } from '../../src/model/block.ts';
import { type Ballot, PHASES } from '../../src/model/certificate.ts';
import { encode } from '../../src/model/codec.ts';
import { sha256 } from '../../src/model/hash.ts';
import { hashOfBytes, View } from '../../src/model/ids.ts';
import { type Bundle, type ChangePart, writeBundle } from '../../src/verifier/bundle.ts';
import type { FaultCode } from '../../src/verifier/faults.ts';
import { bundleOf, chainOf, FATES, genesisOf, type ProofChain } from '../support/proof-chain.ts';

export interface ProofVectors {
  readonly genesis: string;
  /** Proofs that hold, and what they prove in short. */
  readonly valid: readonly {
    readonly name: string;
    readonly proof: string;
    readonly height: number;
    readonly state: string;
  }[];
  readonly invalid: readonly {
    readonly name: string;
    readonly proof: string;
    readonly code: FaultCode;
    readonly genesis?: string;
  }[];
}

const HEADER_DIGITS = 588;

export async function deriveProofVectors(): Promise<ProofVectors> {
  const chain = await chainOf(FATES);
  const genesis = textOf(chain.genesisBytes);
  const valid = [
    ['state', bundleOf(chain, 'A-1'), 'CONSUMED'],
    ['never admitted', bundleOf(chain, 'A-2'), 'ISSUED'],
    ['history', bundleOf(chain, 'A-1', { history: true }), 'CONSUMED'],
    ['history and graphs', bundleOf(chain, 'B-1', { history: true, graphs: true }), 'ISSUED'],
    ['absence', bundleOf(chain, 'nobody'), 'ABSENT'],
  ] as const;
  return {
    genesis,
    valid: valid.map(([name, bundle, state]) => ({
      name,
      proof: written(bundle),
      height: chain.headers.length,
      state,
    })),
    invalid: [
      ...spoiltTexts(written(bundleOf(chain, 'A-1'))),
      ...spoiltStates(chain).map(([name, code, bundle]) => ({ name, code, proof: written(bundle) })),
      ...spoiltHistories(chain).map(([name, code, bundle]) => ({ name, code, proof: written(bundle) })),
      {
        name: 'the genesis of another network with the same authorities',
        code: 'WRONG_CHAIN',
        proof: written(bundleOf(chain, 'A-1')),
        genesis: textOf(genesisOf(4, chain.headers[0]?.timestamp).bytes),
      },
      {
        name: 'a genesis document that is written another way',
        code: 'BAD_GENESIS',
        proof: written(bundleOf(chain, 'A-1')),
        genesis: `${genesis}\n`,
      },
    ],
  };
}

type SpoiltText = readonly [name: string, code: FaultCode, text: string];
type Spoilt = readonly [name: string, code: FaultCode, bundle: Bundle];

/** What is in it is true, and it is not written as it has to be. */
function spoiltTexts(text: string): ProofVectors['invalid'] {
  const { format, ticket, ...rest } = JSON.parse(text) as Record<string, unknown>;
  const line = (value: object): string => `${JSON.stringify(value)}\n`;
  const texts: readonly SpoiltText[] = [
    ['no JSON', 'NOT_JSON', text.slice(0, -2)],
    ['another format', 'UNKNOWN_FORMAT', text.replace('proof/1', 'proof/2')],
    ['keys in another order', 'NOT_CANONICAL', line({ ticket, format, ...rest })],
    ['a blank', 'NOT_CANONICAL', text.replace(':', ': ')],
    ['no newline at the end', 'NOT_CANONICAL', text.trimEnd()],
    ['two newlines at the end', 'NOT_CANONICAL', `${text}\n`],
    ['a key twice', 'NOT_CANONICAL', text.replace('"ticket":', '"ticket":"A-2","ticket":')],
    ['an escape that is not needed', 'NOT_CANONICAL', text.replace('"A-1"', '"\\u0041-1"')],
    ['a number written another way', 'NOT_CANONICAL', text.replace('"view":0', '"view":0e1')],
    ['an unknown key', 'WRONG_FORM', line({ format, ticket, ...rest, comment: '' })],
    ['a missing key', 'WRONG_FORM', line({ format, ticket, ...rest, handovers: undefined })],
    [
      'hex in capitals',
      'WRONG_FORM',
      text.replace(/"record":"[0-9a-f]+"/, (found) => found.toUpperCase().replace('RECORD', 'record')),
    ],
    [
      'a hand-over of authority, which this version has none of',
      'WRONG_FORM',
      text.replace('"handovers":[]', '"handovers":[{}]'),
    ],
  ];
  return texts.map(([name, code, proof]) => ({ name, code, proof }));
}

function spoiltStates(chain: ProofChain): readonly Spoilt[] {
  const state = bundleOf(chain, 'A-1');
  const other = bundleOf(chain, 'A-2');
  const absent = bundleOf(chain, 'nobody');
  const { block } = state;
  const signatures = Array.from({ length: 3 }, (_, index) => block.signatures.slice(128 * index, 128 * (index + 1)));
  const signed = (seats: readonly number[], change: Partial<Ballot> = {}): Bundle => ({
    ...state,
    block: {
      ...block,
      seats,
      signatures: seats.map((seat) => chain.sign(seat, { ...ballotOf(chain), ...change })).join(''),
    },
  });
  const blockWith = (change: Partial<Bundle['block']>): Bundle => ({ ...state, block: { ...block, ...change } });
  const key = hashOfBytes(treeKey(stateKey(TICKET, 'A-1')));
  const leaf = key + hashOfBytes(sha256(defined(fromHex(state.record ?? ''), 'it is hex')));
  const earlier = headerText(chain, chain.headers.length - 2);
  return [
    ['two signatures where three are a quorum', 'WRONG_SEATS', signed([0, 1])],
    ['four signatures where three are a quorum', 'WRONG_SEATS', signed([0, 1, 2, 3])],
    ['one seat twice', 'WRONG_SEATS', signed([0, 1, 1])],
    ['a seat that does not exist', 'WRONG_SEATS', blockWith({ seats: [0, 1, 4] })],
    ['fewer signatures than seats', 'WRONG_SEATS', blockWith({ signatures: signatures.slice(1).join('') })],
    ['seats in another order', 'WRONG_SEATS', signed([1, 0, 2])],
    ['signatures in another order', 'BAD_SIGNATURE', blockWith({ signatures: signatures.toReversed().join('') })],
    ['another seat than the one that signed', 'BAD_SIGNATURE', blockWith({ seats: [0, 1, 3] })],
    ['votes of another view', 'BAD_SIGNATURE', blockWith({ view: 1 })],
    ['votes that only prepare', 'BAD_SIGNATURE', signed([0, 1, 2], { phase: PHASES[0] })],
    ['the header of another height', 'NOT_IN_STATE', blockWith({ header: earlier })],
    ['a path to a block that is no child', 'BROKEN_PATH', blockWith({ path: earlier })],
    ['a header of another version', 'BAD_HEADER', blockWith({ header: `01${block.header.slice(2)}` })],
    ['the state of another ticket', 'NOT_IN_STATE', { ...other, ticket: 'A-1' }],
    ['the record of another ticket', 'NOT_IN_STATE', { ...state, record: other.record }],
    ['another record', 'NOT_IN_STATE', { ...state, record: defined(state.record, 'it exists').replace(/.$/, '1') }],
    ['a record and its absence', 'WRONG_FORM', { ...state, absence: absent.absence }],
    ['neither a record nor its absence', 'WRONG_FORM', { ...state, record: null }],
    [
      'a ticket that exists, said to be absent',
      'NOT_IN_STATE',
      { ...state, record: null, absence: { key, leaf: null } },
    ],
    ['the same with its own leaf at the end', 'NOT_IN_STATE', { ...state, record: null, absence: { key, leaf } }],
    ['a sibling less', 'NOT_IN_STATE', { ...state, siblings: state.siblings.slice(64) }],
    ['the absence of another ticket', 'NOT_IN_STATE', { ...absent, ticket: 'A-2' }],
    ['a history of what does not exist', 'INCOMPLETE_HISTORY', { ...absent, history: historyOf(chain, 'A-1') }],
  ];
}

function spoiltHistories(chain: ProofChain): readonly Spoilt[] {
  const bundle = bundleOf(chain, 'A-1', { history: true });
  const [issued, validated, consumed] = historyOf(chain, 'A-1');
  const [graphed] = defined(bundleOf(chain, 'B-1', { history: true, graphs: true }).history, 'it was asked for');
  if (issued === undefined || validated === undefined || consumed === undefined) throw new Error('three changes');
  const { graphs } = defined(graphed, 'it has one change');
  const by = (...history: readonly ChangePart[]): Bundle => ({ ...bundle, history });
  const graph = (change: object): Bundle => ({
    ...bundleOf(chain, 'B-1'),
    history: [
      { ...defined(graphed, 'it has one change'), graphs: { ...defined(graphs, 'it was asked for'), ...change } },
    ],
  });
  const path = issued.block.path;
  return [
    ['a history without its beginning', 'INCOMPLETE_HISTORY', by(validated, consumed)],
    ['a history without its middle', 'INCOMPLETE_HISTORY', by(issued, consumed)],
    ['a history without its end', 'INCOMPLETE_HISTORY', by(issued, validated)],
    ['a history in another order', 'INCOMPLETE_HISTORY', by(validated, issued, consumed)],
    ['a change twice', 'INCOMPLETE_HISTORY', by(issued, issued, validated, consumed)],
    ['a change of another ticket', 'INCOMPLETE_HISTORY', { ...bundle, history: historyOf(chain, 'B-1') }],
    ['a transaction with the place of another', 'NOT_IN_BLOCK', by(issued, { ...validated, index: 1 }, consumed)],
    [
      'a transaction that is none',
      'BAD_TRANSACTION',
      by({ ...issued, transaction: issued.transaction.slice(2) }, validated, consumed),
    ],
    [
      'a receipt of another transaction',
      'BAD_RECEIPT',
      by({ ...issued, receipt: validated.receipt }, validated, consumed),
    ],
    [
      'a receipt with something more',
      'BAD_RECEIPT',
      by({ ...issued, receipt: `${issued.receipt}00` }, validated, consumed),
    ],
    [
      'a receipt with another state',
      'NOT_IN_RECEIPTS',
      by({ ...issued, receipt: otherState(issued.receipt) }, validated, consumed),
    ],
    ['a path with a gap', 'BROKEN_PATH', by(withPath(issued, path.slice(HEADER_DIGITS)), validated, consumed)],
    [
      'a path that ends before the block that was signed',
      'BAD_SIGNATURE',
      by(withPath(issued, path.slice(0, -HEADER_DIGITS)), validated, consumed),
    ],
    [
      'a graph with one letter changed',
      'NOT_IN_GRAPHS',
      graph({ graph: graphs?.graph.replace('Issuance', 'Issuancf') }),
    ],
    ['statements left out', 'NOT_IN_GRAPHS', graph({ stated: null })],
    [
      'statements with one letter changed',
      'NOT_IN_GRAPHS',
      graph({ stated: graphs?.stated?.replace('honour', 'honoua') }),
    ],
    [
      "a graph and statements in each other's place",
      'NOT_IN_GRAPHS',
      graph({ graph: graphs?.stated, stated: graphs?.graph }),
    ],
  ];
}

function historyOf(chain: ProofChain, ticket: string): readonly ChangePart[] {
  return defined(bundleOf(chain, ticket, { history: true }).history, 'it was asked for');
}

function withPath(change: ChangePart, path: string): ChangePart {
  return { ...change, block: { ...change.block, path } };
}

/** VALIDATED for ISSUED in the last change of a receipt: state, standing, epoch and holder stand at its end. */
function otherState(receipt: string): string {
  const at = receipt.length - 2 * (33 + 4 + 1 + 1);
  return `${receipt.slice(0, at)}01${receipt.slice(at + 2)}`;
}

function ballotOf({ headers }: ProofChain): Ballot {
  const header = defined(headers.at(-1), 'a chain has a head');
  return { phase: 'COMMIT', epoch: header.epoch, view: View(0), height: header.height, digest: blockHash(header) };
}

function headerText({ headers }: ProofChain, index: number): string {
  return toHex(encode(headerLayout, defined(headers[index], 'the chain is so long')));
}

function written(bundle: Bundle): string {
  return textOf(writeBundle(bundle));
}

function textOf(bytes: Uint8Array): string {
  return defined(fromUtf8(bytes), 'it is text');
}
