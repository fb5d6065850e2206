import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/lib/bytes.ts';
import { decode } from '../../src/model/codec.ts';
import { isEvidenceValid } from '../../src/model/evidence.ts';
import { messageLayout } from '../../src/model/message.ts';
import { verifyMessage } from '../../src/model/verified.ts';
import { EVIDENCE_SAMPLES, MESSAGES, members, SAMPLES } from './model-samples.ts';

/**
 * The bytes of protocol version 2. When one of these fails, the change forks every network that runs.
 * `FREEZE=1` adds samples that are new and never changes one that is there.
 */
function frozen(name: string, samples: Readonly<Record<string, string>>): Record<string, string> {
  const path = join(import.meta.dirname, `${name}.json`);
  const known: Record<string, string> = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  if (process.env['FREEZE'] === '1') writeFileSync(path, `${JSON.stringify({ ...samples, ...known }, null, 2)}\n`);
  return known;
}

describe('the frozen bytes', () => {
  it.each(Object.entries(SAMPLES))('of %s are those of today', (name, samples) => {
    expect(samples).toEqual(frozen(name, samples));
  });

  it.each(Object.values(MESSAGES))('of a $kind read as what they were made from, and verify', (message) => {
    const bytes = fromHex(SAMPLES['model-messages']?.[message.kind] ?? '');
    expect(decode(messageLayout, bytes ?? new Uint8Array())).toEqual({ ok: true, value: message });
    expect(verifyMessage(message, members)).toEqual({ ok: true, value: message });
  });

  it('of evidence convict', () => {
    for (const evidence of EVIDENCE_SAMPLES) expect(isEvidenceValid(evidence, members), evidence.kind).toBe(true);
  });
});
