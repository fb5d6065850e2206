/**
 * Every size, count and time that bounds what another party can make this node hold or do.
 * A value has its unit in its name and its reason beside it; changing one that is marked (chain) forks the network.
 */

/** (chain) Signer bitmaps are 32 bits wide, and a view change costs n² messages. */
export const AUTHORITIES_MAX = 31;
/** (chain) A block fills one frame with room to spare and executes well within a progress timer. */
export const BLOCK_BYTES_MAX = 1_048_576;
/** (chain) What an authority executes before it votes. */
export const BLOCK_TRANSACTIONS_MAX = 500;
/** (chain) An issue of 500 tickets with a few words of data each; one transaction never fills a block alone. */
export const TRANSACTION_BYTES_MAX = 262_144;
/** (chain) One order of a season ticket office; keeps a receipt and its proof small. */
export const TICKETS_PER_TRANSACTION_MAX = 500;
/** (chain) Names of tickets, events, tiers, organisations and gates, in characters of `A-Z a-z 0-9 . _ -`. */
export const NAME_CHARS_MAX = 64;
/** (chain) Free text for people: titles and reasons, in bytes of UTF-8. */
export const TEXT_BYTES_MAX = 256;
/** (chain) Opaque bytes that an issuer may attach to a ticket. */
export const TICKET_DATA_BYTES_MAX = 1_024;
/** (chain) A UUID or a device's scan id, in bytes of UTF-8. */
export const IDEMPOTENCY_KEY_BYTES_MAX = 64;
/** (chain) The largest pipeline window; acceptance and buffers are sized by it. */
export const WINDOW_MAX = 8;
/** (chain) Organisations in a genesis document. */
export const ORGANISATIONS_MAX = 256;
/** (chain) Keys of one organisation: its operators and its devices. */
export const ORGANISATION_KEYS_MAX = 1_024;
/** A genesis document with every organisation at its limit. */
export const GENESIS_BYTES_MAX = 8 * 1_048_576;
/** One message between nodes: a chunk of blocks, or one block with its proofs. */
export const FRAME_BYTES_MAX = 4 * 1_048_576;
/**
 * Blocks in one answer to a node that catches up: all of them are stored with the certificate of the last, and a
 * certificate counts for at most four windows of blocks below its own.
 */
export const SYNC_BLOCKS_MAX = 4 * WINDOW_MAX;
/** Headers from a final block to the descendant that is certified, in one message; a longer way is a matter for syncing. */
export const FINAL_PATH_MAX = 4 * WINDOW_MAX;
/** Bytes of blocks in one such answer: a frame less its envelope. */
export const SYNC_BYTES_MAX = FRAME_BYTES_MAX - 65_536;
/** Views ahead of ours that are believed without f+1 witnesses. */
export const VIEW_AHEAD_MAX = 10_000;
/** Heights for which evidence-grade messages are kept, and the age at which evidence lapses. */
export const EVIDENCE_HEIGHTS_MAX = 10_000;

/** A key of the key-value store: two hashes and a long name; LMDB itself ends at 1,978. */
export const KEY_BYTES_MAX = 1_024;
/** Snapshots of the key-value store that are open at once: each keeps old pages from being used again. */
export const SNAPSHOTS_MAX = 128;
/** A value of the key-value store: a genesis document, or a block with its certificate. */
export const VALUE_BYTES_MAX = 16 * 1_048_576;
/** One journal record: a snapshot with a lock and every body of a full window. */
export const JOURNAL_RECORD_BYTES_MAX = (WINDOW_MAX + 2) * BLOCK_BYTES_MAX;
/** A journal file: replaced often enough that truncation frees space, large enough that creating one is rare. */
export const JOURNAL_SEGMENT_BYTES_MAX = 16 * 1_048_576;
/** Journal bytes that wait for the disk before the node stops taking new work: two full windows. */
export const JOURNAL_QUEUE_BYTES_FULL = 2 * WINDOW_MAX * BLOCK_BYTES_MAX;
/** What one event may still add to a full journal queue; more is a bug of the caller. */
export const JOURNAL_QUEUE_BYTES_MAX = 4 * JOURNAL_QUEUE_BYTES_FULL;

