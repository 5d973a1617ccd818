import { expect } from 'chai';

import { fromProtoMoney } from '#kit';
import { type Order, OrderState } from '#proto/shop/order/v1/order_pb.js';
import { SagaState } from '#proto/shop/order/v1/saga_pb.js';
import { ShipmentState } from '#proto/shop/shipping/v1/shipping_pb.js';

import { ask, get, orderIdOf, productIdOf, type RealShop, watch } from './real-shop.ts';
import { type Change, NO_SHIPMENT, type OrderView, type Piles, type ShopModel } from './shop-model.ts';

type Money = NonNullable<Order['total']>;

const inCents = (money: Money | undefined): number => (money ? Number(fromProtoMoney(money).minor) : 0);

/** What the services, the card company's ledger and shipping say of an order. */
export async function viewOf(real: RealShop, number: number): Promise<OrderView> {
  const orderId = orderIdOf(real, number);
  const { shop, productIds } = real;
  const [{ order }, { shipments }, ledger] = await Promise.all([
    get(real, () => shop.orders.getOrder({ orderId })),
    get(real, () => shop.shipping.listShipments({ orderId })),
    get(real, () => shop.ledger(orderId)),
  ]);
  if (!order) expect.fail('GetOrder answered without an order');
  const amounts = (wanted: string): number[] => ledger.filter(({ kind }) => kind === wanted).map(({ amountMinor }) => Number(amountMinor));
  if (order.state === OrderState.CONFIRMED) expect(order.trackingNumber, 'tracking number').to.equal(shipments[0]?.trackingNumber);
  return {
    state: OrderState[order.state],
    reason: order.reason,
    lines: order.lines.map(({ productId, quantity, unitPrice }) => ({ product: productIds.indexOf(productId), quantity, unitMinor: inCents(unitPrice) })),
    totalMinor: inCents(order.total),
    captures: amounts('capture'),
    refunds: amounts('refund'),
    shipment: shipments.map(({ state }) => ShipmentState[state]).join(', ') || NO_SHIPMENT,
  };
}

/** What inventory says of a product. */
export async function pilesOf(real: RealShop, product: number): Promise<Piles | undefined> {
  const { reason, value } = await ask(real, () => real.shop.inventory.getStock({ productId: productIdOf(real, product) }));
  expect(['', 'STOCK_NOT_SET'], 'refusal of GetStock').to.include(reason);
  const stock = value?.stock;
  return stock && { available: Number(stock.available), reserved: Number(stock.reserved), sold: Number(stock.sold), received: Number(stock.received) };
}

/** Fails where shop and model differ: in the stock of any product, or in one of these orders. */
export async function expectAgreement(model: ShopModel, real: RealShop, orders: readonly number[]): Promise<void> {
  const [stocks, views] = await Promise.all([
    Promise.all(model.products.map((_, product) => pilesOf(real, product))),
    Promise.all(orders.map((number) => viewOf(real, number))),
  ]);
  const differences = [
    ...model.products.flatMap(({ stock }, product) => differencesOf(`p${product}`, { ...stocks[product] }, { ...stock })),
    ...orders.flatMap((number, index) => differencesOf(`order ${number}`, { ...views[index] }, { ...modelView(model, number) })),
  ];
  if (differences.length > 0) expect.fail(differences.join('\n'));
}

/** A sentence for each field that differs: a history that fails is read as text. */
function differencesOf(what: string, seen: Readonly<Record<string, unknown>>, known: Readonly<Record<string, unknown>>): string[] {
  const fields = new Set([...Object.keys(seen), ...Object.keys(known)]);
  return [...fields].flatMap((field) => {
    const [is, shouldBe] = [seen[field], known[field]].map((value) => JSON.stringify(value) ?? 'not there');
    return is === shouldBe ? [] : [`${field} of ${what}: ${is} in the shop, ${shouldBe} in the model`];
  });
}

/** Fails unless all of a history has come to its end as the model says, and its sums agree. */
export async function expectWhole(model: ShopModel, real: RealShop): Promise<void> {
  const numbers = model.orders.map((_, number) => number);
  await expectAgreement(model, real, numbers);
  await Promise.all(numbers.map((number) => expectAtRest(model, real, number)));
  const { orders } = await get(real, () => real.shop.orders.listOrders({ userId: real.userId, pageSize: 200 }));
  expect(orders.map(({ orderId }) => orderId), 'orders of the buyer').to.have.members(real.orderIds);
  expectSums(model);
}

async function expectAtRest(model: ShopModel, real: RealShop, number: number): Promise<void> {
  const orderId = orderIdOf(real, number);
  expect(await watch(real, orderId, 0), `changes of order ${number}`).to.deep.equal(model.order(number).changes);
  const { sagas } = await get(real, () => real.shop.sagas.listSagas({ orderId }));
  const open = sagas.filter(({ state }) => state !== SagaState.COMPLETED && state !== SagaState.FAILED);
  expect(open.map(({ definition, state }) => [definition, SagaState[state]]), `sagas of order ${number} that are not over`).to.deep.equal([]);
}

/** The shop has been found to be as the model says: so these are sums of the shop's. */
function expectSums({ products, orders }: ShopModel): void {
  const confirmed = orders.filter(({ state }) => state === 'CONFIRMED');
  const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
  const kept = sum(orders.flatMap(({ captures }) => captures)) - sum(orders.flatMap(({ refunds }) => refunds));
  expect(kept, 'captured less refunded').to.equal(sum(confirmed.map(({ totalMinor }) => totalMinor)));
  products.forEach(({ stock }, number) => {
    if (!stock) return;
    const lines = confirmed.flatMap((order) => order.lines).filter(({ product }) => product === number);
    expect(stock, `stock of p${number}`).to.include({ reserved: 0, sold: sum(lines.map(({ quantity }) => quantity)) });
    expect(stock.available + stock.reserved + stock.sold, `received of p${number}`).to.equal(stock.received);
  });
}

function modelView(model: ShopModel, number: number): OrderView {
  const { state, reason, lines, totalMinor, captures, refunds, shipment } = model.order(number);
  return { state, reason, lines, totalMinor, captures, refunds, shipment };
}

/** The changes of an order whose cancellation was refused once or more, since its parcel was handed over. */
export function areRefusedCancellations(changes: readonly Change[]): boolean {
  const words = changes.map(([state, reason]) => `${state} ${reason}`.trim()).join(', ');
  return /^(CANCELLING, CONFIRMED SHIPMENT_HANDED_OVER(, |$))+$/.test(words);
}
