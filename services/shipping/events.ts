import { type Event, newEvent } from '#events';
import { type Clock, newId, type Random } from '#kit';
import { ShipmentCancelledSchema, ShipmentHandedOverSchema, ShipmentScheduledSchema } from '#proto/shop/shipping/v1/shipping_events_pb.js';

import type { Shipment } from './domain.ts';
import type { Step } from './store.ts';

// Published: what happened to an order's shipment. Consumed: nothing.

export interface EventSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** The event that announces a step of a shipment, in the trace of whoever makes it; undefined for one that is the business of nobody else. */
export function stepEvent({ clock, random }: EventSource, { shipmentId, orderId, trackingNumber }: Shipment, step: Step): Event | undefined {
  const head = { id: newId(clock, random), source: 'shipping', subject: orderId, time: new Date(clock.now()) };
  switch (step.to) {
    case 'SCHEDULED':
      return newEvent(ShipmentScheduledSchema, { orderId, shipmentId, trackingNumber: step.trackingNumber }, head);
    case 'HANDED_OVER':
      // Only what was SCHEDULED is handed over, and that has one, for good.
      return newEvent(ShipmentHandedOverSchema, { orderId, shipmentId, trackingNumber: trackingNumber ?? '' }, head);
    case 'CANCELLED':
      return newEvent(ShipmentCancelledSchema, { orderId, shipmentId }, head);
    case 'CANCELLING':
    case 'REFUSED':
      return undefined;
  }
}
