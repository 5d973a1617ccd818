import { expect } from 'chai';

import { type OrdersFixture, startOrders } from './order-fixture.ts';

/** What Postgres said to a statement; '' when it took it. */
function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => '', ({ cause }: Error) => (cause instanceof Error ? cause.message : 'no cause'));
}

describe('the table of orders', () => {
  let orders: OrdersFixture;
  before(async () => void (orders = await startOrders()));
  after(() => orders?.stop());

  const STATES = ['PENDING', 'CONFIRMED', 'FAILED', 'CANCELLING', 'CANCELLED'] as const;
  const MOVES = [
    'PENDING CONFIRMED',
    'PENDING FAILED',
    'PENDING CANCELLED',
    'CONFIRMED CANCELLING',
    'CANCELLING CANCELLED',
    'CANCELLING CONFIRMED',
  ];
  const move = (orderId: string, state: string): Promise<object[]> => orders.run('UPDATE orders SET state = $2 WHERE order_id = $1', orderId, state);

  for (const from of STATES) {
    for (const to of STATES.filter((state) => state !== from)) {
      const isAllowed = MOVES.includes(`${from} ${to}`);
      it(`${isAllowed ? 'lets' : 'lets no program make'} an order that is ${from} ${to}`, async () => {
        const orderId = await orders.orderThatIs(from);
        expect(await refusalOf(move(orderId, to))).to.match(isAllowed ? /^$/ : /no such transition/);
        expect(await orders.stateOf(orderId)).to.equal(isAllowed ? to : from);
      });
    }
  }

  it('takes no order that begins otherwise than PENDING', async () => {
    const insert = `INSERT INTO orders (order_id, user_id, state, total_minor, currency, payment_method, lines, shipping_address)
                    VALUES ('sold', 'buyer', 'CONFIRMED', 1000, 'EUR', 'pm', '[]', '{}')`;
    expect(await refusalOf(orders.run(insert))).to.match(/begins as PENDING/);
  });

  it('keeps what was bought, by whom and for how much', async () => {
    const orderId = await orders.orderThatIs('CONFIRMED');
    for (const change of ['total_minor = total_minor + 1', `currency = 'USD'`, `user_id = 'other'`, `payment_method = 'pm_other'`, `lines = '[]'`]) {
      expect(await refusalOf(orders.run(`UPDATE orders SET ${change} WHERE order_id = $1`, orderId)), change).to.match(/never change/);
    }
  });

  it('would sell a cancelled order without its guard', async () => {
    const orderId = await orders.orderThatIs('CANCELLED');
    await orders.run('ALTER TABLE orders DISABLE TRIGGER order_transition');
    try {
      await move(orderId, 'CONFIRMED');
      expect(await orders.stateOf(orderId)).to.equal('CONFIRMED');
    } finally {
      await orders.run('ALTER TABLE orders ENABLE TRIGGER order_transition');
    }
  });
});
