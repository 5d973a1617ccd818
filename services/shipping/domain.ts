import { refusal } from '#kit';

export type ShipmentState = 'BOOKING' | 'SCHEDULED' | 'HANDED_OVER' | 'CANCELLING' | 'CANCELLED' | 'REFUSED';

/** The states that a shipment is moved to, each with those it may come from. No way leads back. */
export const REACHED_FROM = {
  SCHEDULED: ['BOOKING'],
  REFUSED: ['BOOKING'],
  HANDED_OVER: ['SCHEDULED'],
  CANCELLING: ['BOOKING', 'SCHEDULED'],
  CANCELLED: ['CANCELLING'],
} as const satisfies Partial<Record<ShipmentState, readonly ShipmentState[]>>;

export interface Address {
  readonly recipient: string;
  readonly street: string;
  readonly city: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
}

export interface Line {
  readonly productId: string;
  readonly quantity: number;
}

export interface Shipment {
  readonly shipmentId: string;
  readonly orderId: string;
  readonly state: ShipmentState;
  /** The carrier's; null until it has taken the booking. */
  readonly trackingNumber: string | null;
  /** Why it was REFUSED, in the carrier's words. */
  readonly refusal: string | null;
  /** Null when it was called off before it was asked for. */
  readonly address: Address | null;
  readonly lines: readonly Line[];
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** What is to be brought where, for which order. */
export interface Consignment {
  readonly orderId: string;
  readonly address: Address;
  readonly lines: readonly Line[];
}

/** A repeat of ScheduleShipment means the order's shipment, unless that was called off or it asks for something else. */
export function requireSameConsignment(shipment: Shipment, { orderId, address, lines }: Consignment): Shipment {
  requireNotCancelled(shipment);
  if (shipment.address && isSameAddress(shipment.address, address) && areSameLines(shipment.lines, lines)) return shipment;
  throw refusal('IDEMPOTENCY_KEY_REUSED', `order ${orderId} has a shipment with another address or other lines; use a new order_id`);
}

/** A shipment that the carrier has been asked about: refuses when it will not come. */
export function requireTaken(shipment: Shipment): Shipment {
  requireNotCancelled(shipment);
  if (shipment.state !== 'REFUSED') return shipment;
  const words = shipment.refusal ?? '';
  throw refusal('CARRIER_REFUSED', `the carrier does not take this shipment: ${words}; use another address`, { metadata: detailsOf(shipment) });
}

/** Passes only a shipment that waits for the carrier to come. */
export function requireScheduled(shipment: Shipment): Shipment {
  requireNotCancelled(shipment);
  if (shipment.state === 'SCHEDULED') return shipment;
  const sentence = `shipment ${shipment.shipmentId} is ${shipment.state}; only a SCHEDULED one is handed over`;
  throw refusal('SHIPMENT_NOT_SCHEDULED', sentence, { metadata: { ...detailsOf(shipment), state: shipment.state } });
}

export function requireNotHandedOver(shipment: Shipment): Shipment {
  if (shipment.state !== 'HANDED_OVER') return shipment;
  const sentence = `the parcel of order ${shipment.orderId} is with the carrier; it cannot be called off any more`;
  throw refusal('SHIPMENT_HANDED_OVER', sentence, { metadata: detailsOf(shipment) });
}

function requireNotCancelled(shipment: Shipment): void {
  if (shipment.state !== 'CANCELLING' && shipment.state !== 'CANCELLED') return;
  throw refusal('SHIPMENT_CANCELLED', `the shipment of order ${shipment.orderId} was called off; place a new order`, { metadata: detailsOf(shipment) });
}

function detailsOf({ shipmentId, orderId }: Shipment): Record<string, string> {
  return { shipment_id: shipmentId, order_id: orderId };
}

function isSameAddress(a: Address, b: Address): boolean {
  const isSamePlace = a.street === b.street && a.city === b.city && a.postalCode === b.postalCode && a.countryCode === b.countryCode;
  return isSamePlace && a.recipient === b.recipient;
}

/** In whatever order they are named; no product is named twice. */
function areSameLines(a: readonly Line[], b: readonly Line[]): boolean {
  const quantities = new Map(a.map(({ productId, quantity }) => [productId, quantity]));
  return a.length === b.length && b.every(({ productId, quantity }) => quantities.get(productId) === quantity);
}
