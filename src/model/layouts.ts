import { branded, type Codec, hexOf, textWhere, u53 } from './codec.ts';
import {
  type Epoch,
  type EventId,
  type GateId,
  type Hash,
  type Height,
  isName,
  type OrganisationId,
  type PublicKey,
  type Signature,
  type TicketId,
  type TierId,
  type Timestamp,
  type View,
} from './ids.ts';
import { NAME_CHARS_MAX } from './limits.ts';

/** Byte layouts of the ids. */
export const hashLayout: Codec<Hash> = hexOf<Hash>(32);
export const publicKeyLayout: Codec<PublicKey> = hexOf<PublicKey>(32);
export const signatureLayout: Codec<Signature> = hexOf<Signature>(64);
export const heightLayout: Codec<Height> = branded<Height, number>(u53);
export const viewLayout: Codec<View> = branded<View, number>(u53);
export const epochLayout: Codec<Epoch> = branded<Epoch, number>(u53);
export const timestampLayout: Codec<Timestamp> = branded<Timestamp, number>(u53);
export const ticketIdLayout: Codec<TicketId> = textWhere<TicketId>(NAME_CHARS_MAX, isName);
export const eventIdLayout: Codec<EventId> = textWhere<EventId>(NAME_CHARS_MAX, isName);
export const tierIdLayout: Codec<TierId> = textWhere<TierId>(NAME_CHARS_MAX, isName);
export const organisationIdLayout: Codec<OrganisationId> = textWhere<OrganisationId>(NAME_CHARS_MAX, isName);
export const gateIdLayout: Codec<GateId> = textWhere<GateId>(NAME_CHARS_MAX, isName);
