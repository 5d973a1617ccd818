import { expect } from 'chai';

import { MeshError } from '#kit';

import { expectRefusal } from '../../database/expect-refusal.ts';
import type { Transport } from '../support/fleet.ts';
import { allOf, readable } from '../support/outcome.ts';
import { useTracePropagation } from '../support/telemetry.ts';
import { type GuardedShop, type GuardedShopOptions, startGuardedShop } from './access-fixture.ts';
import { as, createPeople, type People } from './people.ts';

const EUR_1 = { currencyCode: 'EUR', units: 1n };
const CHARGE = { orderId: 'order-of-ada', amount: EUR_1, paymentMethod: 'pm_card_visa' };
const TRANSPORTS: readonly Transport[] = ['local', 'fidelity', 'remote', 'mtls'];

describe('authorization by the contract', () => {
  useTracePropagation();
  let people: People;
  before(async () => {
    people = await createPeople();
  });

  for (const transport of TRANSPORTS) {
    describe(`of ${transport} calls`, () => describeAuthorization((options) => startGuardedShop({ people, transport, ...options }), () => people));
  }
});

type Start = (options?: Partial<GuardedShopOptions>) => Promise<GuardedShop>;

function describeAuthorization(start: Start, peopleOf: () => People): void {
  let shop: GuardedShop;
  let ada: string;
  let staff: string;
  beforeEach(async () => {
    shop = await start();
    ada = await peopleOf().token('ada');
    staff = await peopleOf().token('sam', 'staff');
  });
  afterEach(() => shop.stop());

  /** The same shop, which enforces nothing. */
  async function withoutGuard(work: (open: GuardedShop) => Promise<unknown>): Promise<void> {
    await shop.stop();
    shop = await start({ enforce: false });
    await work(shop);
  }

  it('lets everybody call what is public', async () => {
    await shop.products.getProduct({ productId: 'beans' });
    await shop.products.getProduct({ productId: 'beans' }, as(ada));
  });

  it('refuses a bad token also where none is needed, and repeats nothing of it', async () => {
    const forged = await peopleOf().forged('ada', 'staff');
    for (const headers of [as(forged).headers, as('x').headers, { authorization: forged }, { authorization: 'Basic YWRhOmFkYQ==' }, { authorization: '' }]) {
      const { code, message } = await expectRefusal('ACCESS_TOKEN_REFUSED', shop.products.getProduct({ productId: 'beans' }, { headers }));
      expect(code).to.equal('UNAUTHENTICATED');
      expect(message).not.to.include(forged);
    }
  });

  it('takes the name of the scheme in any case', async () => {
    await shop.orders.listOrders({ userId: 'ada' }, { headers: { authorization: `bEaReR ${ada}` } });
    expect(shop.done).to.deep.equal(['list of ada']);
  });

  it('refuses a call without a token, says how to get one, and does nothing', async () => {
    const { code, message, metadata } = await expectRefusal('SIGN_IN_REQUIRED', shop.orders.placeOrder({ userId: 'ada' }));
    expect(code).to.equal('UNAUTHENTICATED');
    expect(message).to.include('user.SignIn').and.to.include('Bearer');
    expect(metadata).to.deep.equal({ method: 'shop.order.v1.OrderService/PlaceOrder', rule: 'owner (user_id)' });
    expect(shop.done).to.deep.equal([]);
  });

  it('does not believe a header that says who calls', async () => {
    const headers = { 'x-user-id': 'ada', 'user-id': 'ada', 'mesh-peer': 'order', 'x-forwarded-client-cert': 'URI=spiffe://a.consul/ns/default/dc/dc1/svc/order' };
    await expectRefusal('SIGN_IN_REQUIRED', shop.orders.listOrders({ userId: 'ada' }, { headers }));
    await expectRefusal('SERVICES_ONLY', shop.payments.charge(CHARGE, { headers }));
  });

  it('lets a user name only itself where the request says whose it is', async () => {
    await shop.orders.listOrders({ userId: 'ada' }, as(ada));
    const { code, metadata, message } = await expectRefusal('NOT_THE_OWNER', shop.orders.listOrders({ userId: 'bo' }, as(ada)));
    expect(code).to.equal('PERMISSION_DENIED');
    expect(JSON.stringify([metadata, message])).not.to.match(/\bbo\b|\bada\b/);
    await expectRefusal('NOT_THE_OWNER', shop.orders.listOrders({ userId: '' }, as(ada)));
    await shop.orders.listOrders({ userId: 'bo' }, as(staff));
    expect(shop.done).to.deep.equal(['list of ada', 'list of bo']);
    await withoutGuard(async (open) => {
      await open.orders.listOrders({ userId: 'bo' }, as(ada));
      expect(open.done).to.deep.equal(['list of bo']);
    });
  });

  it('says of another\'s the same as of what there is not', async () => {
    expect((await shop.orders.getOrder({ orderId: 'order-of-ada' }, as(ada))).order?.userId).to.equal('ada');
    const others = await expectRefusal('ORDER_NOT_FOUND', shop.orders.getOrder({ orderId: 'order-of-bo' }, as(ada)));
    const nobodys = await expectRefusal('ORDER_NOT_FOUND', shop.orders.getOrder({ orderId: 'order-of-nobody' }, as(ada)));
    expect([readable(others), others.message]).to.deep.equal([readable(nobodys), nobodys.message]);
    await withoutGuard(async (open) => {
      expect((await open.orders.getOrder({ orderId: 'order-of-bo' }, as(ada))).order?.userId).to.equal('bo');
    });
  });

  it('leaves it to the handler where only that can find the owner out', async () => {
    await shop.orders.cancelOrder({ orderId: 'order-of-ada' }, as(ada));
    const others = await expectRefusal('ORDER_NOT_FOUND', shop.orders.cancelOrder({ orderId: 'order-of-bo' }, as(ada)));
    expect(others.message).to.equal('there is no order order-of-bo');
    await shop.orders.cancelOrder({ orderId: 'order-of-bo' }, as(staff));
    expect(shop.done).to.deep.equal(['cancel order-of-ada', 'cancel order-of-bo']);
    await withoutGuard(async (open) => {
      await open.orders.cancelOrder({ orderId: 'order-of-bo' }, as(ada));
      expect(open.done).to.deep.equal(['cancel order-of-bo']);
    });
  });

  it('sends nothing of a stream that belongs to somebody else', async () => {
    expect(await allOf(shop.orders.watchOrder({ orderId: 'order-of-ada' }, as(ada)))).to.have.length(2);
    await expectRefusal('ORDER_NOT_FOUND', allOf(shop.orders.watchOrder({ orderId: 'order-of-bo' }, as(ada))));
    await expectRefusal('SIGN_IN_REQUIRED', allOf(shop.orders.watchOrder({ orderId: 'order-of-ada' })));
    await withoutGuard(async (open) => {
      expect(await allOf(open.orders.watchOrder({ orderId: 'order-of-bo' }, as(ada)))).to.have.length(2);
    });
  });

  it('keeps back the answer of a handler that has not asked whose it is', async () => {
    await shop.stop();
    shop = await start({ withoutAsking: true });
    const { code, metadata } = await expectRefusal('OWNER_UNCHECKED', shop.orders.cancelOrder({ orderId: 'order-of-ada' }, as(ada)));
    expect({ code, metadata }).to.deep.equal({ code: 'INTERNAL', metadata: { method: 'shop.order.v1.OrderService/CancelOrder' } });
    const seen: unknown[] = [];
    await expectRefusal('OWNER_UNCHECKED', (async () => {
      for await (const change of shop.orders.watchOrder({ orderId: 'order-of-ada' }, as(ada))) seen.push(change);
    })());
    expect(seen).to.deep.equal([]);
    // Whoever needs to be no owner is asked nothing.
    await shop.orders.cancelOrder({ orderId: 'order-of-ada' }, as(staff));
  });

  it('asks for a role where the contract names one', async () => {
    const part = { orderId: 'order-of-ada', refundId: 'r', amount: EUR_1 };
    await shop.payments.refundPart(part, as(staff));
    const { code, metadata } = await expectRefusal('ROLE_REQUIRED', shop.payments.refundPart(part, as(ada)));
    expect({ code, rule: metadata['rule'] }).to.deep.equal({ code: 'PERMISSION_DENIED', rule: 'role staff' });
    await expectRefusal('SIGN_IN_REQUIRED', shop.payments.refundPart(part));
    await withoutGuard((open) => open.payments.refundPart(part, as(ada)));
  });

  it('has a service ask the next one with the token of its caller', async () => {
    await shop.payments.getPayment({ orderId: 'order-of-ada' }, as(ada));
    expect(shop.seen.get('getOrder')).to.equal(`Bearer ${ada}`);
    const others = await expectRefusal('PAYMENT_NOT_FOUND', shop.payments.getPayment({ orderId: 'order-of-bo' }, as(ada)));
    const nobodys = await expectRefusal('PAYMENT_NOT_FOUND', shop.payments.getPayment({ orderId: 'order-of-nobody' }, as(ada)));
    expect(others.message.replace('order-of-bo', '')).to.equal(nobodys.message.replace('order-of-nobody', ''));
    await shop.payments.getPayment({ orderId: 'order-of-bo' }, as(staff));
    await withoutGuard((open) => open.payments.getPayment({ orderId: 'order-of-bo' }, as(ada)));
  });

  it('refuses what cannot be read as such, and not as somebody else\'s', async () => {
    const tooMuch = { userId: 'ada', pageSize: 1_000_000 };
    expect(MeshError.from(await shop.orders.listOrders(tooMuch, as(ada)).catch((thrown: unknown) => thrown)).reason).to.equal('INVALID_ARGUMENT');
    await expectRefusal('NOT_THE_OWNER', shop.orders.listOrders({ ...tooMuch, userId: 'bo' }, as(ada)));
  });

  it('shows on the span, and in the audit log, who was refused what, and no token anywhere', async () => {
    await expectRefusal('NOT_THE_OWNER', shop.orders.listOrders({ userId: 'bo' }, as(ada)));
    await expectRefusal('ORDER_NOT_FOUND', shop.orders.getOrder({ orderId: 'order-of-bo' }, as(ada)));
    await shop.payments.getPayment({ orderId: 'order-of-ada' }, as(ada));
    const denied = shop.fleet.telemetry.spans().flatMap(({ events }) => events.filter(({ name }) => name === 'mesh.denied'));
    expect(denied.map(({ attributes }) => [attributes?.['mesh.denied.method'], attributes?.['mesh.denied.reason']])).to.deep.equal([
      ['shop.order.v1.OrderService/ListOrders', 'NOT_THE_OWNER'],
      ['shop.order.v1.OrderService/GetOrder', 'NOT_THE_OWNER'],
    ]);
    expect(shop.audit.map(({ name, method, user }) => ({ name, method, user }))).to.deep.equal([
      { name: 'audit', method: 'shop.order.v1.OrderService/ListOrders', user: 'ada' },
      { name: 'audit', method: 'shop.order.v1.OrderService/GetOrder', user: 'ada' },
    ]);
    const written = JSON.stringify([shop.audit, shop.fleet.log, shop.fleet.telemetry.spans().map(({ attributes, events, status }) => [attributes, events, status])]);
    expect(written).not.to.include(ada.slice(0, 40)).and.not.to.match(/bearer/i);
    expect(written).not.to.match(/"bo"|order-of-bo/);
  });
}
