import { hash } from 'node:crypto';
import { installSha256 } from '../../src/model/hash.ts';

/** Runs a suite with the SHA-256 that a node uses in place of the one that browsers use. */
installSha256((bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')));
