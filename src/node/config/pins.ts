import { err, ok, type Result } from '../../lib/result.ts';
import type { NodeConfig } from './config.ts';

/** What genesis says about the things that a configuration may pin. */
export interface PinnedByGenesis {
  readonly networkId: string;
  readonly authorityKeys: readonly string[];
}

/** Whether genesis is the one that the operator meant; else a sentence that names both values. */
export function checkPins(config: NodeConfig, genesis: PinnedByGenesis): Result<undefined, string> {
  const { networkId } = config.network;
  if (networkId !== undefined && networkId !== genesis.networkId) {
    return err(
      `[network] network_id is "${networkId}", but ${config.node.genesisFile} is of the network "${genesis.networkId}".`,
    );
  }
  const { authorityKeys } = config.consensus;
  if (authorityKeys.length === 0) return ok(undefined);
  const pinned = [...authorityKeys].sort();
  const actual = [...genesis.authorityKeys].sort();
  if (pinned.length === actual.length && pinned.every((key, index) => key === actual[index])) return ok(undefined);
  return err(
    `[consensus] authority_keys are ${pinned.join(', ')}, but ${config.node.genesisFile} has ${actual.join(', ')}.`,
  );
}
