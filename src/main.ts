#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { benchCommand } from './commands/bench.ts';
import { chainCommand } from './commands/chain.ts';
import { configCommand } from './commands/config.ts';
import { devnetCommand } from './commands/devnet.ts';
import { explainCommand } from './commands/explain.ts';
import { genesisCommand } from './commands/genesis.ts';
import { initCommand } from './commands/init.ts';
import { keysCommand } from './commands/keys.ts';
import { peersCommand } from './commands/peers.ts';
import { buildProgram, runProgram } from './commands/program.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { ticketCommand } from './commands/ticket.ts';
import { versionCommand } from './commands/version.ts';

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return String(version);
}

// Whoever reads the output may stop reading: `counterfoil ... | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const version = versionOfPackage();
const program = buildProgram(version, [
  devnetCommand(version),
  startCommand(version),
  initCommand(),
  keysCommand(),
  genesisCommand(),
  statusCommand(),
  peersCommand(),
  explainCommand(),
  ticketCommand(),
  chainCommand(),
  configCommand(),
  benchCommand(),
  versionCommand(version),
]);
process.exitCode = await runProgram(program, process.argv.slice(2));
