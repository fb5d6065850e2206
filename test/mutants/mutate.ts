import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { Core } from '../../src/simulator/bare/core.ts';

/** A known mistake: one exact snippet of one file of src/consensus, and what somebody might have written instead. */
export interface Mutant {
  readonly name: string;
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

const SOURCE = resolve(import.meta.dirname, '../../src');
/** Files of the model that hold rules of consensus. */
const RULES_OF_MODEL = ['certificate.ts', 'verified.ts'];

/**
 * Builds the consensus core with a mistake in it, beside the sources and without touching them.
 * @throws when a snippet is not in its file exactly once: the code has moved on, and the mutant must follow.
 */
export async function buildMutant(mutant: Mutant): Promise<{ core: Core; dispose: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-mutant-'));
  const files = readdirSync(join(SOURCE, 'consensus')).map((file) => `consensus/${file}`);
  const copied = new Set([...files, ...RULES_OF_MODEL.map((file) => `model/${file}`)]);
  for (const path of ['consensus', 'model']) mkdirSync(join(folder, path));
  for (const path of copied) {
    let source = readFileSync(join(SOURCE, path), 'utf8');
    for (const { find, replace } of mutant.changes.filter(({ file }) => file === path)) {
      if (source.split(find).length !== 2) throw new Error(`${mutant.name}: not exactly once in ${path}: ${find}`);
      source = source.replace(find, () => replace);
    }
    source = source.replaceAll(/from '(\.[^']*)'/g, (whole, target: string) => {
      const absolute = resolve(SOURCE, dirname(path), target);
      return copied.has(relative(SOURCE, absolute)) ? whole : `from '${absolute}'`;
    });
    writeFileSync(join(folder, path), source);
  }
  const load = (file: string) => import(/* @vite-ignore */ join(folder, file));
  const [{ step }, { createReplica }, { wants }, { verifyMessage }] = await Promise.all([
    load('consensus/pbft.ts') as Promise<typeof import('../../src/consensus/pbft.ts')>,
    load('consensus/recover.ts') as Promise<typeof import('../../src/consensus/recover.ts')>,
    load('consensus/wants.ts') as Promise<typeof import('../../src/consensus/wants.ts')>,
    load('model/verified.ts') as Promise<typeof import('../../src/model/verified.ts')>,
  ]);
  return {
    core: {
      createReplica,
      step,
      stepMessage: (replica, from, message, now) => step(replica, { type: 'message', from, message, now }),
      wants,
      verify: verifyMessage,
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
