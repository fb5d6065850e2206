import { equalBytes } from '../lib/bytes.ts';
import { NumberReader, numberKey, quadKey } from './quad-keys.ts';
import type { Place, Search } from './quad-search.ts';

const ORDERS: readonly Place['order'][] = ['spog', 'posg', 'ospg', 'graph'];

/** A text that whoever asked gives back to go on behind a place. */
export function cursorOf({ order, numbers }: Place, incarnation: number): string {
  return Buffer.from(numberKey(ORDERS.indexOf(order), incarnation, ...numbers)).toString('base64url');
}

/** The place of a cursor; undefined for a text that is none, or of another incarnation of the index. */
export function placeOf(cursor: string, incarnation: number): Place | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  const reader = new NumberReader(bytes);
  const order = ORDERS[reader.next()];
  const isOfThis = reader.next() === incarnation;
  const [a, b, c, d] = [reader.next(), reader.next(), reader.next(), reader.next()];
  if (order === undefined || !isOfThis || Number.isNaN(a + b + c + d)) return undefined;
  const place: Place = { order, numbers: [a, b, c, d] };
  return cursorOf(place, incarnation) === cursor ? place : undefined;
}

/** Whether a search comes by a place. */
export function isPlaceOf(search: Search, place: Place): boolean {
  if (search.order === 'graph') return place.order === 'graph' && place.numbers[0] === search.graph;
  if (place.order === 'graph' || place.order !== search.order) return false;
  return equalBytes(quadKey(place.order, place.numbers).subarray(0, search.prefix.length), search.prefix);
}
