import { utf8 } from '../lib/bytes.ts';
import type { Authority, Parameters } from '../model/authorities.ts';
import { isCleanText } from '../model/codec.ts';
import { isHex, isName, OrganisationId, PublicKey, Timestamp } from '../model/ids.ts';
import {
  AUTHORITIES_MAX,
  BLOCK_BYTES_MAX,
  BLOCK_BYTES_MAX_MIN,
  BLOCK_INTERVAL_MS_MAX,
  BLOCK_INTERVAL_MS_MIN,
  BLOCK_TRANSACTIONS_MAX,
  CHECKPOINT_INTERVAL_MAX,
  IRI_BASE_BYTES_MAX,
  NAME_CHARS_MAX,
  ORGANISATION_KEYS_MAX,
  ORGANISATIONS_MAX,
  ROTATION_INTERVAL_MAX,
  TEXT_BYTES_MAX,
  TRANSACTION_LIFE_MS_MAX,
  TRANSACTION_LIFE_MS_MIN,
  WINDOW_MAX,
} from '../model/limits.ts';
import { ROLES, type Role } from '../model/operation.ts';
import type { GenesisDocument, GenesisOrganisation } from './genesis.ts';
import type { FaultList } from './genesis-faults.ts';

/** Reads one value at a path; undefined after it has said what is wrong. */
type Form<T> = (value: unknown, path: string, faults: FaultList) => T | undefined;

type Fields<T> = { readonly [Key in keyof T]-?: readonly [key: string, form: Form<T[Key]>] };

function record<T extends object>(fields: Fields<T>): Form<T> {
  const entries = Object.entries(fields) as [keyof T & string, readonly [string, Form<T[keyof T & string]>]][];
  const keys = new Set(entries.map(([, [key]]) => key));
  return (value, path, faults) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      faults.add('WRONG_TYPE', path, 'It must be an object.');
      return undefined;
    }
    const given = new Map<string, unknown>(Object.entries(value));
    for (const key of given.keys()) {
      if (!keys.has(key)) faults.add('UNKNOWN_KEY', `${path}.${key}`, 'No such key exists.');
    }
    const read: Partial<T> = {};
    let isWhole = true;
    for (const [name, [key, form]] of entries) {
      if (!given.has(key)) faults.add('MISSING_KEY', `${path}.${key}`, 'This key is required.');
      const item = given.has(key) ? form(given.get(key), `${path}.${key}`, faults) : undefined;
      if (item === undefined) isWhole = false;
      else read[name] = item;
    }
    return isWhole ? (read as T) : undefined;
  };
}

function listOf<T>(item: Form<T>, bounds: { readonly min: number; readonly max: number }): Form<readonly T[]> {
  return (value, path, faults) => {
    if (!Array.isArray(value)) {
      faults.add('WRONG_TYPE', path, 'It must be a list.');
      return undefined;
    }
    if (value.length < bounds.min || value.length > bounds.max) {
      faults.add('OUT_OF_BOUNDS', path, `It has ${value.length} items; ${bounds.min} to ${bounds.max} are allowed.`);
      return undefined;
    }
    const items = value.map((entry: unknown, index) => item(entry, `${path}[${index}]`, faults));
    const whole = items.filter((entry) => entry !== undefined);
    return whole.length === items.length ? whole : undefined;
  };
}

function textOf<T>(read: (text: string) => T | undefined, rule: string): Form<T> {
  return (value, path, faults) => {
    if (typeof value !== 'string') {
      faults.add('WRONG_TYPE', path, 'It must be a text.');
      return undefined;
    }
    const item = read(value);
    if (item === undefined) faults.add('BAD_VALUE', path, `It must be ${rule}.`);
    return item;
  };
}

function whole(min: number, max: number, orZero = false): Form<number> {
  return (value, path, faults) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      faults.add('WRONG_TYPE', path, 'It must be a whole number.');
      return undefined;
    }
    if ((value >= min && value <= max) || (orZero && Object.is(value, 0))) return value;
    faults.add('OUT_OF_BOUNDS', path, `It is ${value}; ${orZero ? '0, or ' : ''}${min} to ${max} is allowed.`);
    return undefined;
  };
}

