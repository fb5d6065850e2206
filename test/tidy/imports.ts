/** The rules about who may know whom: they need all files at once. */
import { posix } from 'node:path';
import { CONSTRUCTORS, importProblem, OWNED, PACKAGE_HOMES, PURE, PURE_PACKAGES, SOCKETS } from './law.ts';
import { type Finding, folderOf } from './rules.ts';
import { type Import, lineAt, type SourceFile } from './source.ts';

/** @returns what the imports of these files break; files outside src are asked for their extensions only */
export function importFindings(files: readonly SourceFile[]): Finding[] {
  return [
    ...files.flatMap((file) => file.imports.flatMap((entry) => singleFindings(file, entry))),
    ...files.flatMap(constructionFindings),
    ...cycleFindings(files),
    ...simulatorFindings(files),
  ];
}

function singleFindings(file: SourceFile, entry: Import): Finding[] {
  const problem = isRelative(entry) ? relativeProblem(file, entry) : packageProblem(file, entry);
  return problem ? [{ path: file.path, line: entry.line, ...problem }] : [];
}

type Problem = Pick<Finding, 'rule' | 'message'>;

function relativeProblem({ path }: SourceFile, entry: Import): Problem | undefined {
  const target = resolved(path, entry);
  // A child process of a test runs the compiled program.
  const isCompiled = target.startsWith('dist/') && path.startsWith('test/');
  if (!isCompiled && !/\.(?:ts|mjs|json)$/.test(target)) {
    return { rule: 'extension', message: `"${entry.specifier}": write the .ts file that is meant` };
  }
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === undefined) return undefined;
  if (to === undefined) {
    return { rule: 'import', message: `"${entry.specifier}" leaves src: what the program needs lives in src` };
  }
  const module = target.split('/').slice(2).join('/').replace(/\.ts$/, '');
  const message = importProblem(from, to, module);
  return message === undefined ? undefined : { rule: 'import', message: `"${entry.specifier}": ${message}` };
}

function packageProblem({ path }: SourceFile, { specifier, values }: Import): Problem | undefined {
  const folder = folderOf(path);
  if (folder === undefined) return undefined;
  const name = packageName(specifier);
  if (PURE.has(folder)) return purePackageProblem(specifier, values, PURE_PACKAGES[folder]?.[name]);
  const homes = PACKAGE_HOMES[name];
  if (!homes || homes.includes(folder)) return undefined;
  const message = `"${name}" is for src/${homes.join(', src/')} only: go through what that folder exports`;
  return { rule: 'package', message };
}

function purePackageProblem(specifier: string, values: readonly string[], allowed?: RegExp): Problem | undefined {
  if (specifier.startsWith('node:')) {
    const message = `"${specifier}" in a pure folder: take what it gives as an argument, or return an effect`;
    return { rule: 'node:', message };
  }
  const bad = allowed ? values.filter((value) => !allowed.test(value)) : [specifier];
  if (bad.length === 0) return undefined;
  const message = `${bad.join(', ')} in a pure folder: declare what is needed as a parameter, and let the shell pass it`;
  return { rule: 'package', message };
}

/** Who makes a thing with a lifetime must end it: that is said once, where the program is put together. */
function constructionFindings({ path, code, imports }: SourceFile): Finding[] {
  const folder = folderOf(path);
  if (folder === undefined || CONSTRUCTORS.has(folder)) return [];
  const foreign = imports.filter((entry) => {
    const owner = isRelative(entry) ? folderOf(resolved(path, entry)) : undefined;
    return owner !== undefined && owner !== folder && OWNED.has(owner);
  });
  return foreign
    .flatMap((entry) => entry.values)
    .flatMap((name) => [...code.matchAll(constructionOf(name))])
    .map((match) => ({
      path,
      line: lineAt(code, match.index),
      rule: 'construction',
      message: `${JSON.stringify(match[0])}...: only src/commands constructs; take the finished thing as an argument`,
    }));
}

function constructionOf(name: string): RegExp {
  const isFactory = /^(?:open|create|listen|connect|start)(?:[A-Z]|$)/.test(name);
  // Errors are made where they are thrown.
  if (name.endsWith('Error')) return /(?!)/g;
  return new RegExp(isFactory ? `(?<![.\\w$])${name}\\(` : `\\bnew\\s+${name}\\(`, 'g');
}

/** One finding per circle of files that need each other, named from its alphabetically first file. */
function cycleFindings(files: readonly SourceFile[]): Finding[] {
  const graph = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const done = new Set<string>();
  const findings: Finding[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const circle = trail.slice(start);
      const message = `${[...circle, path].join(' -> ')}: move what both need into a file below them`;
      findings.push({ path, line: 1, rule: 'cycle', message });
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of [...graph.keys()].sort()) visit(path, []);
  return findings;
}

/** The simulator runs the production shell in one process: nothing it loads, even indirectly, may open a socket. */
function simulatorFindings(files: readonly SourceFile[]): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const visit = (file: SourceFile): void => {
    if (seen.has(file.path)) return;
    seen.add(file.path);
    for (const entry of file.imports.filter((candidate) => !candidate.isType)) {
      if (SOCKETS.has(packageName(entry.specifier))) {
        const message = `"${entry.specifier}" is loaded by the simulator: put it behind a port of src/node/ports`;
        findings.push({ path: file.path, line: entry.line, rule: 'simulator', message });
      }
      const target = isRelative(entry) ? byPath.get(resolved(file.path, entry)) : undefined;
      if (target) visit(target);
    }
  };
  for (const file of files) if (folderOf(file.path) === 'simulator') visit(file);
  return findings;
}

function targetsOf(file: SourceFile): string[] {
  return file.imports.filter(isRelative).map((entry) => resolved(file.path, entry));
}

function isRelative({ specifier }: Import): boolean {
  return specifier.startsWith('.');
}

function resolved(path: string, { specifier }: Import): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

/** `@koa/router/x` is of `@koa/router`, `lmdb/y` of `lmdb`, `node:fs/promises` of `node:fs`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
