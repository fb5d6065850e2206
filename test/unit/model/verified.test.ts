import { describe, expect, it } from 'vitest';
import type { AuthoritySet } from '../../../src/model/authorities.ts';
import { blockHash, type Header } from '../../../src/model/block.ts';
import type { Certificate, Jurisdiction, Vote } from '../../../src/model/certificate.ts';
import { Epoch, Height, PublicKey, Signature, View } from '../../../src/model/ids.ts';
import type { Message } from '../../../src/model/message.ts';
import { verifyMessage, verifyTransaction } from '../../../src/model/verified.ts';
import {
  ballot,
  block,
  certificate,
  chain,
  checkpoint,
  consortium,
  hashFor,
  header,
  onHeader,
  signerOf,
  transaction,
  vote,
} from './consortium.ts';

const members = consortium(4);
const larger = consortium(7);

function verdict(message: Message, jurisdiction: Jurisdiction = members): string {
  const result = verifyMessage(message, jurisdiction);
  return result.ok ? 'ok' : result.error.code;
}

function spoiled(signature: Signature): Signature {
  return Signature((signature.startsWith('0') ? '1' : '0') + signature.slice(1));
}

function inEpoch(epoch: number): Jurisdiction & { readonly authorities: AuthoritySet } {
  return { ...members, authorities: { ...members.authorities, epoch: Epoch(epoch) } };
}

describe('a vote', () => {
  const good = vote(members, 2, ballot(members, { phase: 'PREPARE', view: View(5), height: Height(9) }));
  const judged = (one: Vote, jurisdiction?: Jurisdiction) => verdict({ kind: 'vote', vote: one }, jurisdiction);

  it('is taken from its signer', () => {
    expect(judged(good)).toBe('ok');
  });

  it('is of nobody else, and says nothing else', () => {
    const changes: readonly Partial<Vote>[] = [
      { signer: 1 },
      { signer: 4 },
      { signer: 30 },
      { phase: 'COMMIT' },
      { view: View(4) },
      { height: Height(8) },
      { digest: hashFor('another') },
      { signature: spoiled(good.signature) },
      { signature: signerOf(members, 2).sign(new Uint8Array()) },
    ];
    for (const change of changes) expect(judged({ ...good, ...change }), JSON.stringify(change)).toBe('BAD_SIGNATURE');
  });

  it('is not replayed on another chain or in another epoch', () => {
    expect(judged(good, { ...members, chainId: hashFor('another chain') })).toBe('BAD_SIGNATURE');
    expect(judged(good, inEpoch(1))).toBe('BAD_FORM');
    expect(judged({ ...good, epoch: Epoch(1) }, inEpoch(1))).toBe('BAD_SIGNATURE');
  });
});

describe('a certificate', () => {
  const on = ballot(members, { view: View(2) });
  const good = certificate(members, on);
  const judged = (one: Certificate, jurisdiction?: Jurisdiction) =>
    verdict({ kind: 'certificate', certificate: one }, jurisdiction);

  it('is taken from any quorum, and from more', () => {
    for (const seats of [
      [0, 1, 2],
      [0, 1, 3],
      [1, 2, 3],
      [0, 1, 2, 3],
    ])
      expect(judged(certificate(members, on, seats)), String(seats)).toBe('ok');
  });

  it('is not made by fewer, whoever is named twice or does not exist', () => {
    expect(judged(certificate(members, on, [0, 1]))).toBe('BAD_CERTIFICATE');
    expect(judged(certificate(members, on, []))).toBe('BAD_CERTIFICATE');
    const [first = spoiled(good.signatures[0] ?? Signature('0'.repeat(128))), second = first] = good.signatures;
    expect(judged({ ...good, signers: [0, 1, 1], signatures: [first, second, second] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signers: [0, 0, 1], signatures: [first, first, second] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signers: [0, 1, 4] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signers: [0, 2, 1] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signers: [0, 1], signatures: [first, second] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signatures: [first, second] })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, signatures: [...good.signatures, first] })).toBe('BAD_CERTIFICATE');
  });

  it('has no bad signature, not even beyond the quorum', () => {
    const all = certificate(members, on, [0, 1, 2, 3]);
    for (const bad of [0, 1, 2, 3]) {
      const signatures = all.signatures.map((signature, seat) => (seat === bad ? spoiled(signature) : signature));
      expect(judged({ ...all, signatures })).toBe('BAD_CERTIFICATE');
    }
  });

  it('does not count one voter for another, or a signature on something else', () => {
    const [a = '', b = '', c = ''] = good.signatures;
    expect(judged({ ...good, signatures: [a, c, b].map(Signature) })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, phase: 'PREPARE' })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, view: View(3) })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, height: Height(2) })).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, digest: hashFor('another') })).toBe('BAD_CERTIFICATE');
  });

  it('is of one chain, one epoch and one set', () => {
    expect(judged(good, { ...members, chainId: hashFor('another chain') })).toBe('BAD_CERTIFICATE');
    expect(judged(good, inEpoch(1))).toBe('BAD_CERTIFICATE');
    expect(judged({ ...good, epoch: Epoch(1) }, inEpoch(1))).toBe('BAD_CERTIFICATE');
    expect(judged(good, larger)).toBe('BAD_CERTIFICATE');
    const later = { ...members, authorities: { ...members.authorities, startView: View(3) } };
    expect(judged(good, later)).toBe('BAD_CERTIFICATE');
  });
});

