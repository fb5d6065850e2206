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

/** A SPARQL query, in a body or percent-encoded in a form: the longest question of an auditor has 900. */
export const SPARQL_BODY_BYTES_MAX = 16_384;
/** The same in the address of a GET; longer ones are posted. */
export const SPARQL_TARGET_BYTES_MAX = 8_192;
/** Graphs that a request names beside its query. */
export const SPARQL_GRAPHS_MAX = 64;
/** Brackets within brackets: the engine's stack ends at some 500, and a parser's patience before that. */
export const QUERY_DEPTH_MAX = 32;
/** Triple patterns of a query: the engine orders 48 of them in 0.6 s, and 100 in 8 s. */
export const QUERY_PATTERNS_MAX = 48;
/** Operators and functions of a query: an expression of 5,000 of them ends the engine's stack. */
export const QUERY_OPERATIONS_MAX = 500;
/** Operators and functions that take as long as joining a row: a hash takes longer, a comparison less. */
export const QUERY_OPERATIONS_PER_ROW = 2;
/** Rows that the gate expects at the widest place of a query: the engine joins 2 million a second. */
export const QUERY_ROWS_EXPECTED_MAX = 10_000_000;
/** How far a path of any length is expected to lead from one end. */
export const QUERY_PATH_REACH = 1_000;
/** A regular expression: compiling a larger one, or one that counts further, takes seconds. */
export const QUERY_REGEX_CHARS_MAX = 256;
export const QUERY_REGEX_REPEATS_MAX = 1_000;
/** Characters of a text that a query makes of others: one that doubles forty times has all memory first. */
export const QUERY_TEXT_CHARS_MAX = 1_048_576;
/** Rows of an answer. One with more is refused, never cut. */
export const QUERY_ROWS_MAX = 100_000;
/** Bytes of an answer: the rows above, of three addresses each. */
export const QUERY_ANSWER_BYTES_MAX = 32 * 1_048_576;
/** Pieces in which the engine hands over an answer, so that the node reads none for long. */
export const QUERY_ANSWER_PIECE_BYTES = 262_144;
/** Queries that wait, in all and of one address (IPv6: one /64). */
export const QUERIES_WAITING_MAX = 64;
export const QUERIES_WAITING_PER_ADDRESS_MAX = 8;
/** How long a query waits for its turn. */
export const QUERY_WAIT_MS_MAX = 10_000;
/** How often the deadline a query may take on a machine that is busy with other things: its own time is what counts. */
export const QUERY_DEADLINE_STRETCH_MAX = 3;
/** How long an address waits whose query had to be killed; twice as long each time, up to the second. */
export const QUERY_PENALTY_MS = 60_000;
export const QUERY_PENALTY_MS_MAX = 3_600_000;
/** Memory per quad that the engine is reckoned with: it takes 600 bytes, and queries need room. */
export const QUERY_BYTES_PER_QUAD = 1_024;
/** How often the engine's memory is looked at: it grows by some 100 MiB in that time. */
export const QUERY_MEMORY_CHECK_MS = 50;
/** How long a failed start of the engine is not tried again. */
export const QUERY_ENGINE_RETRY_MS = 30_000;
/** How long the engine may take to answer anything that is no query, such as a piece to load. */
export const QUERY_ENGINE_SILENCE_MS_MAX = 60_000;
/** How often an engine that always runs takes in new blocks. */
export const QUERY_FOLLOW_MS = 1_000;
/** N-Quads sent to the engine at once. */
export const QUERY_LOAD_CHARS_MAX = 1_048_576;
/** Predicates that the gate knows numbers of: those of this program, and some of what submitters state. */
export const QUERY_PREDICATES_MAX = 1_000;
/** How far below other programs the engine runs (nice): a tenth of their share of a busy processor. */
export const QUERY_NICENESS = 10;
/** Blocks that the query engine is given in one turn of the loop: as many lines as some milliseconds write. */
export const GRAPH_BLOCKS_READ_MAX = 4;
/** How long a question about the graph waits for the index to have what is final when it is asked. */
export const GRAPH_FRESH_MS_MAX = 1_000;
/** What a proof may take, in bytes: some transactions of five hundred tickets, with their receipts and graphs. */
export const PROOF_BYTES_MAX = 8 * 1_048_576;
/** Versions of a ticket whose making one proof shows: a life has three, and transfers and holds add to them. */
export const PROOF_VERSIONS_MAX = 1_000;
/** Proofs of histories that wait for each other in a node, which makes one at a time: with graphs, seconds of waiting. */
export const PROOFS_WAITING_MAX = 64;

/** Address of a store that graphs are mirrored to: what servers take in a request line leaves room for a graph's name. */
export const MIRROR_URL_CHARS_MAX = 2_048;
/** What is read of a file with a token for such a store. */
export const MIRROR_TOKEN_BYTES_MAX = 8_192;
/** Graphs that are on their way to a mirror at once: stores write one after another, and the way back takes its time. */
export const MIRROR_PUTS_IN_FLIGHT_MAX = 4;
/** Blocks that are mirrored together: empty ones have next to no lines. */
export const MIRROR_BLOCKS_AT_ONCE_MAX = 16;
/** Characters after which no more blocks are added to those: read in one turn of the loop, in some milliseconds. */
export const MIRROR_CHARS_AT_ONCE = 262_144;
/** How long a mirror may take for one graph: thousands of lines, in a store that tidies up meanwhile. */
export const MIRROR_REQUEST_MS_MAX = 30_000;
/** What is read of its answer to a graph. */
export const MIRROR_ANSWER_BYTES_MAX = 65_536;
/** Before a mirror that failed is tried again; twice as long each time, until it takes something. */
export const MIRROR_RETRY_MS_MIN = 500;
export const MIRROR_RETRY_MS_MAX = 60_000;
/** How often it is looked whether there are blocks to mirror: two numbers are compared. */
export const MIRROR_LOOK_MS = 250;
/** Queries that a mirror answers at once for this node; others wait. */
export const MIRROR_QUERIES_IN_FLIGHT_MAX = 4;
/** How long the gate before a mirror may take for the queries in flight: it takes half a second for the longest text. */
export const GATE_MS_MAX = 10_000;
/** Memory of the thread that it is: the parser and its trees. */
export const GATE_MEGABYTES_MAX = 128;
