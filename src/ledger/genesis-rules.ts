import type { PublicKey } from '../model/ids.ts';
import { isUsableKey } from '../model/keys.ts';
import type { GenesisDocument } from './genesis.ts';
import type { FaultList } from './genesis-faults.ts';

/** What must hold between the parts of a document that has the right form. */
export function checkDocument(document: GenesisDocument, faults: FaultList): void {
  const { authorities, organisations } = document;
  checkDistinct(
    organisations.map(({ id }, index) => [id, `$.organisations[${index}].id`]),
    faults,
  );
  checkDistinct(
    authorities.map(({ id }, index) => [id, `$.authorities[${index}].id`]),
    faults,
  );
  const known = new Set<string>(organisations.map(({ id }) => id));
  authorities.forEach(({ organisation }, index) => {
    if (known.has(organisation)) return;
    const path = `$.authorities[${index}].organisation`;
    faults.add('UNKNOWN_ORGANISATION', path, `No organisation has the id ${organisation}.`);
  });
  organisations.forEach(({ roles }, index) => {
    checkDistinct(
      roles.map((role, at) => [role, `$.organisations[${index}].roles[${at}]`]),
      faults,
    );
  });
  if (!organisations.some(({ roles, keys }) => roles.includes('organiser') && keys.length > 0)) {
    const message = 'At least one organisation with a key must have the role organiser, or no event can be created.';
    faults.add('NO_ORGANISER', '$.organisations', message);
  }
  checkKeys(document, faults);
  checkNamespaces(document, faults);
}

/** Whose an IRI is, is a matter of how it begins: nobody's begins as somebody else's, or as those of the chain. */
function checkNamespaces({ iriBase, organisations }: GenesisDocument, faults: FaultList): void {
  const taken: [namespace: string, path: string][] = [[iriBase, '$.iri_base']];
  organisations.forEach(({ namespace }, index) => {
    if (namespace === null) return;
    const path = `$.organisations[${index}].namespace`;
    const other = taken.find(([earlier]) => earlier.startsWith(namespace) || namespace.startsWith(earlier));
    if (other !== undefined) faults.add('DUPLICATE', path, `It overlaps with ${other[1]}.`);
    taken.push([namespace, path]);
  });
}

/** One key has one purpose: two seats with one key would be two votes with one signature. */
function checkKeys({ authorities, organisations }: GenesisDocument, faults: FaultList): void {
  const keys = [
    ...authorities.map(({ publicKey }, index) => [publicKey, `$.authorities[${index}].public_key`] as const),
    ...organisations.flatMap((organisation, index) =>
      organisation.keys.map((key, at) => [key, `$.organisations[${index}].keys[${at}]`] as const),
    ),
  ];
  checkDistinct(keys, faults);
  for (const [key, path] of distinct(keys)) {
    if (!isUsableKey(key)) {
      faults.add('UNUSABLE_KEY', path, 'It is not a point of the curve in canonical form, or of small order.');
    }
  }
}

function distinct(keys: readonly (readonly [PublicKey, string])[]): ReadonlyMap<PublicKey, string> {
  return new Map(keys);
}

function checkDistinct(named: readonly (readonly [value: string, path: string])[], faults: FaultList): void {
  const first = new Map<string, string>();
  for (const [value, path] of named) {
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, path);
    else faults.add('DUPLICATE', path, `It repeats ${earlier}.`);
  }
}
