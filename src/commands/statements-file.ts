import { fromUtf8 } from '../lib/bytes.ts';
import { canonicalDocument } from '../provenance/canonical.ts';
import { parseStatements } from '../provenance/statements.ts';
import { CommandError } from './exit-codes.ts';
import { readGivenFile } from './files.ts';

/** The text of a file with statements, for a node to read. @throws CommandError when it is no text */
export function statementsText(path: string): string {
  const text = fromUtf8(readGivenFile(path));
  if (text !== undefined) return text;
  throw new CommandError('USAGE', `${path} is not text in UTF-8.`);
}

/**
 * The statements of a file as they are signed. Lines are put in order and doubles left out; all else has to be in
 * canonical form already: only a node turns Turtle into it.
 *
 * @throws CommandError that says which line is not
 */
export function canonicalStatements(path: string): string {
  const text = statementsText(path);
  const document = canonicalDocument(text.split('\n').filter((line) => line !== ''));
  const read = parseStatements(document);
  if (read.ok) return document;
  const { code, column, reason } = read.error;
  const line = document.split('\n')[read.error.line - 1] ?? '';
  const at = line === '' ? '' : `, line ${text.split('\n').indexOf(line) + 1}, column ${column}`;
  throw new CommandError('USAGE', `${path}${at}: ${reason}.`, {
    code,
    advice: 'A key signs N-Triples in canonical form; without --key the node takes Turtle, and signs.',
  });
}
