/** The page of limits, continued: what HTTP and its feed may cost a node. */

/** A body of an HTTP request: any operation but a large issue. */
export const API_BODY_BYTES_MAX = 65_536;
/** The body of an issue: 500 tickets in JSON, with some data each. */
export const API_ISSUE_BODY_BYTES_MAX = 1_048_576;
/** What is read and thrown away of a body that is too large, so that the client sees the answer and not a reset. */
export const API_DISCARD_BYTES_MAX = 4 * 1_048_576;
/** Path and query of a request: the longest route with every parameter at its limit is below 600. */
export const API_TARGET_BYTES_MAX = 2_048;
/** All headers of a request. */
export const API_HEADER_BYTES_MAX = 16_384;
export const API_HEADERS_COUNT_MAX = 100;
/** Nesting of a JSON body: ours have three levels. */
export const API_JSON_DEPTH_MAX = 16;
/** Between the first byte and the last header, and the last byte of the body: a bad mobile line. */
export const API_HEADERS_MS_MAX = 5_000;
export const API_REQUEST_MS_MAX = 15_000;
/** How often those two are enforced. */
export const API_CONNECTIONS_CHECK_MS = 1_000;
/** How long an idle connection is kept for the next request. */
export const API_KEEP_ALIVE_MS = 10_000;
/** A connection on which no byte moves either way, a waiting write included. */
export const API_SILENCE_MS_MAX = 60_000;
/** Connections at once: lanes, dashboards and their proxies; each costs some 20 KB. */
export const API_CONNECTIONS_MAX = 2_048;
/** Requests of one address (IPv6: one /64): the largest benchmark on one machine, three times over. */
export const API_REQUESTS_PER_ADDRESS_PER_SECOND = 2_000;
export const API_BURST_PER_ADDRESS = 4_000;
/** How long a write waits for finality: unless told otherwise, and at most. */
export const API_WAIT_MS = 5_000;
export const API_WAIT_MS_MAX = 30_000;
/** Entries of a page of blocks or tickets: unless told otherwise, and at most; a history comes in pages of the latter. */
export const API_PAGE = 50;
export const API_PAGE_MAX = 500;
/** Connections to the separate metrics address: a scraper or two, and somebody with curl. */
export const METRICS_CONNECTIONS_MAX = 16;
/** How long a node that stops lets running requests end. */
export const API_CLOSE_MS_MAX = 2_000;
/** Readers of the feed, and what each may ask of it. */
export const FEED_CONNECTIONS_MAX = 512;
export const FEED_TOPICS_MAX = 128;
/** A request of a feed's reader: every topic at its longest fits. */
export const FEED_REQUEST_BYTES_MAX = 16_384;
/** Requests of one reader per second, and at once. */
export const FEED_REQUESTS_PER_SECOND = 10;
export const FEED_REQUESTS_BURST = 50;
/** Bytes that wait for one reader before it is sent nothing more; what follows is read from the chain when it catches up. */
export const FEED_BUFFER_BYTES_MAX = 1_048_576;
/** How long a reader may leave that buffer full. */
export const FEED_STALL_MS_MAX = 30_000;
/** A reader that leaves two of these unanswered is gone. */
export const FEED_PING_MS = 15_000;
/** Past blocks read for one reader before others have their turn. */
export const FEED_REPLAY_BLOCKS_PER_TURN = 16;
/** Newest blocks whose events are kept ready for all readers. */
export const FEED_CACHED_BLOCKS_MAX = 8;
/** How long a reader has to answer a farewell. */
export const FEED_CLOSE_MS_MAX = 1_000;
/** `Accept`: the longest that browsers and libraries of RDF send is below 500. */
export const API_ACCEPT_CHARS_MAX = 4_096;
