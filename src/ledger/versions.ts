import { defined } from '../lib/assert.ts';
import type { TicketId } from '../model/ids.ts';
import type { TicketState } from '../model/ticket.ts';
import { advance, count, type Patch } from './lifecycle.ts';
import type { Scene } from './outcome.ts';
import { type TierRecord, tierKey } from './records.ts';
import type { Overlay } from './state.ts';
import type { TicketRecord } from './ticket-record.ts';

/** Writes a version of a ticket, and into the receipt that it was written: there is no other way to do either. */
export function putVersion(scene: Scene, record: TicketRecord): void {
  const { ticket, version, state, standing, epoch, holder } = record;
  scene.state.tickets.put(ticket, record);
  scene.changes.push({ ticket, version, state, standing, epoch, holder });
}

/** Takes a ticket along its path, one version each; what the move changes besides belongs to the last one. */
export function move(scene: Scene, id: TicketId, path: readonly TicketState[], patch: Patch = {}): void {
  const { state, block } = scene;
  path.forEach((to, index) => {
    const ticket = defined(state.tickets.get(id), 'a ticket that is moved exists');
    const previous = state.tickets.hash(id);
    const step = { to, height: block.height, previous, patch: index === path.length - 1 ? patch : {} };
    putVersion(scene, advance(ticket, step));
    if (to === ticket.state) return;
    state.tiers.put(tierKey(ticket.event, ticket.tier), count(tierOf(state, ticket), ticket.state, to));
  });
}

export function tierOf(state: Overlay, ticket: TicketRecord): TierRecord {
  return defined(state.tiers.get(tierKey(ticket.event, ticket.tier)), `ticket ${ticket.ticket} has a tier`);
}
