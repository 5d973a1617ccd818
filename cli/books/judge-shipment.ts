import type { BookingInBooks, OrderFacts, OrderInBooks, ShipmentInBooks } from './books.ts';
import type { Difference } from './difference.ts';
import { differenceOf } from './judge-money.ts';

/** Bookings for which the carrier comes, or has come. */
export function standingOf({ bookings }: OrderFacts): BookingInBooks[] {
  return bookings.filter(({ state }) => state === 'BOOKED');
}

/** What holds at any time. */
export function judgeBookings(facts: OrderFacts): Difference[] {
  const standing = standingOf(facts);
  if (standing.length <= 1) return [];
  return [differenceOf(facts)('booked more than once', `is booked ${standing.length} times at the carrier: ${listed(standing)}`)];
}

/** The shipment of a confirmed order: one, for which the carrier comes under the number that all three know. */
export function judgeSentShipment(facts: OrderFacts, { trackingNumber }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const { shipment } = facts;
  if (!shipment) return [differs('shipment differs', 'is CONFIRMED and has no shipment')];
  if (!isToCome(shipment)) return [differs('shipment differs', `is CONFIRMED and its shipment is ${shipment.state}`)];
  if (shipment.trackingNumber !== trackingNumber) {
    return [differs('shipment differs', `names tracking number ${trackingNumber || 'none'}, and its shipment ${shipment.trackingNumber ?? 'none'}`)];
  }
  return judgeBookingOf(facts, shipment);
}

/** The shipment of an order that FAILED or was CANCELLED: the carrier does not come. */
export function judgeNoShipment(facts: OrderFacts, { state }: OrderInBooks): Difference[] {
  const differs = differenceOf(facts);
  const { shipment } = facts;
  const standing = standingOf(facts);
  return [
    ...(shipment && !isCalledOff(shipment) ? [differs('shipment differs', `is ${state} and its shipment is ${shipment.state}`)] : []),
    ...(standing.length > 0 ? [differs('still booked', `is ${state} and still booked at the carrier: ${listed(standing)}`)] : []),
  ];
}

/** A shipment beside the carrier's book, where no order says what should be. BOOKING and CANCELLING may be either. */
export function judgeShipmentAlone(facts: OrderFacts): Difference[] {
  const { shipment } = facts;
  if (!shipment) return [];
  if (isToCome(shipment)) return judgeBookingOf(facts, shipment);
  const standing = standingOf(facts);
  if (!isCalledOff(shipment) || standing.length === 0) return [];
  return [differenceOf(facts)('still booked', `has a shipment that is ${shipment.state}, and is still booked at the carrier: ${listed(standing)}`)];
}

function judgeBookingOf(facts: OrderFacts, { shipmentId, trackingNumber }: ShipmentInBooks): Difference[] {
  const differs = differenceOf(facts);
  const standing = standingOf(facts);
  const [booking] = standing;
  if (!booking) return [differs('not booked', `has shipment ${shipmentId}, of which the carrier knows nothing or that it was called off`)];
  const agrees = standing.some((entry) => entry.bookingKey === shipmentId && entry.trackingNumber === trackingNumber);
  if (agrees) return [];
  return [differs('booking differs', `has shipment ${shipmentId} under ${trackingNumber ?? 'no number'}, and the carrier ${listed(standing)}`)];
}

function isToCome({ state }: ShipmentInBooks): boolean {
  return state === 'SCHEDULED' || state === 'HANDED_OVER';
}

function isCalledOff({ state }: ShipmentInBooks): boolean {
  return state === 'CANCELLED' || state === 'REFUSED';
}

function listed(bookings: readonly BookingInBooks[]): string {
  return bookings.map(({ bookingKey, trackingNumber }) => `${bookingKey} under ${trackingNumber ?? 'no number'}`).join(', ');
}
