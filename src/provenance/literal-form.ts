import { LANGUAGE_CHARS_MAX } from '../model/graph-limits.ts';
import { RDF, XSD } from './namespaces.ts';

/**
 * What no text of a statement may hold: controls, direction overrides, halves of surrogate pairs, byte order marks and
 * code points that are no characters. Fixed ranges, as in `model/codec`: nodes must agree for ever.
 */
const UNFIT = [
  '\\p{Cc}\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufdd0-\\ufdef\\ufeff\\ufffe\\uffff',
  '\\u{1fffe}\\u{1ffff}\\u{2fffe}\\u{2ffff}\\u{3fffe}\\u{3ffff}\\u{4fffe}\\u{4ffff}\\u{5fffe}\\u{5ffff}\\u{6fffe}\\u{6ffff}',
  '\\u{7fffe}\\u{7ffff}\\u{8fffe}\\u{8ffff}\\u{9fffe}\\u{9ffff}\\u{afffe}\\u{affff}\\u{bfffe}\\u{bffff}\\u{cfffe}\\u{cffff}',
  '\\u{dfffe}\\u{dffff}\\u{efffe}\\u{effff}\\u{ffffe}\\u{fffff}\\u{10fffe}\\u{10ffff}',
].join('');

/** Characters that stand for themselves between the quotes of a literal; sticky. */
export const PLAIN_CHARACTERS = new RegExp(`[^"\\\\${UNFIT}]*`, 'uy');

const UNFIT_IN_VALUES = new RegExp(`(?![\\t\\n\\r])[${UNFIT}]`, 'u');

/** Whether the text of a literal, without quotes and escapes, may be stated; tabs and line ends may. */
export function isFitText(value: string): boolean {
  return !UNFIT_IN_VALUES.test(value);
}

/** A primary language, then an extension of it, a script, a region and variants, each if wanted: RFC 5646 in lower case. */
const LANGUAGE =
  /^(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*$/;

export function isLanguage(tag: string): boolean {
  return tag.length <= LANGUAGE_CHARS_MAX && LANGUAGE.test(tag);
}

/** What cannot stand behind `^^`: texts have no datatype in canonical form, and the others need more than a value. */
export function datatypeFault(datatype: string): string | undefined {
  if (datatype === `${XSD}string`) return 'texts are written without ^^ and their datatype';
  if (datatype === `${RDF}langString`) return 'rdf:langString takes a language, as in "text"@en';
  if (datatype === `${RDF}dirLangString`) return 'base directions are not taken';
  return undefined;
}

interface Form {
  readonly pattern: RegExp;
  readonly wanted: string;
  readonly isDated?: boolean;
}

/** The datatypes with one way to write each value. All others are kept as they are stated. */
const FORMS: ReadonlyMap<string, Form> = new Map([
  [`${XSD}boolean`, { pattern: /^(?:true|false)$/, wanted: 'true or false' }],
  [`${XSD}integer`, { pattern: /^(?:0|-?[1-9]\d*)$/, wanted: 'digits without a plus and without zeros in front' }],
  [
    `${XSD}decimal`,
    // The canonical form of XSD 1.1, which is also what the SPARQL engine makes of every decimal it is given.
    {
      pattern: /^(?:0|-?(?:0\.\d*[1-9]|[1-9]\d*(?:\.\d*[1-9])?))$/,
      wanted: 'as 95 or 0.25: no exponent, no plus and no zeros to spare',
    },
  ],
  [
    `${XSD}dateTime`,
    {
      pattern: /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{0,8}[1-9])?Z$/,
      wanted: 'an instant in UTC as 2026-06-12T18:25:37.5Z: no zeros at the end of a fraction',
      isDated: true,
    },
  ],
  [`${XSD}date`, { pattern: /^\d{4}-\d\d-\d\d$/, wanted: 'a day as 2026-06-12, without a time zone', isDated: true }],
]);

/** How a value of this datatype is written, when `value` is not; undefined when it is, or when any text will do. */
export function lexicalFault(datatype: string, value: string): string | undefined {
  const form = FORMS.get(datatype);
  if (form === undefined || (form.pattern.test(value) && (!form.isDated || isDay(value)))) return undefined;
  return form.wanted;
}

/** Whether the first ten characters, of the right form, name a day of the years 1 to 9999. */
function isDay(value: string): boolean {
  const year = Number(value.slice(0, 4));
  const month = Number(value.slice(5, 7));
  const day = Number(value.slice(8, 10));
  if (year < 1 || month < 1 || month > 12) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day >= 1 && day <= days;
}
