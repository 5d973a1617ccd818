import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { expect } from 'chai';

import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import type { Consignment } from '../../services/shipping/domain.ts';
import { cancel, handOver, schedule } from '../../services/shipping/scheduling.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { newConsignment, patience, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

const TRACES = { name: 'test.traces', text: 'SELECT trace_parent AS trace FROM outbox WHERE key = $1 ORDER BY position' };

describe('what shipping announces', () => {
  let fixture: ShippingFixture;
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  const scheduled = (wanted: Consignment) => schedule(fixture.shipping, wanted, patience());
  const cancelled = ({ orderId }: Consignment) => cancel(fixture.shipping, orderId, patience());

  it('is that the carrier has taken the booking, and that it has the parcel', async () => {
    const wanted = newConsignment();
    const { shipmentId, orderId, trackingNumber } = await scheduled(wanted);
    await handOver(fixture.shipping, shipmentId);
    expect(await fixture.eventsOf(orderId)).to.deep.equal([
      { type: 'shop.shipping.v1.ShipmentScheduled', data: { orderId, shipmentId, trackingNumber } },
      { type: 'shop.shipping.v1.ShipmentHandedOver', data: { orderId, shipmentId, trackingNumber } },
    ]);
  });

  it('is that a booking was called off', async () => {
    const wanted = newConsignment();
    const { shipmentId, orderId } = await scheduled(wanted);
    await cancelled(wanted);
    const [, called, ...others] = await fixture.eventsOf(orderId);
    expect(called).to.deep.equal({ type: 'shop.shipping.v1.ShipmentCancelled', data: { orderId, shipmentId } });
    expect(others).to.deep.equal([]);
  });

  it('is said once, however often and at once it is asked for', async () => {
    const wanted = newConsignment();
    const many = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 8 }, work));
    const [shipment] = await many(() => scheduled(wanted));
    await many(() => handOver(fixture.shipping, shipment?.shipmentId ?? ''));
    await many(() => expectRefusal('SHIPMENT_HANDED_OVER', cancelled(wanted)));
    expect(await fixture.eventsOf(wanted.orderId)).to.have.length(2);
    const other = newConsignment();
    await scheduled(other);
    await many(() => cancelled(other));
    expect(await fixture.eventsOf(other.orderId)).to.have.length(2);
  });

  it('belongs to the trace of the call that led to it, also where it is written with others', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    const orders = Array.from({ length: 8 }, () => newConsignment());
    const idOf = (index: number, digits: number): string => String(index + 1).padStart(digits, '0');
    const within = (index: number) => trace.setSpanContext(ROOT_CONTEXT, { traceId: idOf(index, 32), spanId: idOf(index, 16), traceFlags: 1 });
    try {
      await Promise.all(orders.map((wanted, index) => context.with(within(index), () => scheduled(wanted))));
    } finally {
      context.disable();
    }
    for (const [index, { orderId }] of orders.entries()) {
      expect(await fixture.database.query(TRACES, [orderId])).to.deep.equal([{ trace: `00-${idOf(index, 32)}-${idOf(index, 16)}-01` }]);
    }
  });

  it('is nothing while the carrier has not answered, and nothing when it refuses', async () => {
    const wanted = newConsignment();
    fixture.carrier.refuse('too heavy');
    fixture.carrier.on = { beforeBook: async () => void expect(await fixture.eventsOf(wanted.orderId)).to.deep.equal([]) };
    await expectRefusal('CARRIER_REFUSED', scheduled(wanted));
    await cancelled(wanted);
    expect(await fixture.eventsOf(wanted.orderId)).to.deep.equal([]);
  });

  it('is nothing of a shipment that was called off before it was asked for', async () => {
    const wanted = newConsignment();
    await cancelled(wanted);
    await cancelled(wanted);
    expect(await fixture.eventsOf(wanted.orderId)).to.deep.equal([]);
  });

  it('is nothing when the parcel stays where it is', async () => {
    const { shipmentId, orderId } = await scheduled(newConsignment());
    fixture.orderIs(async () => OrderState.CANCELLING);
    await expectRefusal('ORDER_NOT_CONFIRMED', handOver(fixture.shipping, shipmentId));
    expect(await fixture.eventsOf(orderId)).to.have.length(1);
  });
});
