import { equalBytes, fromUtf8, utf8 } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Authority, Parameters } from '../model/authorities.ts';
import { GENESIS_BYTES_MAX } from '../model/limits.ts';
import { chainIdOf, type Genesis, type GenesisDocument, type GenesisOrganisation } from './genesis.ts';
import { FaultList, type GenesisFault } from './genesis-faults.ts';
import { readDocument } from './genesis-form.ts';
import { checkDocument } from './genesis-rules.ts';

/**
 * Reads a genesis document: JSON with two spaces of indentation, keys in one order, one newline at the end, and not a
 * byte otherwise, because the hash of the bytes is the chain id. All faults of a stage are found, not only the first.
 */
export function parseGenesis(bytes: Uint8Array): Result<Genesis, readonly GenesisFault[]> {
  const faults = new FaultList();
  const json = parseJson(bytes, faults);
  if (faults.items.length > 0) return err(faults.items);
  const document = readDocument(json, faults);
  if (document === undefined) return err(faults.items);
  checkDocument(document, faults);
  if (faults.items.length === 0) checkCanonical(document, bytes, faults);
  return faults.items.length > 0 ? err(faults.items) : ok({ ...document, chainId: chainIdOf(bytes) });
}

/** The one byte form of a document. */
export function writeGenesis(document: GenesisDocument): Uint8Array {
  const json = {
    network_id: document.networkId,
    created: new Date(document.created).toISOString(),
    iri_base: document.iriBase,
    parameters: parametersJson(document.parameters),
    authorities: document.authorities.map(authorityJson),
    organisations: document.organisations.map(organisationJson),
  };
  return utf8(`${JSON.stringify(json, null, 2)}\n`);
}

function parametersJson(parameters: Parameters): object {
  return {
    block_transactions_max: parameters.blockTransactionsMax,
    block_bytes_max: parameters.blockBytesMax,
    checkpoint_interval: parameters.checkpointInterval,
    rotation_interval: parameters.rotationInterval,
    block_interval_ms: parameters.blockIntervalMs,
    transaction_life_ms_max: parameters.transactionLifeMsMax,
    window_max: parameters.windowMax,
  };
}

function authorityJson({ id, publicKey, organisation }: Authority): object {
  return { id, public_key: publicKey, organisation };
}

function organisationJson({ id, title, roles, keys, namespace }: GenesisOrganisation): object {
  return { id, title, roles, keys, namespace };
}

function parseJson(bytes: Uint8Array, faults: FaultList): unknown {
  if (bytes.length > GENESIS_BYTES_MAX) {
    faults.add('TOO_LARGE', '$', `It has ${bytes.length} bytes; ${GENESIS_BYTES_MAX} is the most.`);
    return undefined;
  }
  const text = fromUtf8(bytes);
  if (text === undefined) {
    faults.add('NOT_JSON', '$', 'It is not text in UTF-8.');
    return undefined;
  }
  try {
    const json: unknown = JSON.parse(text);
    return json;
  } catch {
    faults.add('NOT_JSON', '$', 'It is not JSON.');
    return undefined;
  }
}

function checkCanonical(document: GenesisDocument, bytes: Uint8Array, faults: FaultList): void {
  const canonical = writeGenesis(document);
  if (equalBytes(canonical, bytes)) return;
  const differs = canonical.findIndex((byte, index) => byte !== bytes[index]);
  const offset = differs === -1 ? canonical.length : differs;
  const line = canonical.subarray(0, offset).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
  const rule = 'two spaces of indentation, keys in the order of the specification, one newline at the end';
  faults.add('NOT_CANONICAL', '$', `It is not written canonically (${rule}); it differs from line ${line} on.`);
}