/** A hello between nodes: two addresses, a version, a head and a proof are below 600 bytes. */
export const HELLO_BYTES_MAX = 1_024;
/** What an unproven connection may send before its hello is judged: a hello in frames, with room for its envelope. */
export const HELLO_STREAM_BYTES_MAX = 4_096;
/** From accepted connection to judged hello: four round trips on a bad line. */
export const HELLO_TIMEOUT_MS_MAX = 5_000;
/** Connections that have not said a good hello: each may hold a TLS state of some 50 KB. */
export const PENDING_CONNECTIONS_MAX = 256;
/** The same from one address (IPv6: one /64): a whole devnet starting at once on loopback, twice over. */
export const PENDING_CONNECTIONS_PER_ADDRESS_MAX = 64;
/** New connections per second from one address, and how many may come at once: a handshake costs about a millisecond. */
export const CONNECTIONS_PER_ADDRESS_PER_SECOND = 32;
export const CONNECTIONS_PER_ADDRESS_BURST = 128;
/** Addresses whose rate is remembered; the longest unseen is forgotten first. */
export const ADDRESSES_TRACKED_MAX = 4_096;
/** Followers that one node serves unless told otherwise. */
export const FOLLOWERS_MAX = 64;
/** WebSocket fragments of one frame; our own frames have one. */
export const FRAME_FRAGMENTS_MAX = 64;
/** Pieces in which one frame may arrive: a full one in TLS records of 16 KiB is 257, and nobody need send smaller. */
export const FRAME_CHUNKS_MAX = 512;
/** Bytes given to the socket ahead of the lanes: a consensus frame waits behind at most these and one frame. */
export const SEND_BUFFER_BYTES_MAX = 262_144;
/** Frames and bytes that wait for one peer in each lane: consensus holds a window of blocks with all votes, twice. */
export const CONSENSUS_LANE_FRAMES_MAX = 8_192;
export const CONSENSUS_LANE_BYTES_MAX = 2 * WINDOW_MAX * BLOCK_BYTES_MAX;
/** Four full answers to a node that catches up. */
export const SYNC_LANE_FRAMES_MAX = 256;
export const SYNC_LANE_BYTES_MAX = 4 * FRAME_BYTES_MAX;
/** A second of transactions at full load; what is dropped is announced again. */
export const TRANSACTION_LANE_FRAMES_MAX = 8_192;
export const TRANSACTION_LANE_BYTES_MAX = 2 * FRAME_BYTES_MAX;
/** Frames and bytes that one peer may send per second, and at once: several times full load; above it is a flood. */
export const PEER_FRAMES_PER_SECOND = 20_000;
export const PEER_FRAMES_BURST = 60_000;
export const PEER_BYTES_PER_SECOND = 16 * FRAME_BYTES_MAX;
export const PEER_BYTES_BURST = 32 * FRAME_BYTES_MAX;
/** Before a new session counts as silent from its beginning: a round trip over a satellite takes 600 ms, lost once 1.8 s. */
export const FIRST_WORD_MS_MAX = 2_000;
/**
 * Silence of a peer in a session with a side that has no vote: a process among sixteen on two cores gets no turn for
 * seconds, and a session that ends for it costs more than a late word.
 */
export const QUIET_SESSION_MS_MAX = 5_000;
/** A peer that speaks but answers no ping for so long does not read: a full frame at 4 Mbit/s takes 8 s. */
export const PONG_TIMEOUT_MS_MAX = 10_000;
/** Wait between two dials of one authority: grows twofold from the first to the second value. */
export const DIAL_BACKOFF_MS_MIN = 100;
export const DIAL_BACKOFF_MS_MAX = 2_000;
/** How long a node that stops, or ends a session, waits for the other side's farewell. */
export const CLOSE_TIMEOUT_MS_MAX = 1_000;

