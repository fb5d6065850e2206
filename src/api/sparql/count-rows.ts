/** How many rows an answer has, by its text as the engine writes it; undefined for a format without rows. */
export function countRows(format: string, text: string): number | undefined {
  switch (format) {
    case 'application/sparql-results+json':
      return jsonRows(text);
    case 'application/sparql-results+xml':
      return occurrences(text, '<result>');
    case 'text/csv':
      return occurrences(text.replaceAll(/"[^"]*"/g, ''), '\n') - 1;
    case 'text/tab-separated-values':
      return occurrences(text, '\n') - 1;
    default:
      return undefined;
  }
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

/** A row is an object in an array in an object in the whole. */
const ROW_DEPTH = 3;

function jsonRows(text: string): number {
  let rows = 0;
  let depth = 0;
  for (const [token] of text.matchAll(/[{}]|"(?:[^"\\]|\\.)*"/g)) {
    if (token === '{') {
      depth += 1;
      if (depth === ROW_DEPTH) rows += 1;
    } else if (token === '}') {
      depth -= 1;
    }
  }
  return rows;
}
