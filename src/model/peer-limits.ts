/**
 * Bounds on what peers without a vote can make this node hold or do, as `limits.ts` holds the others: with its unit in its
 * name and its reason beside it.
 */
import { FRAME_BYTES_MAX, VERIFICATIONS_IN_FLIGHT_MAX } from './limits.ts';

/**
 * Guests whose addresses lie in one hand (a public /16, a site's /24), unless told otherwise: a quarter of the places, so
 * that four such hands are needed to fill them.
 */
export const GUESTS_PER_GROUP_MAX = 16;

/** Signatures that are being checked for followers, of all that may be: the rest is for clients here, and for authorities. */
export const HEARD_VERIFICATIONS_IN_FLIGHT_MAX = VERIFICATIONS_IN_FLIGHT_MAX / 4;

/**
 * How long after the first telling of a block those peers are told that have neither heard nor told of it: what is passed
 * on at random leaves out one node in some hundred, and by then an epidemic is over.
 */
export const LATE_NEWS_MS = 500;
/** Part of the time of the loop that reading states and history out to all peers together may take: votes need the rest. */
export const SNAPSHOT_SERVING_SHARE = 1 / 4;
/** States that a node which begins tries to fetch, one after another, before it executes every block: liars may offer any. */
export const SNAPSHOT_TRIES_MAX = 8;
/** Times in a row that a peer may say that it is busy before it is asked for no more of a snapshot: a minute at least. */
export const SNAPSHOT_BUSY_MAX = 60;
/** Times that a peer may be busy when it is to prove what it offers: a header is little work. */
export const SNAPSHOT_PROOF_REFUSALS_MAX = 5;
/** How long a question waits for its asker to read the answer before, until it is told BUSY: it asks another one then. */
export const SERVED_PATIENCE_MS = 2_000;
/** How often those who do not read are looked at meanwhile. */
export const SERVED_LOOK_MS = 50;
/** Bytes that wait for the sockets of all peers together, above which nothing more is read out: sixteen full answers. */
export const ANSWERS_WAITING_BYTES_MAX = 16 * FRAME_BYTES_MAX;
