import { expect } from 'chai';

import { MeshError, refusal } from '#kit';
import { OrderState } from '#proto/shop/order/v1/order_pb.js';

import type { Shipment } from '../../services/shipping/domain.ts';
import { cancel, handOver, schedule } from '../../services/shipping/scheduling.ts';
import { expectRefusal } from '../database/expect-refusal.ts';
import { newConsignment, patience, type ShippingFixture, startShippingFixture } from './shipping-fixture.ts';

const ORDERS_AT_ONCE = 30;

describe('handing a shipment over', () => {
  let fixture: ShippingFixture;
  before(async function () {
    this.timeout(20_000);
    fixture = await startShippingFixture();
  });
  afterEach(() => fixture.reset());
  after(() => fixture?.remove());

  const newShipment = (): Promise<Shipment> => schedule(fixture.shipping, newConsignment(), patience());
  const stateOf = async ({ orderId }: Shipment): Promise<string | undefined> => (await fixture.shipmentOf(orderId))?.state;

  it('is done once, however often and at once it is asked for', async () => {
    const { shipmentId } = await newShipment();
    const answers = await Promise.all(Array.from({ length: 5 }, () => handOver(fixture.shipping, shipmentId)));
    answers.push(await handOver(fixture.shipping, shipmentId));
    for (const answer of answers) expect(answer).to.deep.equal({ ...answers[0], state: 'HANDED_OVER' });
  });

  it('needs no word of the order once it is done', async () => {
    const { shipmentId } = await newShipment();
    await handOver(fixture.shipping, shipmentId);
    fixture.orderIs(() => Promise.reject(refusal('UNREACHABLE', 'the order service is away')));
    expect((await handOver(fixture.shipping, shipmentId)).state).to.equal('HANDED_OVER');
  });

  for (const state of [OrderState.PENDING, OrderState.FAILED, OrderState.CANCELLING, OrderState.CANCELLED, OrderState.UNSPECIFIED]) {
    it(`is refused for an order that is ${OrderState[state]}`, async () => {
      const shipment = await newShipment();
      fixture.orderIs(async () => state);
      const { message } = await expectRefusal('ORDER_NOT_CONFIRMED', handOver(fixture.shipping, shipment.shipmentId));
      expect(message).to.contain(`is ${OrderState[state]}`);
      expect(await stateOf(shipment)).to.equal('SCHEDULED');
    });
  }

  it('is refused for an order that does not exist', async () => {
    const shipment = await newShipment();
    fixture.orderIs(() => Promise.reject(refusal('ORDER_NOT_FOUND', 'there is no such order')));
    await expectRefusal('ORDER_NOT_CONFIRMED', handOver(fixture.shipping, shipment.shipmentId));
  });

  it('waits for better times when the order service cannot be asked', async () => {
    const shipment = await newShipment();
    fixture.orderIs(() => Promise.reject(refusal('UNREACHABLE', 'the order service is away')));
    await expectRefusal('UNREACHABLE', handOver(fixture.shipping, shipment.shipmentId));
    expect(await stateOf(shipment)).to.equal('SCHEDULED');
    fixture.reset();
    expect((await handOver(fixture.shipping, shipment.shipmentId)).state).to.equal('HANDED_OVER');
  });

  it('is refused when the shipment was called off after the order was found CONFIRMED', async () => {
    const shipment = await newShipment();
    fixture.orderIs(async () => {
      await cancel(fixture.shipping, shipment.orderId, patience());
      return OrderState.CONFIRMED;
    });
    await expectRefusal('SHIPMENT_CANCELLED', handOver(fixture.shipping, shipment.shipmentId));
    expect(await stateOf(shipment)).to.equal('CANCELLED');
    expect(fixture.carrier.standing(shipment.orderId)).to.deep.equal([]);
  });

  it('keeps it from being called off, and the carrier hears nothing of that', async () => {
    const shipment = await newShipment();
    await handOver(fixture.shipping, shipment.shipmentId);
    for (let twice = 0; twice < 2; twice += 1) await expectRefusal('SHIPMENT_HANDED_OVER', cancel(fixture.shipping, shipment.orderId, patience()));
    expect(fixture.carrier.asked(shipment.shipmentId)).to.deep.equal(['book']);
    expect(await stateOf(shipment)).to.equal('HANDED_OVER');
  });

  it('or calling it off is done, and never both, for many orders at once', async () => {
    const shipments = await Promise.all(Array.from({ length: ORDERS_AT_ONCE }, newShipment));
    let asked = 0;
    fixture.orderIs(async () => {
      // None to three statements later, so that now the one is faster and now the other.
      for (let left = (asked += 1) % 4; left > 0; left -= 1) await fixture.shipmentOf('nobody');
      return OrderState.CONFIRMED;
    });
    const reasonOf = (work: Promise<Shipment>): Promise<string> => work.then(({ state }) => state, (thrown: unknown) => MeshError.from(thrown).reason);
    const ends = await Promise.all(
      shipments.map(({ shipmentId, orderId }) => {
        const calling = () => reasonOf(cancel(fixture.shipping, orderId, patience()));
        return Promise.all([reasonOf(handOver(fixture.shipping, shipmentId)), calling(), calling()]);
      }),
    );
    for (const [index, shipment] of shipments.entries()) {
      const isHandedOver = (await stateOf(shipment)) === 'HANDED_OVER';
      const expected = isHandedOver ? ['HANDED_OVER', 'SHIPMENT_HANDED_OVER', 'SHIPMENT_HANDED_OVER'] : ['SHIPMENT_CANCELLED', 'CANCELLED', 'CANCELLED'];
      expect(ends[index]).to.deep.equal(expected);
      expect(fixture.carrier.standing(shipment.orderId)).to.have.length(isHandedOver ? 1 : 0);
    }
  });
});