const NAME_RULE = `1 to ${NAME_CHARS_MAX} characters of A-Z a-z 0-9 . _ -`;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const IRI_BASE = /^https?:\/\/[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d{1,5})?\/(?:[A-Za-z0-9._~-]+\/)*$/;

const name = textOf((text) => (isName(text) ? text : undefined), NAME_RULE);
const organisationName = textOf((text) => (isName(text) ? OrganisationId(text) : undefined), NAME_RULE);
const publicKey = textOf(
  (text) => (isHex(text, 32) ? PublicKey(text) : undefined),
  'a public key: 64 characters of lower-case hexadecimal',
);
const role = textOf<Role>((text) => ROLES.find((known) => known === text), `one of ${ROLES.join(', ')}`);
const title = textOf(
  (text) => (text !== '' && isCleanText(text) && utf8(text).length <= TEXT_BYTES_MAX ? text : undefined),
  `1 to ${TEXT_BYTES_MAX} bytes of text without control characters`,
);
const iriBase = textOf(
  (text) => (IRI_BASE.test(text) && text.length <= IRI_BASE_BYTES_MAX ? text : undefined),
  `an http or https address in lower case that ends with a slash, at most ${IRI_BASE_BYTES_MAX} characters`,
);
/** The form of a value that may be missing, as a key with null. */
function orNull<T>(item: Form<T>): Form<T | null> {
  return (value, path, faults) => (value === null ? null : item(value, path, faults));
}

const instant = textOf((text) => {
  const milliseconds = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse takes 24:00 and, in some engines, 30 February; the way back does not give the same text.
  const isReal = milliseconds >= 0 && new Date(milliseconds).toISOString() === text;
  return isReal ? Timestamp(milliseconds) : undefined;
}, 'a time since 1970 in UTC with milliseconds, as in 2026-06-12T00:00:00.000Z');

const parameters = record<Parameters>({
  blockTransactionsMax: ['block_transactions_max', whole(1, BLOCK_TRANSACTIONS_MAX)],
  blockBytesMax: ['block_bytes_max', whole(BLOCK_BYTES_MAX_MIN, BLOCK_BYTES_MAX)],
  checkpointInterval: ['checkpoint_interval', whole(1, CHECKPOINT_INTERVAL_MAX)],
  rotationInterval: ['rotation_interval', whole(1, ROTATION_INTERVAL_MAX, true)],
  blockIntervalMs: ['block_interval_ms', whole(BLOCK_INTERVAL_MS_MIN, BLOCK_INTERVAL_MS_MAX, true)],
  transactionLifeMsMax: ['transaction_life_ms_max', whole(TRANSACTION_LIFE_MS_MIN, TRANSACTION_LIFE_MS_MAX)],
  windowMax: ['window_max', whole(1, WINDOW_MAX)],
});

const authority = record<Authority>({
  id: ['id', name],
  publicKey: ['public_key', publicKey],
  organisation: ['organisation', organisationName],
});

const organisation = record<GenesisOrganisation>({
  id: ['id', organisationName],
  title: ['title', title],
  roles: ['roles', listOf(role, { min: 0, max: ROLES.length })],
  keys: ['keys', listOf(publicKey, { min: 0, max: ORGANISATION_KEYS_MAX })],
  namespace: ['namespace', orNull(iriBase)],
});

/** The document that parsed JSON has the form of; undefined when it has another one, and `faults` say where. */
export const readDocument: (value: unknown, faults: FaultList) => GenesisDocument | undefined = (() => {
  const document = record<GenesisDocument>({
    networkId: ['network_id', name],
    created: ['created', instant],
    iriBase: ['iri_base', iriBase],
    parameters: ['parameters', parameters],
    authorities: ['authorities', listOf(authority, { min: 1, max: AUTHORITIES_MAX })],
    organisations: ['organisations', listOf(organisation, { min: 1, max: ORGANISATIONS_MAX })],
  });
  return (value, faults) => document(value, '$', faults);
})();
