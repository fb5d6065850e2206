/**
 * Bounds on what peers without a vote can make this node hold or do, as `limits.ts` holds the others: with its unit in its
 * name and its reason beside it.
 */
import { VERIFICATIONS_IN_FLIGHT_MAX } from './limits.ts';

/**
 * Guests whose addresses lie in one hand (a public /16, a site's /24), unless told otherwise: a quarter of the places, so
 * that four such hands are needed to fill them.
 */
export const GUESTS_PER_GROUP_MAX = 16;

/** Signatures that are being checked for followers, of all that may be: the rest is for clients here, and for authorities. */
export const HEARD_VERIFICATIONS_IN_FLIGHT_MAX = VERIFICATIONS_IN_FLIGHT_MAX / 4;
