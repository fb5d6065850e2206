import { existsSync } from 'node:fs';
import { checkPins } from '../node/config/pins.ts';
import type { Invocation } from './command-line.ts';
import { CommandError } from './exit-codes.ts';
import { loadConfig, loadGenesis } from './files.ts';

export interface CheckedConfiguration {
  readonly valid: true;
  /** What was found, a sentence each. */
  readonly findings: readonly string[];
}

/** @throws CommandError when a node would not start with this configuration */
export function checkConfiguration(invocation: Invocation): CheckedConfiguration {
  const { config } = loadConfig(invocation);
  const findings = ['The configuration is valid.'];
  const { genesisFile } = config.node;
  if (!existsSync(genesisFile)) {
    return { valid: true, findings: [...findings, `${genesisFile} is not there yet: the node starts once it is.`] };
  }
  const { genesis } = loadGenesis(genesisFile);
  const authorityKeys = genesis.authorities.map(({ publicKey }) => publicKey);
  const pins = checkPins(config, { networkId: genesis.networkId, authorityKeys });
  if (!pins.ok) throw new CommandError('CONFIG_INVALID', pins.error);
  findings.push(`Genesis is of the network ${genesis.networkId}, chain ${genesis.chainId}, and fits the pins.`);
  const strangers = unknownPeers(config.network.bootstrapPeers, genesis.authorities);
  if (strangers.length > 0) findings.push(`Genesis has no authority named ${strangers.join(', ')} (bootstrap_peers).`);
  return { valid: true, findings };
}

function unknownPeers(
  peers: readonly { readonly name: string | undefined }[],
  authorities: readonly { readonly id: string }[],
): readonly string[] {
  return peers.flatMap(({ name }) => (name === undefined || authorities.some(({ id }) => id === name) ? [] : [name]));
}