/** Transactions that wait for a block: some twenty full blocks. */
export const MEMPOOL_TRANSACTIONS_MAX = 10_000;
/** Bytes of waiting transactions: some sixty full blocks of small ones. */
export const MEMPOOL_BYTES_MAX = 64 * 1_048_576;
/** Waiting transactions of one key: half the pool, so that no single client shuts the others out. */
export const MEMPOOL_PER_SIGNER_MAX = 5_000;

/** (chain) 9999-12-31T23:59:59.999Z: the last moment that RFC 3339 can write, and so that a graph can state. */
export const TIMESTAMP_MS_MAX = 253_402_300_799_999;
/** (chain) A block takes any transaction, with its frame. */
export const BLOCK_BYTES_MAX_MIN = TRANSACTION_BYTES_MAX + 8;
/** (chain) Between two checkpoints the journal keeps every vote. */
export const CHECKPOINT_INTERVAL_MAX = 10_000;
/** (chain) Rotation more seldom than this is none. */
export const ROTATION_INTERVAL_MAX = 1_000_000;
/** (chain) Empty blocks faster than this are load, slower than a day are no heartbeat. Milliseconds; 0 is never. */
export const BLOCK_INTERVAL_MS_MIN = 100;
export const BLOCK_INTERVAL_MS_MAX = 86_400_000;
/** (chain) Long enough for a few view changes; every node remembers the ids of the blocks of the longest life. */
export const TRANSACTION_LIFE_MS_MIN = 10_000;
export const TRANSACTION_LIFE_MS_MAX = 3_600_000;
/** (chain) An IRI base with room for what is appended to it. */
export const IRI_BASE_BYTES_MAX = 256;
/** Faults listed about one genesis document: more are not read by anybody. */
export const GENESIS_FAULTS_MAX = 100;
/** Entries of a list in config.toml: a bootstrap list, the host names of one node. */
export const CONFIG_LIST_ITEMS_MAX = 256;

/** Public keys kept in the form that OpenSSL takes, about 1 KB each: every client that was heard of lately. */
export const SIGNATURE_KEYS_CACHED_MAX = 8_192;
/** Signature checks on the four threads that also sync the journal: two per thread keep them busy and delay it by 0.2 ms. */
export const SIGNATURE_CHECKS_IN_FLIGHT_MAX = 8;
/** Transactions in one message between nodes, and their bytes: a message never delays a vote by more than a frame. */
export const FORWARD_BATCH_MAX = 500;
export const GOSSIP_BYTES_MAX = 1_048_576;
/** Client signatures that are being checked off the loop. */
export const VERIFICATIONS_IN_FLIGHT_MAX = 4_096;
/** Requests that wait for finality on one node. */
export const WAITERS_MAX = 10_000;
/** Pieces of evidence that are read back at once; one authority yields a handful before it is removed. */
export const EVIDENCE_KEPT_MAX = 1_000;
/** Latencies from which the percentiles in `stats` are taken. */
export const LATENCIES_KEPT_MAX = 1_000;
/** Newest blocks in which proposers and signers are counted: a moment's work, and days of a quiet chain. */
export const AUTHORITY_BLOCKS_COUNTED = 200;
/** What a node signs over HTTP may wait for a block this long. */
export const OPERATOR_LIFE_MS = 60_000;
/** A token file: one line. */
export const OPERATOR_TOKEN_BYTES_MAX = 1_024;
/** Final blocks below the newest one that a restarted replica knows by hash: four windows and some. */
export const RECOVERED_ANCESTORS = 4 * WINDOW_MAX;
/** Newest blocks whose links and certificates are checked at every start: a fifth of a second with 31 authorities. */
export const START_BLOCKS_CHECKED = 128;
/** A record of an exported chain: a block at its limit, with its header and 31 signatures. */
export const CHAIN_FILE_RECORD_BYTES_MAX = BLOCK_BYTES_MAX + 65_536;
/** Blocks of an import that are on their way to the disk before more are executed. */
export const IMPORT_BLOCKS_IN_FLIGHT_MAX = 256;
/** How long a process that reads a database may say nothing: over damaged pages it may never end. */
export const JOB_SILENCE_MS_MAX = 60_000;
/** State that a verification holds in memory before it goes on with a file: some 60,000 tickets. */
export const REPLAYED_STATE_BYTES_MAX = 256 * 1_048_576;
/** Accepted signatures that are remembered: some hundred blocks of 31 authorities, twice. */
export const VERIFIED_SIGNATURES_KEPT_MAX = 16_384;
/** Final blocks that are kept decoded: those that readers poll for, and that peers who lag a little ask for. */
export const BLOCKS_CACHED_MAX = 16;
/** Client signatures of one body that are checked in one turn (5 ms, or 60 ms when each is odd), and of an import on other threads. */
export const SIGNATURES_PER_TURN = 64;
/** Waiting transactions that are judged anew in one turn of the loop: about a millisecond. */
export const JUDGED_PER_TURN = 256;
/** How far ahead of ours an honest clock may have been when it let a transaction in. */
export const CLOCK_TOLERANCE_MS = 2_000;
/** Transactions of one authority that only a later state lets in: what it has seen final, and this node not yet. */
export const DEFERRED_PER_SEAT_MAX = 64;
/**
 * Bytes of final blocks sent to one authority per second, and at once: as they are stored they cost this node some
 * milliseconds per MiB, and what it sends them for is taken from the votes.
 */
