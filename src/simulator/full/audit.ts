import type { Genesis } from '../../ledger/genesis.ts';
import { toHex } from '../../lib/bytes.ts';
import type { SignatureCheck } from '../../model/certificate.ts';
import { verifyChain } from '../../node/audit/verify-chain.ts';
import { readHeadHeight } from '../../store/blocks.ts';
import type { KeyValueReads } from '../../store/key-value.ts';
import type { MemoryKeyValue } from '../../store/memory.ts';
import { TABLES } from '../../store/schema.ts';
import { Violation } from '../checkers.ts';
import type { Machine } from './machine.ts';

/** What nodes at the same height must hold to the byte: all but the certificates, of which any quorum's will do. */
const { meta: _meta, certificates: _certificates, evidence: _evidence, ...SHARED_TABLES } = TABLES;

/** Replays every store from genesis, and compares the stores with each other. @throws Violation */
export async function auditStores(
  machines: readonly Machine[],
  genesis: Genesis,
  check: SignatureCheck,
): Promise<void> {
  const byHeight = new Map<number, NamedReads>();
  for (const { name, store } of machines) {
    const height = readHeadHeight(store);
    // A machine that fell before it had begun.
    if (height === undefined) continue;
    await verifyStore(name, store, { genesis, check });
    const other = byHeight.get(height);
    byHeight.set(height, { name, reads: store });
    if (other !== undefined) compare({ name, reads: store }, other);
  }
}

async function verifyStore(
  name: string,
  reads: KeyValueReads,
  { genesis, check }: { readonly genesis: Genesis; readonly check: SignatureCheck },
): Promise<void> {
  const openScratch = (): MemoryKeyValue => {
    throw new Violation('stores are in order', `${name} holds more than memory does`);
  };
  const steps = verifyChain({ reads, genesis, check, openScratch });
  let step = await steps.next();
  while (step.done !== true) step = await steps.next();
  if (!step.value.ok) {
    const { code, what, detail } = step.value.error;
    throw new Violation('stores are in order', `${name}: ${what} ${detail} (${code})`);
  }
}

interface NamedReads {
  readonly name: string;
  readonly reads: KeyValueReads;
}

function compare(a: NamedReads, b: NamedReads): void {
  for (const [title, table] of Object.entries(SHARED_TABLES)) {
    if (rowsOf(a.reads, table) === rowsOf(b.reads, table)) continue;
    throw new Violation('equal stores at equal heights', `${a.name} and ${b.name} differ in the table ${title}`);
  }
}

function rowsOf(reads: KeyValueReads, table: number): string {
  return [...reads.range(table, {})].map(({ key, value }) => `${toHex(key)}=${toHex(value)}`).join();
}
