import { type Event, newEvent } from '#events';
import { type Clock, newId, type Random } from '#kit';
import { ShipmentCancelledSchema, ShipmentHandedOverSchema, ShipmentScheduledSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import type { Shipment } from './domain.ts';

// Published: what happened to an order's shipment. Consumed: nothing.

export interface EventSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** The event that announces a state that has just been reached; undefined for one that is the business of nobody else. */
export function shipmentEvent({ clock, random }: EventSource, shipment: Shipment): Event | undefined {
  const { shipmentId, orderId, state } = shipment;
  const trackingNumber = shipment.trackingNumber ?? '';
  const head = { id: newId(clock, random), source: 'shipping', subject: orderId, time: new Date(clock.now()) };
  switch (state) {
    case 'SCHEDULED':
      return newEvent(ShipmentScheduledSchema, { orderId, shipmentId, trackingNumber }, head);
    case 'HANDED_OVER':
      return newEvent(ShipmentHandedOverSchema, { orderId, shipmentId, trackingNumber }, head);
    case 'CANCELLED':
      return newEvent(ShipmentCancelledSchema, { orderId, shipmentId }, head);
    case 'BOOKING':
    case 'CANCELLING':
    case 'REFUSED':
      return undefined;
  }
}
