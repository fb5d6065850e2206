import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { FullReport, FullSimulationOptions } from '../../src/simulator/full/report.ts';
import type { Mutant } from './mutate.ts';

const SOURCE = resolve(import.meta.dirname, '../../src');
/** What is copied: the shell with its mistake, the store under it, and the simulator, which must load the copies. */
const FOLDERS = ['node', 'store', 'simulator'];

export type Run = (options: FullSimulationOptions) => Promise<FullReport>;

/**
 * Builds the simulator around a shell with a mistake in it, beside the sources and without touching them.
 *
 * @throws when a snippet is not in its file exactly once: the code has moved on, and the mutant must follow
 */
export async function buildShellMutant(mutant: Mutant): Promise<{ run: Run; dispose: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-mutant-'));
  const sources = new Map(FOLDERS.flatMap(sourcesOf).filter(([, source]) => !importsPackages(source)));
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
  const entry = join(folder, 'simulator/full/report.ts');
  const built = (await import(/* @vite-ignore */ entry)) as typeof import('../../src/simulator/full/report.ts');
  return { run: built.runFullSimulation, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

function sourcesOf(name: string): [string, string][] {
  const files = readdirSync(join(SOURCE, name), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.map((file) => [`${name}/${file}`, readFileSync(join(SOURCE, name, file), 'utf8')]);
}

/** Packages are found from the sources only; none of them is in the part of the shell that is simulated. */
function importsPackages(source: string): boolean {
  return /from '(?!\.|node:)/.test(source);
}
