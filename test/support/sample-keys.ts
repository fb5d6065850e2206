import { devnetKeyPair } from '../../src/devnet/keys.ts';
import { createSigner } from '../../src/node/keys/key-pair.ts';
import type { SignerOf } from '../../src/sample/record.ts';

/** The public keys of every devnet, and of the sample. */
export const sampleSigner: SignerOf = (name) => createSigner(devnetKeyPair(name).secretKey);
