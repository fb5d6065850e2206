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
/** (chain) An IRI in a statement: its address in a query still fits a request, and it fits the key of an index. */
export const IRI_BYTES_MAX = 1_024;
/** (chain) A language tag: what RFC 5646 asks every program to have room for. */
export const LANGUAGE_CHARS_MAX = 35;
/** What is read to make statements from it: Turtle with its comments, prefixes and white space. */
export const STATEMENTS_SOURCE_BYTES_MAX = 65_536;

/** Terms that a reader or the writer of the graph index remembers: those of the newest thousands of transactions. */
export const GRAPH_TERMS_CACHED_MAX = 65_536;
/** Characters of N-Quads in one write of the graph index: some thousands of quads, a tenth of a second or so. */
export const GRAPH_CHARS_PER_WRITE = 1_048_576;
/** The same in blocks: empty ones have next to no lines, and each is read. */
export const GRAPH_BLOCKS_PER_WRITE = 256;
/** A thread that indexes reads a block at a time and remembers terms: a third of this. One that takes more ends, not the node. */
export const GRAPH_THREAD_MEGABYTES_MAX = 512;
/** Before a thread that has ended is started again; twice as long each time, until it indexes something. */
export const GRAPH_RESTART_MS_MIN = 500;
export const GRAPH_RESTART_MS_MAX = 60_000;
/** What a thread takes at most that is told to stop: it finishes a write. A node has five seconds for everything. */
export const GRAPH_STOP_MS_MAX = 2_500;
/** Before a thread looks again for a block that it was told of and does not see. */
export const GRAPH_LOOK_AGAIN_MS = 20;
/** Before it looks whether there is more below what is indexed: nobody tells it of history. */
export const GRAPH_LOOK_AROUND_MS = 5_000;
/** By how much it gives way to the thread that finds consensus, where the system has priorities of threads: half of what there is. */
export const GRAPH_THREAD_NICE = 10;
/** Graphs of one triple that are stepped over one by one before the rest of them are skipped: a new search costs as much. */
export const GRAPH_REPEATS_STEPPED = 16;
/** Quads of one document about a thing: a tier is referred to by every ticket of it. */
export const GRAPH_DOCUMENT_QUADS_MAX = 1_000;
