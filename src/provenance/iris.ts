import type { EventId, GateId, Hash, TicketId, TierId } from '../model/ids.ts';
import type { Iri } from './terms.ts';

/** The IRIs of a chain's things. Names hold nothing that an IRI would have to escape. */
export interface Iris {
  readonly base: Iri;
  ticket(id: TicketId): Iri;
  version(ticket: TicketId, version: number): Iri;
  /** Of the activity, and of the graph that describes it. */
  transaction(id: Hash): Iri;
  /** Of the graph that holds what the submitter stated. */
  stated(transaction: Hash): Iri;
  /** Of the block, and of the graph that describes it. */
  block(height: number): Iri;
  finalization(height: number): Iri;
  agent(organisation: string): Iri;
  authority(id: string): Iri;
  event(id: EventId): Iri;
  tier(event: EventId, tier: TierId): Iri;
  gate(id: GateId): Iri;
}

let last: Iris = irisOf('');

/** `base` is that of the genesis document; ends with a slash. */
export function irisUnder(base: Iri): Iris {
  // A chain has one, and asks for each of its transactions.
  if (last.base !== base) last = irisOf(base);
  return last;
}

function irisOf(base: Iri): Iris {
  return {
    base,
    ticket: (id) => `${base}ticket/${id}`,
    version: (ticket, version) => `${base}ticket/${ticket}/v/${version}`,
    transaction: (id) => `${base}tx/${id}`,
    stated: (transaction) => `${base}tx/${transaction}#stated`,
    block: (height) => `${base}block/${height}`,
    finalization: (height) => `${base}block/${height}#finalization`,
    agent: (organisation) => `${base}agent/${organisation}`,
    authority: (id) => `${base}authority/${id}`,
    event: (id) => `${base}event/${id}`,
    tier: (event, tier) => `${base}tier/${event}/${tier}`,
    gate: (id) => `${base}gate/${id}`,
  };
}
