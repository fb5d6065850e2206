import { describe, expect, it } from 'vitest';
import { Epoch, Height, Signature, View } from '../../../src/model/ids.ts';
import type { Message } from '../../../src/model/message.ts';
import { verifyMessage } from '../../../src/model/verified.ts';
import type { NewView, ViewChange } from '../../../src/model/view-change.ts';
import { ballot, certificate, claimOf, consortium, hashFor, newView, viewChange } from './consortium.ts';

const members = consortium(4);
/** What seats hold when they leave view 2: nothing, a block prepared in view 0, a lower one prepared in view 1. */
const older = certificate(members, ballot(members, { phase: 'PREPARE', view: View(0), height: Height(5) }));
const newer = certificate(members, ballot(members, { phase: 'PREPARE', view: View(1), height: Height(3) }));
const target = View(2);

function verdict(message: Message, jurisdiction = members): string {
  const result = verifyMessage(message, jurisdiction);
  return result.ok ? 'ok' : result.error.code;
}

function spoiled(signature: Signature): Signature {
  return Signature((signature.startsWith('0') ? '1' : '0') + signature.slice(1));
}

describe('a view change', () => {
  const judged = (one: ViewChange, proof: typeof older | null, jurisdiction = members): string =>
    verdict({ kind: 'view-change', viewChange: one, certificate: proof }, jurisdiction);
  const claiming = (of: typeof older, fields: Partial<ViewChange> = {}): ViewChange =>
    viewChange(members, 1, { newView: target, claim: claimOf(of), ...fields });

  it('is taken with nothing to keep, or with what is kept and its proof', () => {
    expect(judged(viewChange(members, 1, { newView: target }), null)).toBe('ok');
    expect(judged(claiming(newer), newer)).toBe('ok');
    const final = certificate(members, ballot(members, { view: View(1), height: Height(3) }));
    expect(judged(claiming(final), final)).toBe('ok');
  });

  it('is for a later view than the first, and claims an earlier one', () => {
    expect(judged(viewChange(members, 1, { newView: View(0) }), null)).toBe('BAD_FORM');
    expect(judged(claiming(newer, { newView: View(1) }), newer)).toBe('BAD_FORM');
  });

  it('proves what it claims, and exactly that', () => {
    expect(judged(claiming(newer), null)).toBe('BAD_FORM');
    expect(judged(viewChange(members, 1, { newView: target }), newer)).toBe('BAD_FORM');
    expect(judged(claiming(newer), older)).toBe('BAD_CERTIFICATE');
    expect(judged(claiming(newer, { claim: { ...claimOf(newer), phase: 'COMMIT' } }), newer)).toBe('BAD_CERTIFICATE');
    expect(judged(claiming(newer, { claim: { ...claimOf(newer), digest: hashFor('x') } }), newer)).toBe(
      'BAD_CERTIFICATE',
    );
    expect(judged(claiming(newer, { claim: { ...claimOf(newer), height: Height(4) } }), newer)).toBe('BAD_CERTIFICATE');
    const few = certificate(members, ballot(members, { phase: 'PREPARE', view: View(1) }), [0, 1]);
    expect(judged(claiming(few), few)).toBe('BAD_CERTIFICATE');
  });

  it('is its signer’s', () => {
    const good = viewChange(members, 1, { newView: target });
    for (const change of [{ signer: 2 }, { signer: 9 }, { finalHeight: Height(1) }, { finalHash: hashFor('x') }])
      expect(judged({ ...good, ...change }, null), JSON.stringify(change)).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, newView: View(3) }, null)).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, signature: spoiled(good.signature) }, null)).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, claim: claimOf(newer) }, newer)).toBe('BAD_SIGNATURE');
    expect(judged(good, null, { ...members, chainId: hashFor('another chain') })).toBe('BAD_SIGNATURE');
    expect(judged({ ...good, epoch: Epoch(1) }, null)).toBe('BAD_SIGNATURE');
  });
});