describe('a proposal', () => {
  const proposed = block(members, [transaction(members, 1)], { view: View(1), proposer: 1 });
  const of = (on: Header, seat = 1, fields: Partial<Vote> = {}): Message => ({
    kind: 'pre-prepare',
    header: on,
    body: proposed.body,
    vote: vote(members, seat, onHeader(members, on, { phase: 'PREPARE', view: View(1), ...fields })),
  });

  it('is taken from the primary of its view, also again in a later one', () => {
    expect(verdict(of(proposed.header))).toBe('ok');
    expect(verdict(of(proposed.header, 2, { view: View(2) }))).toBe('ok');
    expect(verdict({ ...of(proposed.header), body: null } as Message)).toBe('ok');
  });

  it('is not taken from a backup, without a PREPARE, or with a vote for something else', () => {
    expect(verdict(of(proposed.header, 2))).toBe('BAD_FORM');
    expect(verdict(of(proposed.header, 1, { phase: 'COMMIT' }))).toBe('BAD_FORM');
    expect(verdict(of(proposed.header, 1, { digest: hashFor('another') }))).toBe('BAD_FORM');
    expect(verdict(of(proposed.header, 1, { height: Height(2) }))).toBe('BAD_FORM');
    const other = header(members, { stateRoot: hashFor('another state') });
    expect(verdict({ ...of(proposed.header), header: other } as Message)).toBe('BAD_FORM');
  });

  it('is of one epoch, and signed', () => {
    expect(verdict(of({ ...proposed.header, epoch: Epoch(1) }))).toBe('BAD_FORM');
    expect(verdict(of(proposed.header), inEpoch(1))).toBe('BAD_FORM');
    const signed = vote(members, 1, onHeader(members, proposed.header, { phase: 'PREPARE', view: View(1) }));
    const forged = { ...signed, signature: spoiled(signed.signature) };
    expect(verdict({ ...of(proposed.header), vote: forged } as Message)).toBe('BAD_SIGNATURE');
  });
});

describe('a checkpoint', () => {
  const judged = (one: ReturnType<typeof checkpoint>, jurisdiction?: Jurisdiction) =>
    verdict({ kind: 'checkpoint', checkpoint: one }, jurisdiction);

  it('is taken from its signer and says nothing else', () => {
    const good = checkpoint(members, 3);
    expect(judged(good)).toBe('ok');
    expect(judged({ ...good, signer: 2 })).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, signer: 200 })).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, height: Height(101) })).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, digest: hashFor('x') })).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, stateRoot: hashFor('x') })).toBe('BAD_SIGNATURE');
    expect(judged(good, { ...members, chainId: hashFor('another chain') })).toBe('BAD_SIGNATURE');
  });

  it('of an earlier epoch is not one of this', () => {
    expect(judged(checkpoint(members, 3), inEpoch(1))).toBe('BAD_FORM');
  });
});

