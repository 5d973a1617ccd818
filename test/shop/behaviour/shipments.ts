import { randomUUID } from 'node:crypto';

import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'chai';

import type { ScheduleShipmentRequestSchema, Shipment } from '#proto/shop/shipping/v1/shipping_pb.js';

import { type CarrierBookEntry, readCarrierBook } from '../../../services/shipping/simulated-carrier/index.ts';
import type { Shop } from '../shop-fixture.ts';

/** As a caller writes it: fields, no message. */
export type Schedule = Exclude<MessageInitShape<typeof ScheduleShipmentRequestSchema>, { $typeName: string }>;

export const ADDRESS = { recipient: 'Buyer', street: 'Main Street 1', city: 'Berlin', postalCode: '10115', countryCode: 'DE' };
export const LINES = [{ productId: 'grinder', quantity: 2 }, { productId: 'beans', quantity: 1 }];

/** A valid request for a new order, to be varied. */
export function requestTo(postalCode = ADDRESS.postalCode, other: Schedule = {}): Schedule & { orderId: string } {
  return { orderId: randomUUID(), address: { ...ADDRESS, postalCode }, lines: LINES, ...other };
}

export async function schedule({ shipping }: Shop, request: Schedule): Promise<Shipment> {
  const { shipment } = await shipping.scheduleShipment(request);
  return shipment ?? expect.fail('ScheduleShipment answered without a shipment');
}

export async function cancel({ shipping }: Shop, orderId: string): Promise<Shipment> {
  const { shipment } = await shipping.cancelShipment({ orderId });
  return shipment ?? expect.fail('CancelShipment answered without a shipment');
}

/** The order's one shipment, as it is listed. */
export async function shipmentOf({ shipping }: Shop, orderId: string): Promise<Shipment> {
  const { shipments } = await shipping.listShipments({ orderId });
  expect(shipments).to.have.length(1);
  return shipments[0] ?? expect.fail('it is not listed');
}

/** What the carrier has booked and called off for the order. */
export const bookOf = (shop: Shop, orderId: string): Promise<CarrierBookEntry[]> => readCarrierBook(shop.database('shipping'), { orderId });
