import type { Database } from '#database';
import { type Clock, MeshError, newId, type Random, refusal } from '#kit';
import type { Client } from '#mesh';
import { type OrderService, OrderState } from '#proto/shop/order/v1/order_pb.js';

import type { Carrier } from './carrier.ts';
import { type Consignment, requireNotHandedOver, requireSameConsignment, requireScheduled, requireTaken, type Shipment } from './domain.ts';
import { stepEvent } from './events.ts';
import type { ShipmentWriter } from './shipment-writer.ts';
import { type Birth, closeShipment, findShipment, findShipmentOfOrder, type Step } from './store.ts';

/** What shipping works with. */
export interface Shipping {
  readonly database: Database;
  readonly writer: ShipmentWriter;
  readonly carrier: Carrier;
  readonly orders: Client<typeof OrderService>;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Books an order's shipment once. BOOKING is committed before the carrier is asked, so a
 * process that dies in between leaves a trace; whoever asks again sends the same key and
 * gets the first answer. Throws CARRIER_UNAVAILABLE while the outcome is unknown.
 */
export async function schedule(shipping: Shipping, wanted: Consignment, signal: AbortSignal): Promise<Shipment> {
  const opened = await shipping.writer.open({ ...newBirth(shipping), ...wanted });
  const shipment = opened ?? requireSameConsignment(await shipmentOfOrder(shipping, wanted.orderId), wanted);
  return requireTaken(shipment.state === 'BOOKING' ? await askCarrier(shipping, shipment, wanted, signal) : shipment);
}

async function askCarrier(shipping: Shipping, shipment: Shipment, wanted: Consignment, signal: AbortSignal): Promise<Shipment> {
  const outcome = await shipping.carrier.book({ bookingKey: shipment.shipmentId, ...wanted }, signal);
  // Called off meanwhile: then the state stays what it is, and the carrier hears of that from CancelShipment.
  return outcome.kind === 'booked'
    ? move(shipping, shipment, { to: 'SCHEDULED', trackingNumber: outcome.trackingNumber })
    : move(shipping, shipment, { to: 'REFUSED', refusal: outcome.words });
}

/**
 * Calls an order's shipment off, or makes sure that none is booked. CANCELLING is
 * committed before the carrier is told: from then on nothing is handed over, and a
 * repeat tells the carrier again.
 */
export async function cancel(shipping: Shipping, orderId: string, signal: AbortSignal): Promise<Shipment> {
  const closed = await closeShipment(shipping.database, newBirth(shipping), orderId);
  // There was no BOOKING, so the carrier was never asked.
  if (closed) return closed;
  const found = await shipmentOfOrder(shipping, orderId);
  const shipment = requireNotHandedOver(await move(shipping, found, { to: 'CANCELLING' }));
  if (shipment.state !== 'CANCELLING') return shipment;
  await shipping.carrier.cancel(shipment.shipmentId, signal);
  return move(shipping, shipment, { to: 'CANCELLED' });
}

/**
 * Notes that the carrier has the parcel, for an order that is CONFIRMED.
 *
 * The order's state is read before the shipment moves and may be another one by then, which
 * does no harm: a confirmed order leaves that state only through its cancel saga, whose first
 * step is CancelShipment. That and this are conditional updates of one row. If CancelShipment
 * comes first, nothing is handed over. If this does, CancelShipment is refused, the saga has
 * undone nothing yet, and the order is CONFIRMED again. What undoes an order that is still being
 * placed does not meet a parcel that is handed over either, for that order was never CONFIRMED.
 */
export async function handOver(shipping: Shipping, shipmentId: string): Promise<Shipment> {
  const shipment = await shipmentOf(shipping, shipmentId);
  if (shipment.state === 'HANDED_OVER') return shipment;
  await requireConfirmed(shipping, requireScheduled(shipment).orderId);
  const moved = await move(shipping, shipment, { to: 'HANDED_OVER' });
  return moved.state === 'HANDED_OVER' ? moved : requireScheduled(moved);
}

async function requireConfirmed({ orders }: Shipping, orderId: string): Promise<void> {
  const state = await orderState(orders, orderId);
  if (state === OrderState.CONFIRMED) return;
  const name = OrderState[state ?? OrderState.UNSPECIFIED];
  const sentence = state === undefined ? `there is no order ${orderId}` : `order ${orderId} is ${name}`;
  throw refusal('ORDER_NOT_CONFIRMED', `${sentence}; only the shipment of a CONFIRMED order is handed over`, { metadata: { order_id: orderId } });
}

/** Undefined when there is no such order. */
async function orderState(orders: Client<typeof OrderService>, orderId: string): Promise<OrderState | undefined> {
  try {
    return (await orders.getOrder({ orderId })).order?.state;
  } catch (thrown) {
    if (MeshError.from(thrown).reason === 'ORDER_NOT_FOUND') return undefined;
    throw thrown;
  }
}

export async function shipmentOf({ database }: Shipping, shipmentId: string): Promise<Shipment> {
  const shipment = await findShipment(database, shipmentId);
  if (shipment) return shipment;
  throw shipmentNotFound(shipmentId);
}

/** What is said of a shipment that there is not, and to whoever asks for another's. */
export function shipmentNotFound(shipmentId: string): MeshError {
  const sentence = `there is no shipment ${shipmentId}; ListShipments finds the one of an order`;
  return refusal('SHIPMENT_NOT_FOUND', sentence, { metadata: { shipment_id: shipmentId } });
}

async function shipmentOfOrder({ database }: Shipping, orderId: string): Promise<Shipment> {
  const shipment = await findShipmentOfOrder(database, orderId);
  if (shipment) return shipment;
  throw refusal('SHIPMENT_NOT_FOUND', `order ${orderId} has no shipment; schedule it first`, { metadata: { order_id: orderId } });
}

/** The shipment after the move, or as it is if its state does not lead there. Who wants to know of the new state hears of it. */
async function move(shipping: Shipping, shipment: Shipment, step: Step): Promise<Shipment> {
  const { shipmentId } = shipment;
  const now = new Date(shipping.clock.now());
  const moved = await shipping.writer.move({ move: { ...step, shipmentId, now }, event: stepEvent(shipping, shipment, step) });
  return moved ?? shipmentOf(shipping, shipmentId);
}

function newBirth({ clock, random }: Shipping): Birth {
  return { shipmentId: newId(clock, random), now: new Date(clock.now()) };
}
