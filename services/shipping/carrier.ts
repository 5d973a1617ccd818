import type { Address, Line } from './domain.ts';

/** Goods of one order for a carrier to come for. */
export interface CarrierBooking {
  /**
   * Names this booking for ever; a resend carries the same key and the same values.
   * Ours is the shipment's id, which no other booking shares.
   */
  readonly bookingKey: string;
  /** Written beside the booking at the carrier, so that books can be compared. */
  readonly orderId: string;
  readonly address: Address;
  readonly lines: readonly Line[];
}

/** What became of a booking. Both are final: a resend answers the same, until the booking is cancelled. */
export type BookingOutcome =
  | { readonly kind: 'booked'; readonly trackingNumber: string }
  /** The carrier does not come, and says why in a few words for people to read. */
  | { readonly kind: 'refused'; readonly words: string };

/**
 * Whoever brings the goods to the buyer. Both calls may be sent again with the same key
 * and values, which is also how to ask what became of a call whose answer was lost. They
 * throw CARRIER_UNAVAILABLE while the outcome is not known, also when `signal` aborts: the
 * carrier may have done it or not. Whatever else they throw says no more than that.
 */
export interface Carrier {
  book(booking: CarrierBooking, signal: AbortSignal): Promise<BookingOutcome>;
  /**
   * Calls a booking off. One that was cancelled already is a success, and so is a key the
   * carrier has never heard of: a `book` of it that was on its way is refused when it arrives.
   */
  cancel(bookingKey: string, signal: AbortSignal): Promise<void>;
}
