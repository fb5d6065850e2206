import { installNativeSha256 } from '../../src/node/keys/native-hash.ts';

/** Runs a suite with the SHA-256 that a node uses in place of the one that browsers use. */
installNativeSha256();
