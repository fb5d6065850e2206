import { err, ok, type Result } from '../../lib/result.ts';
import { isFitText, isLanguage, lexicalFault } from '../../provenance/literal-form.ts';
import { RDF_LANG_STRING, XSD } from '../../provenance/namespaces.ts';
import type { StatementFault } from '../../provenance/statements.ts';
import type { Iri, Term } from '../../provenance/terms.ts';

export type Literal = Extract<Term, { readonly kind: 'literal' }>;

type LiteralFault = Pick<StatementFault, 'code' | 'reason'>;

/**
 * A literal as the chain takes it: its text in NFC, its language in lower case, and its value in the one form of its
 * datatype where that is the same value. What cannot be said without loss is refused, never changed.
 */
export function canonicalLiteral(value: string, datatype: Iri, language: string): Result<Literal, LiteralFault> {
  const text = value.normalize('NFC');
  if (!isFitText(text)) {
    return err({
      code: 'BAD_CHARACTER',
      reason: 'the text has a control character, a direction override or a half character; remove it',
    });
  }
  if (language !== '') {
    const tag = language.toLowerCase();
    return isLanguage(tag)
      ? ok({ kind: 'literal', value: text, datatype: RDF_LANG_STRING, language: tag })
      : err({ code: 'BAD_LANGUAGE', reason: 'the language is no tag such as en, de-at or zh-hans' });
  }
  const lexical = FORMS.get(datatype)?.(text) ?? text;
  const wanted = lexicalFault(datatype, lexical);
  if (wanted !== undefined) return err({ code: 'BAD_LEXICAL_FORM', reason: `a value of this datatype is ${wanted}` });
  return ok({ kind: 'literal', value: lexical, datatype, language: '' });
}

/** The canonical form of the same value; undefined when there is none, which the chain's own rule then says. */
const FORMS: ReadonlyMap<Iri, (text: string) => string | undefined> = new Map([
  [`${XSD}boolean`, (text: string) => ({ '1': 'true', '0': 'false' })[text]],
  [`${XSD}integer`, (text: string) => (/^[+-]?\d+$/.test(text) ? decimal(text) : undefined)],
  [`${XSD}decimal`, (text: string) => (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? decimal(text) : undefined)],
  [`${XSD}dateTime`, instant],
]);

function decimal(text: string): string {
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const digits = whole.replace(/^0+/, '');
  const places = withoutZerosAtEnd(fraction);
  if (digits === '' && places === '') return '0';
  return `${text.startsWith('-') ? '-' : ''}${digits || '0'}${places === '' ? '' : `.${places}`}`;
}

function withoutZerosAtEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T(\d\d):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):([0-5]\d))$/;
const OFFSET_MINUTES_MAX = 14 * 60;

/** The same instant in UTC. One without a time zone is none. */
function instant(text: string): string | undefined {
  const [, day = '', hour, minute, second, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] =
    INSTANT.exec(text) ?? [];
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1);
  if (Math.abs(offset) > OFFSET_MINUTES_MAX || lexicalFault(`${XSD}date`, day) !== undefined) return undefined;
  const places = withoutZerosAtEnd(fraction);
  const isMidnight = hour === '24' && minute === '00' && second === '00' && places === '';
  if (Number(hour) > 23 && !isMidnight) return undefined;
  const moment = new Date(`${day}T00:00:00Z`);
  moment.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  return `${moment.toISOString().slice(0, -'.000Z'.length)}${places === '' ? '' : `.${places}`}Z`;
}