describe('a new view', () => {
  const wants = (seat: number, of: typeof older | null, fields: Partial<ViewChange> = {}): ViewChange =>
    viewChange(members, seat, { newView: target, claim: of === null ? null : claimOf(of), ...fields });
  const judged = (fields: Partial<NewView>, seat?: number, jurisdiction = members): string =>
    verdict({ kind: 'new-view', newView: newView(members, { view: target, ...fields }, seat) }, jurisdiction);
  const mixed = [wants(0, older), wants(1, newer), wants(2, null)];

  it('begins at the highest claim, by view before height, or at nothing when nothing is claimed', () => {
    expect(judged({ viewChanges: mixed, anchor: newer })).toBe('ok');
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), wants(3, null)] })).toBe('ok');
    expect(judged({ viewChanges: [0, 1, 2, 3].map((seat) => wants(seat, older)), anchor: older })).toBe('ok');
  });

  it('does not begin lower, higher or elsewhere', () => {
    expect(judged({ viewChanges: mixed, anchor: older })).toBe('BAD_CERTIFICATE');
    expect(judged({ viewChanges: mixed, anchor: null })).toBe('BAD_FORM');
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), wants(2, null)], anchor: older })).toBe('BAD_FORM');
    expect(judged({ viewChanges: [wants(0, older), wants(1, null), wants(2, null)], anchor: newer })).toBe(
      'BAD_CERTIFICATE',
    );
  });

  it('is not decided by two claims of one rank for different blocks', () => {
    const rival = { ...claimOf(newer), digest: hashFor('a rival') };
    const viewChanges = [wants(0, newer), wants(1, null, { claim: rival }), wants(2, null)];
    expect(judged({ viewChanges, anchor: newer })).toBe('BAD_FORM');
  });

  it('needs a quorum of different seats that want exactly this view', () => {
    expect(judged({ viewChanges: mixed.slice(0, 2), anchor: newer })).toBe('BAD_FORM');
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), wants(1, null)] })).toBe('BAD_FORM');
    expect(judged({ viewChanges: [wants(0, null), wants(2, null), wants(1, null)] })).toBe('BAD_FORM');
    const another = wants(2, null, { newView: View(3) });
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), another] })).toBe('BAD_FORM');
    const ahead = certificate(members, ballot(members, { phase: 'PREPARE', view: target, height: Height(3) }));
    const viewChanges = [wants(0, null), wants(1, null), wants(2, ahead)];
    expect(judged({ viewChanges, anchor: ahead })).toBe('BAD_FORM');
  });

  it('has no view change that its signer did not sign', () => {
    const good = wants(2, null);
    for (const bad of [
      { ...good, signature: spoiled(good.signature) },
      { ...wants(1, null), signer: 2 },
    ])
      expect(judged({ viewChanges: [wants(0, null), wants(1, null), bad] })).toBe('BAD_SIGNATURE');
    const stranger = { ...wants(3, null), signer: 4 };
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), stranger] })).toBe('BAD_SIGNATURE');
    const foreign = viewChange({ ...members, chainId: hashFor('another chain') }, 2, { newView: target });
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), foreign] })).toBe('BAD_SIGNATURE');
    const early = wants(2, null, { epoch: Epoch(1) });
    expect(judged({ viewChanges: [wants(0, null), wants(1, null), early] })).toBe('BAD_SIGNATURE');
  });

  it('is its primary’s, of this epoch and chain, and not the first', () => {
    expect(judged({ viewChanges: mixed, anchor: newer }, 1)).toBe('BAD_SIGNATURE');
    expect(judged({ viewChanges: mixed, anchor: newer, epoch: Epoch(1) })).toBe('BAD_FORM');
    expect(judged({ view: View(0), viewChanges: mixed, anchor: newer })).toBe('BAD_FORM');
    const elsewhere = { ...members, chainId: hashFor('another chain') };
    expect(judged({ viewChanges: mixed, anchor: newer }, undefined, elsewhere)).toBe('BAD_SIGNATURE');
  });

  it('has an anchor with a quorum behind it', () => {
    const few = certificate(members, ballot(members, { phase: 'PREPARE', view: View(1), height: Height(3) }), [0, 3]);
    expect(judged({ viewChanges: mixed, anchor: few })).toBe('BAD_CERTIFICATE');
  });

  it('binds the view changes and the anchor that its primary saw', () => {
    const signed = newView(members, { view: target, viewChanges: mixed, anchor: newer });
    const swapped = [wants(0, newer), wants(1, newer), wants(2, null)];
    expect(verdict({ kind: 'new-view', newView: { ...signed, viewChanges: swapped } })).toBe('BAD_SIGNATURE');
    const other = certificate(members, newer, [1, 2, 3]);
    expect(verdict({ kind: 'new-view', newView: { ...signed, anchor: other } })).toBe('BAD_SIGNATURE');
  });
});
