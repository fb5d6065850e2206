import { describe, expect, it } from 'vitest';
import { devnetGenesis, devnetKeys, isDevnetGenesis } from '../../../src/devnet/genesis.ts';
import { devnetKeyPair } from '../../../src/devnet/keys.ts';
import { DEVNET_ORGANISATIONS, type DevnetPlan, devnetConfig, planDevnet } from '../../../src/devnet/plan.ts';
import { parseGenesis, writeGenesis } from '../../../src/ledger/genesis-document.ts';
import { defined } from '../../../src/lib/assert.ts';
import { PublicKey, Timestamp } from '../../../src/model/ids.ts';
import { resolveConfig } from '../../../src/node/config/config.ts';
import { parseConfigFile } from '../../../src/node/config/file.ts';
import { renderConfig } from '../../../src/node/config/template.ts';

const CREATED = Timestamp(1_780_000_000_000);

function planOf(nodes: number, basePort = 7180): DevnetPlan {
  const plan = planDevnet(nodes, basePort);
  if (!plan.ok) throw new Error(plan.error);
  return plan.value;
}

describe('the plan of a devnet', () => {
  it('has the ports and names that its documentation shows', () => {
    expect(planOf(4).nodes).toEqual([
      { name: 'federation', role: 'authority', organisation: 'federation', httpPort: 7181, peerPort: 7281 },
      { name: 'venue', role: 'authority', organisation: 'venue', httpPort: 7182, peerPort: 7282 },
      { name: 'boxoffice', role: 'authority', organisation: 'boxoffice', httpPort: 7183, peerPort: 7283 },
      { name: 'city', role: 'authority', organisation: 'city', httpPort: 7184, peerPort: 7284 },
    ]);
  });

  it('puts followers behind the authorities, each run by one of their organisations', () => {
    const plan = planDevnet(2, 7180, 3);
    expect(plan.ok && plan.value.followers).toEqual([
      { name: 'follower-1', role: 'follower', organisation: 'federation', httpPort: 7183, peerPort: 7283 },
      { name: 'follower-2', role: 'follower', organisation: 'venue', httpPort: 7184, peerPort: 7284 },
      { name: 'follower-3', role: 'follower', organisation: 'federation', httpPort: 7185, peerPort: 7285 },
    ]);
    expect(planDevnet(4, 7180, 96).ok).toBe(false);
  });

  it.each([1, 4, 31])('gives %d nodes ports of their own', (count) => {
    const { basePort, nodes } = planOf(count);
    const ports = [basePort, ...nodes.flatMap(({ httpPort, peerPort }) => [httpPort, peerPort])];
    expect(new Set(ports).size).toBe(2 * count + 1);
  });

  it.each([
    [0, 7180, '--nodes'],
    [32, 7180, '--nodes'],
    [4, 0, '--base-port'],
    [4, 65_500, '--base-port'],
  ])('refuses %d nodes from port %d', (nodes, basePort, option) => {
    const plan = planDevnet(nodes, basePort);
    expect(plan.ok ? '' : plan.error).toContain(option);
  });
});

describe('the genesis of a devnet', () => {
  it.each([1, 4, 7, 31])('of %d nodes is in order', (count) => {
    const parsed = parseGenesis(writeGenesis(devnetGenesis(planOf(count), CREATED)));
    expect(parsed.ok ? [] : parsed.error).toEqual([]);
  });

  it('has all four organisations whatever the number of nodes, each with its node’s operator key', () => {
    const { organisations } = devnetGenesis(planOf(1), CREATED);
    expect(organisations.map(({ id }) => id)).toEqual([...DEVNET_ORGANISATIONS]);
    for (const { id, keys } of organisations) {
      expect(keys).toEqual([devnetKeyPair(devnetKeys(id).operator).publicKey]);
    }
  });

  it('lets every node issue, activate, admit and contest', () => {
    for (const { roles } of devnetGenesis(planOf(4), CREATED).organisations) {
      expect(roles).toEqual(expect.arrayContaining(['issuer', 'gate', 'venue']));
    }
  });

  it('is known by its public keys', () => {
    const genesis = devnetGenesis(planOf(4), CREATED);
    expect(isDevnetGenesis(genesis)).toBe(true);
    const [first, ...others] = genesis.authorities;
    const stranger = { ...defined(first, 'four authorities'), publicKey: PublicKey('ab'.repeat(32)) };
    expect(isDevnetGenesis({ authorities: [stranger, ...others] })).toBe(false);
  });
});

describe('the configuration of a devnet node', () => {
  it('knows the other nodes by name and address', () => {
    const plan = planOf(4);
    const venue = defined(plan.nodes[1], 'four nodes');
    const parsed = parseConfigFile('config.toml', renderConfig(devnetConfig(plan, venue)));
    if (!parsed.ok) throw new Error(parsed.error);
    const resolved = resolveConfig({ home: '/h', file: parsed.value, environment: {}, flags: new Map() });
    if (!resolved.ok) throw new Error(resolved.error.join());
    const { network, api, node } = resolved.value.config;
    expect(node.devnet).toBe(true);
    expect(api.port).toBe(7182);
    expect(network.listenPort).toBe(7282);
    expect(network.bootstrapPeers).toEqual([
      { name: 'federation', host: '127.0.0.1', port: 7281 },
      { name: 'boxoffice', host: '127.0.0.1', port: 7283 },
      { name: 'city', host: '127.0.0.1', port: 7284 },
    ]);
  });
});
