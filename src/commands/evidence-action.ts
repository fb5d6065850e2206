import { z } from 'zod';
import { genesisSet } from '../ledger/genesis.ts';
import { fromUtf8 } from '../lib/bytes.ts';
import type { Jurisdiction } from '../model/certificate.ts';
import { decode } from '../model/codec.ts';
import { evidenceHash, evidenceLayout, isEvidenceValid, offenderOf } from '../model/evidence.ts';
import { createSignatureCheck } from '../node/keys/signatures.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { loadGenesis, readGivenFile } from './files.ts';

const item = z.object({ bytes: z.base64() });
const document = z.union([z.object({ evidence: z.array(item).min(1) }), item]);

interface Judged {
  readonly id: string | null;
  readonly kind: string | null;
  readonly convicts: boolean;
  readonly authority: string | null;
  /** Why it does not convict. */
  readonly reason: string | null;
}

/** @throws CommandError (VERIFICATION_FAILED) when any of it does not convict */
export function verifyEvidence(invocation: Invocation, file: string, genesisFile: string): void {
  const { genesis } = loadGenesis(genesisFile);
  const jurisdiction: Jurisdiction = {
    chainId: genesis.chainId,
    authorities: genesisSet(genesis),
    check: createSignatureCheck(),
  };
  const judged = readItems(file).map((bytes) => judge(bytes, jurisdiction));
  for (const one of judged) invocation.terminal.result(one, () => judgedText(one));
  const weak = judged.filter(({ convicts }) => !convicts).length;
  if (weak > 0) throw new CommandError('VERIFICATION_FAILED', `${weak} of ${judged.length} pieces convict nobody.`);
}

function readItems(file: string): readonly Uint8Array[] {
  const text = fromUtf8(readGivenFile(file));
  const parsed = document.safeParse(parseJson(text ?? ''));
  if (!parsed.success) {
    throw new CommandError('VERIFICATION_FAILED', `${file} is not what GET /api/v1/evidence answers with some in it.`);
  }
  const items = 'evidence' in parsed.data ? parsed.data.evidence : [parsed.data];
  return items.map(({ bytes }) => new Uint8Array(Buffer.from(bytes, 'base64')));
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function judge(bytes: Uint8Array, jurisdiction: Jurisdiction): Judged {
  const decoded = decode(evidenceLayout, bytes);
  if (!decoded.ok) return { id: null, kind: null, convicts: false, authority: null, reason: decoded.error.reason };
  const evidence = decoded.value;
  const id = evidenceHash(evidence);
  const authority = jurisdiction.authorities.authorities[offenderOf(evidence, jurisdiction)]?.id ?? null;
  const convicts = isEvidenceValid(evidence, jurisdiction);
  const reason = convicts ? null : 'the statements do not contradict each other, or are not signed by one authority';
  return { id, kind: evidence.kind, convicts, authority: convicts ? authority : null, reason };
}

function judgedText({ id, kind, convicts, authority, reason }: Judged): string {
  return convicts ? `${authority} is convicted of ${kind} (${id})` : `convicts nobody: ${reason}`;
}
