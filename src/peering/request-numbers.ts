/**
 * Where the numbers of questions begin, apart for each part that asks: a refusal names nothing but the number, and one
 * that comes late must not be taken for the answer to something else.
 */
export const FIRST_REQUESTS = { sync: 1, snapshot: 0x4000_0000, history: 0x8000_0000 } as const;