describe('a final block', () => {
  const headers = chain(members, 4);
  const [first = header(members), ...path] = headers;
  const last = path.at(-1) ?? first;
  const proof = certificate(members, onHeader(members, last));
  const final = (fields: Partial<Extract<Message, { kind: 'final' }>> = {}): Message => ({
    kind: 'final',
    header: first,
    path,
    certificate: proof,
    ...fields,
  });

  it('is proven by COMMITs on it or on a descendant', () => {
    expect(verdict(final())).toBe('ok');
    expect(verdict(final({ path: [], certificate: certificate(members, onHeader(members, first)) }))).toBe('ok');
  });

  it('is not proven by PREPAREs, by too few, or by those of another block, height or chain', () => {
    const prepared = certificate(members, onHeader(members, last, { phase: 'PREPARE' }));
    expect(verdict(final({ certificate: prepared }))).toBe('BAD_FORM');
    expect(verdict(final({ certificate: certificate(members, onHeader(members, last), [0, 1]) }))).toBe(
      'BAD_CERTIFICATE',
    );
    expect(verdict(final({ certificate: certificate(members, onHeader(members, first)) }))).toBe('BAD_CERTIFICATE');
    const rival = header(members, { height: last.height, stateRoot: hashFor('another state') });
    expect(verdict(final({ certificate: certificate(members, onHeader(members, rival)) }))).toBe('BAD_CERTIFICATE');
    const wrongHeight = certificate(members, onHeader(members, last, { height: Height(last.height + 1) }));
    expect(verdict(final({ certificate: wrongHeight }))).toBe('BAD_CERTIFICATE');
    const foreign = certificate({ ...members, chainId: hashFor('another chain') }, onHeader(members, last));
    expect(verdict(final({ certificate: foreign }))).toBe('BAD_CERTIFICATE');
  });

  it('is not proven over a gap or by a set that the header does not name', () => {
    expect(verdict(final({ path: path.slice(1) }))).toBe('BAD_FORM');
    expect(verdict(final({ path: [...path].reverse() }))).toBe('BAD_FORM');
    const tall = header(members, { height: Height(3), previous: blockHash(first) });
    const jump = { path: [tall], certificate: certificate(members, onHeader(members, tall)) };
    expect(verdict(final(jump))).toBe('BAD_FORM');
    const stranger = header(members, { authoritiesHash: hashFor('another set') });
    const named = { header: stranger, path: [], certificate: certificate(members, onHeader(members, stranger)) };
    expect(verdict(final(named))).toBe('BAD_CERTIFICATE');
  });
});

describe('blocks in a row', () => {
  const blocks = chain(members, 3).map((one) => ({ header: one, body: [] }));
  const lastHeader = blocks.at(-1)?.header ?? header(members);
  const proof = certificate(members, onHeader(members, lastHeader));
  const judged = (fields: Partial<Extract<Message, { kind: 'blocks' }>>) =>
    verdict({ kind: 'blocks', blocks, certificate: proof, ...fields });

  it('are proven by the certificate of the last', () => {
    expect(judged({})).toBe('ok');
    expect(judged({ blocks: [], certificate: null })).toBe('ok');
  });

  it('are not proven otherwise', () => {
    expect(judged({ certificate: null })).toBe('BAD_FORM');
    expect(judged({ blocks: [] })).toBe('BAD_FORM');
    expect(judged({ blocks: blocks.toSpliced(1, 1) })).toBe('BAD_FORM');
    expect(judged({ blocks: blocks.slice(0, 2) })).toBe('BAD_CERTIFICATE');
    const few = certificate(members, onHeader(members, lastHeader), [1, 2]);
    expect(judged({ certificate: few })).toBe('BAD_CERTIFICATE');
    const prepared = certificate(members, onHeader(members, lastHeader, { phase: 'PREPARE' }));
    expect(judged({ certificate: prepared })).toBe('BAD_FORM');
  });
});

describe('a transaction', () => {
  it('is taken from its signer and says nothing else', () => {
    const good = transaction(members, 7);
    expect(verifyTransaction(good, members.check)).toEqual({ ok: true, value: good });
    const bad = { ...good, signature: spoiled(good.signature) };
    expect(verifyTransaction(bad, members.check)).toMatchObject({ error: { code: 'BAD_SIGNATURE' } });
    const other = { ...good, body: { ...good.body, signer: PublicKey('1'.repeat(64)) } };
    expect(verifyTransaction(other, members.check)).toMatchObject({ error: { code: 'BAD_SIGNATURE' } });
    const changed = { ...good, bytes: transaction(members, 9).bytes };
    expect(verifyTransaction(changed, members.check)).toMatchObject({ error: { code: 'BAD_SIGNATURE' } });
  });
});
