import type { z } from 'zod';
import { fieldProblem } from './exchange.ts';
import type { Problem } from './problems.ts';

type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'an object',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

/** What a value would have to be, in our words: to be given to `safeParse`, for the rules that say nothing themselves. */
export function wording(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `is ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `is one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return issue.origin === 'array' ? `has at most ${issue.maximum} entries` : `is at most ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'array' ? `has at least ${issue.minimum} entry` : `is at least ${issue.minimum}`;
    default:
      return 'is not what is taken here';
  }
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (whole, part) =>
      typeof part === 'number' ? `${whole}[${part}]` : `${whole}${whole === '' ? '' : '.'}${String(part)}`,
    '',
  );
}

/** The first fault of something that was parsed with `wording`, with the path of its field. */
export function firstFault(error: z.ZodError, what: string): Problem {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    return fieldProblem(
      pathOf([...issue.path, issue.keys[0] ?? '']),
      'is not a field that is taken here; leave it out',
    );
  }
  return issue === undefined || issue.path.length === 0
    ? { code: 'BAD_REQUEST', detail: what }
    : fieldProblem(pathOf(issue.path), issue.message);
}
