import type { Retirement } from '../consensus/record.ts';

const DEAD_KEY = 'this key never votes again, and the node follows without a vote';
const RETIREMENT_SENTENCES: Readonly<Record<Retirement, string>> = {
  JOURNAL_BEHIND: `other authorities hold statements signed with this key that its journal does not know, because an older state of the journal was put back or another machine used the key: ${DEAD_KEY}`,
  DUPLICATE_KEY: `another machine signs with this authority's key; find it: ${DEAD_KEY}`,
};

/** Why the key of this node's seat signs nothing any more, if it does not. */
export function retirementSentence(reason: Retirement | null): string | null {
  return reason === null ? null : RETIREMENT_SENTENCES[reason];
}
