import { expect, it } from 'vitest';
import { chainOf, FATES, manyTickets, bytesOfBundle } from '../../support/proof-chain.ts';
import { verifyBundle } from '../../../src/verifier/verify.ts';
it('tries', async () => {
  const chain = await chainOf(FATES);
  for (const ticket of ['A-1','A-2','A-3','A-4','B-1','nobody']) for (const w of [{}, {history:true},{history:true,graphs:true}]) {
    const bytes = bytesOfBundle(chain, ticket, w);
    const t = performance.now();
    const v = verifyBundle(bytes, chain.genesisBytes);
    process.stdout.write(`${ticket} ${JSON.stringify(w)} ${bytes.length} ${v.ok ? 'ok' : JSON.stringify(v)} ${(performance.now()-t).toFixed(1)}\n`);
  }
  for (const n of [2500,5000]) {
  const t = performance.now();
  const many = await chainOf(manyTickets(n));
  for (const t of ['T-5','T-6','A-1']) process.stdout.write(`${n} ${bytesOfBundle(many,t).length}\n`);
  process.stdout.write(`${performance.now()-t}\n`);
  }
  expect(1).toBe(1);
}, 100000);
