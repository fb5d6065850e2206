#!/usr/bin/env node
/** The program: one command line, one exit code. */
import { readFileSync } from 'node:fs';
import { allCommands } from './commands/all.ts';
import { EXIT_CODES } from './commands/exit-codes.ts';
import { buildProgram, runProgram } from './commands/program.ts';

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(version);
}

// Whoever reads the output may stop reading: `counterfoil ... | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`counterfoil: the output cannot be written: ${error.message}.\n`);
  process.exit(EXIT_CODES.FAILED);
});

const version = versionOfPackage();
const program = buildProgram(version, allCommands(version));
process.exitCode = await runProgram(program, process.argv.slice(2));
