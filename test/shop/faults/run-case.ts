import { randomBytes } from 'node:crypto';

import { expect } from 'chai';

import { readCarrierBook } from '#carrier-simulator';
import { MeshError } from '#kit';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { SagaState, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';
import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { moneyOf, newProduct, newUser, requestFor, stockOf, until } from '../orders.ts';
import type { FailureCase } from './cases.ts';
import type { Fault, FaultAction } from './fault.ts';
import type { FaultyShop } from './faulty-shop.ts';

/** Deadline of the slowest call (10 s), or eight refusals of a compensation, or a process that is started again; each with room to spare on a busy machine. */
const WITHIN_MS = 60_000;

/** Takes one order through one failure and checks that all of it ends in the one right state. */
export async function runCase(shop: FaultyShop, failing: FailureCase): Promise<void> {
  const productId = await newProduct(shop, 10n);
  const userId = await newUser(shop);
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  // Turned round at the last moment, so that there is a real reservation, charge and booking to undo.
  if (failing.way === 'undo') shop.arm({ traceId, point: 'serve Commit', action: { kind: 'refuse', reason: 'RESERVATION_EXPIRED' }, always: true });
  const fault = faultOf(failing, traceId);
  const armed = failing.way === 'cancel' ? undefined : shop.arm(fault);
  // What a client does that got no answer: the same request again.
  const request = requestFor(userId, productId);
  const { orderId } = await until('the order is placed', WITHIN_MS, async () => (await shop.orders.placeOrder(request, { headers })).order);
  const cancelArmed = failing.way === 'cancel' ? await cancel(shop, orderId, fault, headers) : undefined;
  const trouble = armed ?? cancelArmed;
  if (failing.ending.startsWith('stuck')) await retryStuck(shop, orderId, failing, () => trouble?.disarm());
  await until('the order is at rest', WITHIN_MS, () => settled(shop, orderId, failing));
  if (failing.failure !== 'refused') expect(trouble?.isArmed(), 'the fault was met').to.equal(false);
  await expectWhole(shop, orderId, productId, failing);
}

async function cancel(shop: FaultyShop, orderId: string, fault: Fault, headers: Record<string, string>): Promise<ReturnType<FaultyShop['arm']>> {
  await until('the order is confirmed', WITHIN_MS, async () => ((await shop.orders.getOrder({ orderId })).order?.state === OrderState.CONFIRMED ? true : undefined));
  const armed = shop.arm(fault);
  // Its answer may be lost with the process: what counts is how the order ends.
  const refused = await shop.orders.cancelOrder({ orderId }, { headers }).then(
    () => '',
    (thrown: unknown) => MeshError.from(thrown).reason,
  );
  if (fault.point === 'serve CancelShipment' && fault.always) expect(refused).to.equal('SHIPMENT_HANDED_OVER');
  return armed;
}

function faultOf({ way, step, method, failure }: FailureCase, traceId: string): Fault {
  const hook = way === 'undo' ? 'compensation' : 'step';
  const kill: FaultAction = { kind: 'kill' };
  switch (failure) {
    case 'refused':
      return { traceId, point: `serve ${method}`, action: { kind: 'refuse', reason: REFUSALS[method] ?? 'INVALID_ARGUMENT' }, always: true };
    case 'slow':
      return { traceId, point: `serve ${method}`, action: { kind: 'hang' } };
    case 'answer lost':
      return { traceId, point: `answer ${method}`, action: { kind: 'lose' } };
    case 'order killed before':
      return { traceId, point: `before ${hook} ${step}`, action: kill };
    case 'order killed after':
      return { traceId, point: `after ${hook} ${step}`, action: kill };
    case 'callee killed before':
      return { traceId, point: `serve ${method}`, action: kill };
    case 'callee killed after':
      return { traceId, point: `answer ${method}`, action: kill };
  }
}

/** What each callee would say. */
const REFUSALS: Readonly<Record<string, 'OUT_OF_STOCK' | 'CARD_DECLINED' | 'CARRIER_REFUSED' | 'RESERVATION_EXPIRED' | 'SHIPMENT_HANDED_OVER' | 'REFUND_FAILED' | 'RESERVATION_COMMITTED' | 'RESERVATION_NOT_COMMITTED'>> = {
  Reserve: 'OUT_OF_STOCK',
  Charge: 'CARD_DECLINED',
  ScheduleShipment: 'CARRIER_REFUSED',
  Commit: 'RESERVATION_EXPIRED',
  CancelShipment: 'SHIPMENT_HANDED_OVER',
  Refund: 'REFUND_FAILED',
  Release: 'RESERVATION_COMMITTED',
  Restock: 'RESERVATION_NOT_COMMITTED',
};

/** Waits until the saga is parked at the step that fails, and retries it as an operator would once the cause is mended. */
async function retryStuck(shop: FaultyShop, orderId: string, { step }: FailureCase, mend: () => void): Promise<void> {
  const stuck = await until('the saga is parked', WITHIN_MS, async () => (await shop.sagas.listSagas({ orderId, state: SagaState.STUCK })).sagas[0]);
  expect(stuck.steps.find(({ state }) => state === SagaStepState.CURRENT)?.name).to.equal(step);
  mend();
  await shop.sagas.retrySaga({ sagaId: stuck.sagaId, who: 'test', why: 'mended' });
}

/** The order, once nothing more happens to it: for one that is cancelled, the confirmed state before does not count. */
async function settled(shop: FaultyShop, orderId: string, { way, refused, failure }: FailureCase): Promise<Order | undefined> {
  const { order } = await shop.orders.getOrder({ orderId });
  if (!order || order.state === OrderState.PENDING || order.state === OrderState.CANCELLING) return undefined;
  if (way !== 'cancel' || order.state !== OrderState.CONFIRMED) return order;
  if (failure === 'refused' && refused === 'CONFIRMED') return order;
  // The request died before it was written down: it comes again, as its sender would send it.
  await shop.orders.cancelOrder({ orderId }).catch(() => undefined);
  return undefined;
}

async function expectWhole(shop: FaultyShop, orderId: string, productId: string, { ending, failure, way, method }: FailureCase): Promise<void> {
  const state = ending.split(' ').at(-1);
  const { order } = await shop.orders.getOrder({ orderId });
  expect(order && OrderState[order.state]).to.equal(state);
  const { captures, net } = await moneyOf(shop, orderId);
  const neverCharged = failure === 'refused' && way === 'place' && (method === 'Reserve' || method === 'Charge');
  expect(captures, 'captures').to.equal(neverCharged ? 0 : 1);
  const { shipments } = await shop.shipping.listShipments({ orderId });
  const shipped = shipments.map((shipment) => shipment.state);
  const booked = (await readCarrierBook(shop.database('shipping'), { orderId })).map((entry) => entry.state);
  if (state === 'CONFIRMED') {
    expect(net).to.equal(2500n);
    expect(await stockOf(shop, productId)).to.deep.equal([8n, 0n, 2n]);
    expect(shipped).to.deep.equal([ShipmentState.SCHEDULED]);
    expect(booked).to.deep.equal(['BOOKED']);
    return;
  }
  expect(net).to.equal(0n);
  expect(await stockOf(shop, productId)).to.deep.equal([10n, 0n, 0n]);
  expect(shipped.filter((entry) => entry !== ShipmentState.CANCELLED && entry !== ShipmentState.REFUSED)).to.deep.equal([]);
  expect(booked.filter((entry) => entry === 'BOOKED')).to.deep.equal([]);
  const reason = way === 'cancel' ? 'CANCELLED_BY_CALLER' : way === 'undo' ? 'RESERVATION_EXPIRED' : failure === 'refused' ? REFUSALS[method] : '';
  expect(order?.reason).to.equal(reason);
}
