/**
 * Bounds on what peers without a vote can make this node hold or do, as `limits.ts` holds the others: with its unit in its
 * name and its reason beside it.
 */

/**
 * Guests whose addresses lie in one hand (a public /16, a site's /24), unless told otherwise: a quarter of the places, so
 * that four such hands are needed to fill them.
 */
export const GUESTS_PER_GROUP_MAX = 16;
