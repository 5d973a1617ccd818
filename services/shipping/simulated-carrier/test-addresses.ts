/** What goes wrong with a try to book. */
export type Mishap =
  /** Nothing comes back until the caller gives up, and nothing is booked. */
  | 'no answer'
  /** The carrier says that it cannot help just now, and nothing is booked. */
  | 'unavailable'
  /** It is booked, and the caller does not hear of it. */
  | 'answer lost';

/** How the carrier behaves towards an address. */
export type Conduct =
  | { readonly kind: 'books' }
  | { readonly kind: 'refuses'; readonly words: string }
  /** The first `tries` of each booking meet the mishap, those after them work. */
  | { readonly kind: 'stumbles'; readonly mishap: Mishap; readonly tries: number };

const BOOKS: Conduct = { kind: 'books' };

/**
 * Postal codes that make the carrier misbehave, as Stripe's test cards do with a charge.
 * An address with any other code is booked.
 *
 * - `SIM-REFUSE`: refused, for good
 * - `SIM-SLOW`: the first try does not answer until the caller gives up; the next one works
 * - `SIM-FAIL`: the first two tries fail as unavailable; the third works
 * - `SIM-LOST`: the first try books, but its answer is lost; the next one tells of that booking
 */
const TEST_ADDRESSES: ReadonlyMap<string, Conduct> = new Map<string, Conduct>([
  ['SIM-REFUSE', { kind: 'refuses', words: 'we do not deliver to postal code SIM-REFUSE' }],
  ['SIM-SLOW', { kind: 'stumbles', mishap: 'no answer', tries: 1 }],
  ['SIM-FAIL', { kind: 'stumbles', mishap: 'unavailable', tries: 2 }],
  ['SIM-LOST', { kind: 'stumbles', mishap: 'answer lost', tries: 1 }],
]);

export function conductTowards(postalCode: string): Conduct {
  return TEST_ADDRESSES.get(postalCode) ?? BOOKS;
}
