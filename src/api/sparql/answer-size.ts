import { QUERY_ANSWER_BYTES_MAX, QUERY_ROWS_MAX } from '../../model/graph-limits.ts';
import { countRows } from './count-rows.ts';

export const TOO_MANY_BYTES = `the answer has more than ${QUERY_ANSWER_BYTES_MAX} bytes; ask for fewer columns or rows`;

/** What is wrong with an answer that is too long. @param rowFormat of an answer with rows; null for any other */
export function sizeFault(text: string, rowFormat: string | null): string | undefined {
  if (rowFormat !== null && text.length > QUERY_ROWS_MAX && (countRows(rowFormat, text) ?? 0) > QUERY_ROWS_MAX) {
    return `the answer has more than ${QUERY_ROWS_MAX} rows; ask for them in parts, with ORDER BY, LIMIT and OFFSET`;
  }
  if (text.length > QUERY_ANSWER_BYTES_MAX) {
    return TOO_MANY_BYTES;
  }
  return undefined;
}
