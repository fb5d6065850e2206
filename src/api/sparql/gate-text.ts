/** Everything in which a bracket is none: addresses, strings of four kinds, comments. What does not end is one character. */
const SKIPPED =
  /<[^<>"{}|^`\\\s]*>|"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|'''(?:[^'\\]|\\[\s\S]|'(?!''))*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|#[^\n\r]*/y;

/** How deep brackets of any kind stand in each other in the text of a query. */
export function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (OPENING.has(character)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (CLOSING.has(character)) {
      depth -= 1;
    } else if (SKIPPING.has(character)) {
      SKIPPED.lastIndex = at;
      at += Math.max(0, (SKIPPED.exec(text)?.[0].length ?? 1) - 1);
    }
  }
  return deepest;
}

function codes(characters: string): ReadonlySet<number> {
  return new Set([...characters].map((character) => character.charCodeAt(0)));
}

const OPENING = codes('{([');
const CLOSING = codes('})]');
const SKIPPING = codes('<"\'#');

/** A place in a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where the first thing begins that is neither white space nor a comment, from a line (from 1) and a column (from 0) on. */
export function placeAfter(text: string, line: number, column: number): Place & { readonly character: string } {
  let at = 0;
  for (let passed = 1; passed < line; passed += 1) at = text.indexOf('\n', at) + 1;
  at += column;
  const space = /(?:\s|#[^\n\r]*)*/y;
  space.lastIndex = at;
  at += space.exec(text)?.[0].length ?? 0;
  return { ...placeOf(text, at), character: String.fromCodePoint(text.codePointAt(at) ?? 0).replace('\0', '') };
}

export function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