export const SERVED_BYTES_PER_SECOND = 2 * FRAME_BYTES_MAX;
export const SERVED_BYTES_BURST = FRAME_BYTES_MAX;
/** What a block counts for in that at least: finding the smallest one takes two look-ups. */
export const SERVED_BLOCK_BYTES_MIN = 4_096;
/** Requests for blocks of one authority per second, and at once: two windows of bodies at every retry; one costs 0.02 ms. */
export const SERVED_REQUESTS_PER_SECOND = 256;
export const SERVED_REQUESTS_BURST = 256;
/** Those of one authority that wait for their turn: two windows of bodies and one of blocks, twice. */
export const SERVED_REQUESTS_WAITING_MAX = 4 * WINDOW_MAX;
/** Arrival times of proposals that are remembered: a window of every kind, and some. */
export const ARRIVALS_KEPT_MAX = 8 * WINDOW_MAX;
/** One kind of refused connection is logged this often. Milliseconds. */
export const REFUSALS_LOGGED_MS = 10_000;
/** Blocks behind others that are more than messages under way: a node so far behind answers for nothing new. */
export const LAG_BLOCKS = 8;
/** How long a sighting of this node's own keys elsewhere is shown. Milliseconds. */
export const TWIN_SHOWN_MS = 60_000;
/** `host:port` with the longest host name. */
export const ADDRESS_BYTES_MAX = 262;
/** Headers in one answer: some 100 KB, a hundredth of a second to check; all are proven by the certificate of the last. */
export const HEADERS_PER_ANSWER_MAX = 256;
/** Ranges of blocks under one certificate each that are fetched at once: 512 blocks, 64 MiB when every block is full. */
export const SYNC_SEGMENTS_MAX = 16;
/** Bodies that wait for earlier ones: with more, only what comes first is asked for. Blocks may be large, and segments many. */
export const SYNC_HELD_BYTES_MAX = 8 * FRAME_BYTES_MAX;
/** Questions about blocks that are open with one peer, and with all: each holds one answer in memory. */
export const SYNC_REQUESTS_PER_PEER_MAX = 4;
export const SYNC_REQUESTS_MAX = 16;
/** How long a peer may take for one answer: a full one on a line of 8 Mbit/s takes 4 s. */
export const SYNC_ANSWER_MS_MAX = 5_000;
/** How long a peer that could not answer is left alone: grows twofold from the first to the second value. */
export const SYNC_REST_MS_MIN = 250;
export const SYNC_REST_MS_MAX = 60_000;
/** A peer is asked no more often where its chain is, whatever else is compared how often: twice this rate is a flood. */
export const CHAIN_STATUS_MS_MIN = 1_000;
/** How often what is under way is looked at for stalls. */
export const SYNC_TICK_MS = 250;
/** Fetched blocks that are executed while earlier ones are on their way to the disk. */
export const SYNC_UNSTORED_BLOCKS_MAX = 4 * SYNC_BLOCKS_MAX;
/** How often a line tells how far catching up has come. Milliseconds. */
export const SYNC_LOG_MS = 2_000;
/** Blocks that an authority may lag behind before it fetches ranges from everybody, as a follower does. */
export const SYNC_LAG_BLOCKS = 1_000;
/** Newest blocks of which it is remembered who told of them. */
export const ANNOUNCERS_KEPT_MAX = 64;
/** Ids of news that are remembered exactly; older ones are remembered by filters. */
export const SEEN_IDS_EXACT_MAX = 8_192;
/** A part of the state in one answer, deflated: a quarter of a frame, so that consensus never waits long behind one. */
export const SNAPSHOT_CHUNK_BYTES_MAX = 1_048_576;
/** Records that are sent together, before they are deflated; a part of the state with more is split. Some 800 tickets, 10 ms to read. */
export const STATE_CHUNK_BYTES = 262_144;
/** Blocks below a snapshot in one answer, and their bytes before they are deflated: a single block at its limit fits. */
export const HISTORY_BLOCKS_MAX = 32;
export const HISTORY_BYTES_MAX = BLOCK_BYTES_MAX;
/** What such an answer may be when it is inflated: a single block at its limit with its receipts and certificate. */
export const HISTORY_INFLATED_BYTES_MAX = 2 * BLOCK_BYTES_MAX;
/** Places of a held state that are known to be too large for one answer: so asking for them again costs little. */
export const SNAPSHOT_SPLITS_KEPT_MAX = 16_384;
/** Moments of the store that are held for others to fetch: the newest, and the one that somebody may still be fetching. */
export const SNAPSHOTS_HELD_MAX = 2;
/** How long one is held: what is written meanwhile takes new room on the disk. Some gigabytes of state at 1 MB/s. */
export const SNAPSHOT_HELD_MS_MAX = 3_600_000;
/** A held one that nobody asked for so long may go when a newer one is due. */
export const SNAPSHOT_IDLE_MS = 60_000;
/** How long a node that begins listens for who offers which snapshot, and how long one may be without anybody who serves it. */
export const SNAPSHOT_LOOK_MS = 3_000;
export const SNAPSHOT_UNSERVED_MS_MAX = 15_000;
/** Between two answers of history that nobody waits for: a tenth of what the node and its peers can do. */
export const HISTORY_PAUSE_MS = 250;
/** Blocks that a node rather executes than fetch a snapshot: some ten seconds of work. */
export const SNAPSHOT_GAP_BLOCKS = 1_000;
/** Questions about one snapshot that are open at once with one peer, and with all: each holds one answer in memory. */
export const SNAPSHOT_REQUESTS_PER_PEER_MAX = 2;
export const SNAPSHOT_REQUESTS_MAX = 16;
/** How long a peer may take for one part of a snapshot: reading it takes 20 ms, a slow line 8 s. */
export const SNAPSHOT_ANSWER_MS_MAX = 15_000;
/** Questions in a row that a peer may leave unanswered before it is asked for no more of a snapshot. */
export const SNAPSHOT_SILENCES_MAX = 3;
/** How long a peer that says it is busy is left alone. */
export const SNAPSHOT_REST_MS = 1_000;
/** Blocks that a node keeps however few it is told to: those that are checked at its start, twice, for peers who lag a little. */
export const RETAINED_BLOCKS_MIN = 2 * START_BLOCKS_CHECKED;
/** Blocks whose bodies are removed in one transaction: a few milliseconds of the disk. */
export const PRUNED_BLOCKS_PER_WRITE = 32;
/** Ids in one comparison of what waits: a full comparison is 64 KiB. */
export const ANNOUNCED_IDS_MAX = 2_048;
/** Peers that a transaction is passed on to at least, unless the configuration wants fewer: of 16 nodes no more than √16 + 1. */
export const TRANSACTION_FANOUT_MIN = 4;
/** Peers in one list: a few kilobytes, and more than anybody dials. */
export const LISTED_PEERS_MAX = 64;
/** Addresses of nodes that this one has reached itself, and that it has only been told: places by a secret hash. */
export const TRIED_ADDRESSES_MAX = 1_024;
export const HEARD_ADDRESSES_MAX = 4_096;
/** Places of a bucket: one bucket holds what one group of addresses may crowd out. */
export const ADDRESS_BUCKET_SIZE = 16;
/** Buckets of reached addresses that one group of addresses can get into: an eighth of them. */
export const TRIED_BUCKETS_PER_GROUP = 8;
/** Buckets of told addresses that one group of tellers can get into: an eighth of them. */
export const HEARD_BUCKETS_PER_SOURCE = 32;
/** Groups of tellers that are remembered for one address; two make it worth telling others. */
export const ADDRESS_SOURCES_MAX = 4;
export const ADDRESS_SOURCES_MIN = 2;
/** Dials in a row after which an address that never answered is given up: lists may hold anything. */
export const UNREACHED_FAILURES_MAX = 3;
/** How long an address that did answer once is tried in vain before it is forgotten: a venue closed for its holidays. */
export const LOST_ADDRESS_MS_MAX = 30 * 86_400_000;
/** How long something told and never reached is kept. */
export const HEARD_ADDRESS_MS_MAX = 7 * 86_400_000;
/** How long an address that answered is told to others without being looked at again. */
export const LISTED_ADDRESS_MS_MAX = 3 * 3_600_000;
/** Sessions that a node opens itself, if it finds as many: whoever crowds the ones that it accepts cannot surround it. */
export const OUTBOUND_PEERS_MIN = 8;
/** The same for a node that only knows peers: somebody to ask, should nobody come. */
export const GUIDE_OUTBOUND_PEERS = 4;
/** Sessions with proven authorities among those: one honest authority shows the newest certificate. */
export const OUTBOUND_AUTHORITIES_MIN = 2;
/** Share of those sessions that one group of public addresses may have, as its divisor: half. */
export const OUTBOUND_GROUP_DIVISOR = 2;
/** One place for guests in so many is kept for those who come to ask for others, and go again. */
export const ASKING_GUESTS_DIVISOR = 16;
/** Connections that are being opened at once to find peers, and those that only look whether an address answers. */
export const DIALS_IN_FLIGHT_MAX = 8;
export const PROBES_IN_FLIGHT_MAX = 4;
/** Connections that discovery opens per second, and at once: a small network is together in a second. */
export const DIALS_PER_SECOND = 4;
export const DIALS_BURST = 32;
/** Addresses of connected nodes that wait to be looked at. */
export const PROBES_WAITING_MAX = 256;
/** How often discovery looks around. Milliseconds. */
export const DISCOVERY_TICK_MS = 500;
/** How often a peer is asked whom it knows: soon, and ever more seldom while its answers hold nothing new. */
export const ASK_MS_MIN = 1_000;
export const ASK_MS_MAX = 120_000;
/** A node that only knows peers is left once it has had nothing new for so long. */
export const ASK_MS_IDLE = 10_000;
/** How often one known address is looked at again, the longest unseen first. */
export const FEELER_MS = 60_000;
/** Wait between two dials of one address that was found by discovery: grows twofold from the first to the second value. */
export const REDIAL_MS_MIN = 1_000;
export const REDIAL_MS_MAX = 3_600_000;
/** The same for the configured addresses, without which there may be nobody to ask. */
export const BOOTSTRAP_REDIAL_MS_MIN = 200;
export const BOOTSTRAP_REDIAL_MS_MAX = 10_000;
/** How long a node that has no room, or that an operator has cut off, is left alone. */
export const BUSY_PEER_MS = 60_000;
/** How long a node of another chain, or one that has banned this one, is left alone. */
export const FOREIGN_PEER_MS = 6 * 3_600_000;
/** A session shorter than this counts as a failed dial. */
export const SHORT_SESSION_MS_MAX = 5_000;
/** How often what was learned of peers is written down. Milliseconds. */
export const KNOWN_PEERS_SAVED_MS = 30_000;
/** Own addresses that are remembered, so that they are not dialled. */
export const OWN_ADDRESSES_MAX = 16;
/** Points of misbehaviour at which a peer is banned; what an offence costs is said where offences are listed. */
export const BAN_POINTS = 100;
/** Points from which an authority, which is never banned, is heard on consensus alone: more than a bad line can cost. */
export const MUTE_POINTS = 75;
/** How long half of a peer's points take to lapse: an honest node with a bad hour starts the next one clean. */
export const POINTS_HALF_LIFE_MS = 10 * 60_000;
/** A first ban, what each further one is multiplied by, the longest, and one by an operator who names no time. */
export const BAN_MS_MIN = 3_600_000;
export const BAN_GROWTH = 4;
export const BAN_MS_MAX = 7 * 86_400_000;
export const OPERATOR_BAN_MS = 86_400_000;
/** The longest ban that an operator can ask for. */
export const OPERATOR_BAN_MS_MAX = 365 * 86_400_000;
/** Peers whose points are remembered, and bans: identities are free, so the oldest go first. */
export const SCORES_KEPT_MAX = 4_096;
export const BANS_MAX = 4_096;
/**
 * Messages of each kind that one peer may send per second, and at once. What is above is dropped and costs it points, so
 * each is several times what an honest peer sends at full load; the burst is what a torn line delivers when it is back.
 */
