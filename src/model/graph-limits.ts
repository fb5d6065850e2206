/**
 * Every bound on graphs, statements and queries, as `limits.ts` holds the others: with its unit in its name and its
 * reason beside it; changing one that is marked (chain) forks the network.
 */

/** (chain) What a submitter may state with one transaction, in bytes of canonical N-Triples: some pages of description. */
export const STATEMENTS_BYTES_MAX = 16_384;
/** (chain) The same in triples: each is a line to check and to index. */
export const STATEMENTS_MAX = 200;
/** (chain) Tickets that the transactions of a block name together: each is some dozen lines of RDF to write and hash. */
export const BLOCK_TICKETS_MAX = 5_000;
/** What a proof may take, in bytes: some transactions of five hundred tickets, with their receipts and graphs. */
export const PROOF_BYTES_MAX = 8 * 1_048_576;
/** Proofs of histories that wait for each other in a node, which makes one at a time: with graphs, seconds of waiting. */
export const PROOFS_WAITING_MAX = 64;
