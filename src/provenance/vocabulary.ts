import type { CaseOutcome, OperationKind, Role, TransferChannel } from '../model/operation.ts';
import type { Standing, TicketState } from '../model/ticket.ts';
import { CF, PROV, RDF, SCHEMA, XSD } from './namespaces.ts';
import type { Iri } from './terms.ts';

/** The namespaces of the words that graphs are written in, by their usual prefixes. */
export const NAMESPACES = { cf: CF, prov: PROV, rdf: RDF, schema: SCHEMA, xsd: XSD } as const;

type Prefix = keyof typeof NAMESPACES;
/** `prefix:word`, of one of the namespaces. */
export type PrefixedName = `${Prefix}:${string}`;

/** The IRI that a prefixed name stands for. */
export function expand(name: PrefixedName): Iri {
  const colon = name.indexOf(':');
  return NAMESPACES[name.slice(0, colon) as Prefix] + name.slice(colon + 1);
}

/** What kind of activity each operation is. */
export const ACTIVITIES = {
  'event.create': 'cf:EventCreation',
  'tier.create': 'cf:TierCreation',
  'role.grant': 'cf:RoleGrant',
  'role.revoke': 'cf:RoleRevocation',
  issue: 'cf:Issuance',
  validate: 'cf:Validation',
  consume: 'cf:Consumption',
  admit: 'cf:Admission',
  dispute: 'cf:DisputeOpening',
  transfer: 'cf:Transfer',
  hold: 'cf:Hold',
  release: 'cf:Release',
  revoke: 'cf:Revocation',
  'case.open': 'cf:CaseOpening',
  resolve: 'cf:DisputeResolution',
} as const satisfies Record<OperationKind, PrefixedName>;

export const STATES = {
  ISSUED: 'cf:Issued',
  VALIDATED: 'cf:Validated',
  CONSUMED: 'cf:Consumed',
  DISPUTED: 'cf:Disputed',
} as const satisfies Record<TicketState, PrefixedName>;

export const STANDING_NAMES = {
  GOOD: 'cf:Good',
  HELD: 'cf:Held',
  REVOKED: 'cf:Revoked',
} as const satisfies Record<Standing, PrefixedName>;

export const ROLE_NAMES = {
  organiser: 'cf:OrganiserRole',
  issuer: 'cf:IssuerRole',
  venue: 'cf:VenueRole',
  gate: 'cf:GateRole',
  arbiter: 'cf:ArbiterRole',
  marketplace: 'cf:MarketplaceRole',
} as const satisfies Record<Role, PrefixedName>;

export const OUTCOME_NAMES = {
  UPHELD: 'cf:Upheld',
  REJECTED: 'cf:Rejected',
  REISSUED: 'cf:Reissued',
  REFUNDED: 'cf:Refunded',
} as const satisfies Record<CaseOutcome, PrefixedName>;

export const CHANNEL_NAMES = {
  DIRECT: 'cf:Direct',
  RESALE: 'cf:Resale',
} as const satisfies Record<TransferChannel, PrefixedName>;
