import { err, ok, type Result } from '../lib/result.ts';
import { isName, TicketId } from '../model/ids.ts';
import { CHAIN_QUESTIONS } from './chain-questions.ts';
import { EVENT_QUESTIONS } from './event-questions.ts';
import { irisUnder } from './iris.ts';
import { dateTime, ref } from './lines.ts';
import { lexicalFault } from './literal-form.ts';
import { XSD } from './namespaces.ts';
import type { Question, QuestionParameter } from './question.ts';
import type { Iri } from './terms.ts';
import { TICKET_QUESTIONS } from './ticket-questions.ts';
import { NAMESPACES } from './vocabulary.ts';

/** Every question that has a name. */
export const QUESTIONS: readonly Question[] = [...TICKET_QUESTIONS, ...EVENT_QUESTIONS, ...CHAIN_QUESTIONS];

/** Why a question was not asked. */
export interface QuestionFault {
  readonly code: 'UNKNOWN_QUESTION' | 'MISSING_PARAMETER' | 'UNKNOWN_PARAMETER' | 'BAD_PARAMETER';
  /** The name at fault. */
  readonly name: string;
  readonly reason: string;
}

/** What stands in front of every question. */
export const QUESTION_PREFIXES = (['cf', 'prov', 'xsd'] as const)
  .map((prefix) => `PREFIX ${prefix}: <${NAMESPACES[prefix]}>\n`)
  .join('');

/**
 * The SPARQL text of a question with its parameters in place. What is put in is a name or an instant that was checked to
 * be one, written anew: nothing that somebody gives can end the term that it stands in.
 *
 * @param given by the names of the question's parameters, as text
 * @param iriBase that of the genesis document; ends with a slash
 */
export function askQuestion(
  name: string,
  given: Readonly<Record<string, string>>,
  iriBase: Iri,
): Result<string, QuestionFault> {
  const question = QUESTIONS.find((one) => one.name === name);
  if (question === undefined) {
    const known = QUESTIONS.map((one) => one.name).join(', ');
    return err({ code: 'UNKNOWN_QUESTION', name, reason: `there is no such question; there are ${known}` });
  }
  const { parameters } = question;
  const extra = Object.keys(given).find((key) => !parameters.some((parameter) => parameter.name === key));
  if (extra !== undefined) {
    const wanted = parameters.length === 0 ? 'none' : parameters.map((parameter) => parameter.name).join(', ');
    return err({ code: 'UNKNOWN_PARAMETER', name: extra, reason: `${name} takes ${wanted}` });
  }
  let text = question.sparql;
  for (const parameter of parameters) {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined;
    const term = termOf(parameter, value, iriBase);
    if (!term.ok) return term;
    text = text.replaceAll(`{{${parameter.name}}}`, () => term.value);
  }
  return ok(`${QUESTION_PREFIXES}${text}\n`);
}

/** As people and other answers of a node write it: any offset, any fraction. */
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970; undefined for what is no instant. */
function millisecondsOf(text: string): number | undefined {
  const [, local, fraction = ''] = INSTANT.exec(text) ?? [];
  // Date.parse takes 30 February.
  if (local === undefined || lexicalFault(`${XSD}dateTime`, `${local}Z`) !== undefined) return undefined;
  const milliseconds = Date.parse(`${local}${fraction.slice(0, 4)}${text.slice(local.length + fraction.length)}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function termOf(
  { name, kind, description, example }: QuestionParameter,
  value: string | undefined,
  iriBase: Iri,
): Result<string, QuestionFault> {
  if (value === undefined)
    return err({ code: 'MISSING_PARAMETER', name, reason: `is missing: ${description}, for example ${example}` });
  switch (kind) {
    case 'ticket':
      if (!isName(value)) break;
      return ok(ref(irisUnder(iriBase).ticket(TicketId(value))));
    case 'instant': {
      const milliseconds = millisecondsOf(value);
      if (milliseconds === undefined) break;
      return ok(dateTime(milliseconds));
    }
  }
  return err({ code: 'BAD_PARAMETER', name, reason: `it is ${description}, as ${example}` });
}
