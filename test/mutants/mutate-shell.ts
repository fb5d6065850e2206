import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { FullReport, FullSimulationOptions } from '../../src/simulator/full/report.ts';
import type { PeeringReport, PeeringSimulationOptions } from '../../src/simulator/peering/report.ts';
import type { Mutant } from './mutate.ts';

const SOURCE = resolve(import.meta.dirname, '../../src');
/** What is copied: the shell with its mistake, the store under it, and the simulator, which must load the copies. */
const FOLDERS = ['node', 'store', 'simulator'];
/** The same for what peers do: the steps, and the one rule of what a quorum has signed. */
const PEERING_FOLDERS = ['peering', 'node', 'simulator'];
const PEERING_FILES = ['model/verified.ts'];

export type Run = (options: FullSimulationOptions) => Promise<FullReport>;
export type PeeringRun = (options: PeeringSimulationOptions) => Promise<PeeringReport>;

/** Builds the simulator of whole nodes around a shell with a mistake in it. */
export async function buildShellMutant(mutant: Mutant): Promise<{ run: Run; dispose: () => void }> {
  const { folder, dispose } = buildCopy(mutant, new Map(FOLDERS.flatMap(sourcesOf)));
  const entry = join(folder, 'simulator/full/report.ts');
  const built = (await import(/* @vite-ignore */ entry)) as typeof import('../../src/simulator/full/report.ts');
  return { run: built.runFullSimulation, dispose };
}

/** Builds the simulator of followers and hostile peers around a mistake in what peers do. */
export async function buildPeeringMutant(mutant: Mutant): Promise<{ run: PeeringRun; dispose: () => void }> {
  const sources = new Map([...PEERING_FOLDERS.flatMap(sourcesOf), ...PEERING_FILES.map(sourceOf)]);
  const { folder, dispose } = buildCopy(mutant, sources);
  const entry = join(folder, 'simulator/peering/report.ts');
  const built = (await import(/* @vite-ignore */ entry)) as typeof import('../../src/simulator/peering/report.ts');
  return { run: built.runPeeringSimulation, dispose };
}

/**
 * Writes sources with a mistake in them to a folder of their own.
 *
 * @throws when a snippet is not in its file exactly once: the code has moved on, and the mutant must follow
 */
function buildCopy(
  mutant: Mutant,
  all: Map<string, string>,
): { readonly folder: string; readonly dispose: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-mutant-'));
  const sources = new Map([...all].filter(([, source]) => !importsPackages(source)));
  for (const { file, find, replace } of mutant.changes) {
    const source = sources.get(file) ?? '';
    if (source.split(find).length !== 2) throw new Error(`${mutant.name}: not exactly once in ${file}: ${find}`);
    sources.set(
      file,
      source.replace(find, () => replace),
    );
  }
  for (const [path, source] of sources) {
    const bound = source.replaceAll(/from '(\.[^']*)'/g, (whole, target: string) => {
      const absolute = resolve(SOURCE, dirname(path), target);
      return sources.has(relative(SOURCE, absolute)) ? whole : `from '${absolute}'`;
    });
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), bound);
  }
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

function sourceOf(path: string): [string, string] {
  return [path, readFileSync(join(SOURCE, path), 'utf8')];
}

function sourcesOf(name: string): [string, string][] {
  const files = readdirSync(join(SOURCE, name), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.map((file) => sourceOf(`${name}/${file}`));
}

/** Packages are found from the sources only; none of them is in the part of the shell that is simulated. */
function importsPackages(source: string): boolean {
  return /from '(?!\.|node:)/.test(source);
}