export const PEER_MESSAGE_RATES = {
  'chain-status-request': { perSecond: 2, burst: 20 },
  'chain-status': { perSecond: 4, burst: 40 },
  'block-announcement': { perSecond: 500, burst: 2_000 },
  'header-request': { perSecond: 256, burst: 1_024 },
  headers: { perSecond: 256, burst: 1_024 },
  'block-request': { perSecond: 256, burst: 1_024 },
  'block-response': { perSecond: 256, burst: 1_024 },
  'snapshot-request': { perSecond: 100, burst: 400 },
  'snapshot-chunk': { perSecond: 100, burst: 400 },
  'request-failed': { perSecond: 512, burst: 2_048 },
  /** Each transaction counts: reading one and looking for it takes some 20 µs. */
  transactions: { perSecond: 5_000, burst: 20_000 },
  'transactions-held': { perSecond: 10, burst: 50 },
  /** One may ask for a mebibyte, and follows upon a comparison. */
  'transactions-wanted': { perSecond: 10, burst: 50 },
  'peer-discovery': { perSecond: 1, burst: 10 },
  'peer-list': { perSecond: 1, burst: 10 },
  'find-node': { perSecond: 5, burst: 50 },
  nodes: { perSecond: 5, burst: 50 },
  'history-request': { perSecond: 50, burst: 200 },
  history: { perSecond: 50, burst: 200 },
} as const;
/** Contacts in one bucket of the Kademlia table, and in an answer: with 16 a bucket outlives most of its contacts. */
export const KADEMLIA_BUCKET_SIZE = 16;
/** Questions of one look-up that are open at once. */
export const KADEMLIA_PARALLELISM = 3;
/** The first look-up after a start, when sessions are up, and the time between two. Milliseconds. */
export const LOOKUP_MS_FIRST = 5_000;
export const LOOKUP_MS = 10 * 60_000;
/** How long a look-up waits for answers. */
export const LOOKUP_ANSWER_MS_MAX = 2_000;
/** Contacts that one look-up remembers: those nearest to its target. */
export const KADEMLIA_CONTACTS_MAX = 128;
