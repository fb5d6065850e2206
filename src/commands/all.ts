import type { Command } from 'commander';
import { benchCommand } from './bench.ts';
import { chainCommand } from './chain.ts';
import { configCommand } from './config.ts';
import { devnetCommand } from './devnet.ts';
import { eventCommand } from './event.ts';
import { evidenceCommand } from './evidence.ts';
import { explainCommand } from './explain.ts';
import { genesisCommand } from './genesis.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { peersCommand } from './peers.ts';
import { proofCommand } from './proof.ts';
import { rdfCommand } from './rdf.ts';
import { sampleCommand } from './sample.ts';
import { simulateCommand } from './simulate.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { ticketCommand } from './ticket.ts';
import { versionCommand } from './version.ts';

/** Every command, in the order in which help lists them. */
export function allCommands(version: string): readonly Command[] {
  return [
    devnetCommand(version),
    startCommand(version),
    initCommand(),
    keysCommand(),
    genesisCommand(),
    statusCommand(),
    peersCommand(),
    explainCommand(),
    eventCommand(),
    ticketCommand(),
    proofCommand(),
    chainCommand(),
    evidenceCommand(),
    rdfCommand(),
    simulateCommand(),
    sampleCommand(),
    configCommand(),
    benchCommand(),
    versionCommand(version),
  ];
}
