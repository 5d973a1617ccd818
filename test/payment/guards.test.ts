import { expect } from 'chai';

import { type PaymentsFixture, startPayments } from './payments-fixture.ts';

/** What Postgres said to a statement; '' when it took it. */
function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => '', ({ cause }: Error) => (cause instanceof Error ? cause.message : 'no cause'));
}

describe('the tables of payments', () => {
  let shop: PaymentsFixture;
  let orders = 0;
  before(async () => void (shop = await startPayments()));
  after(() => shop?.stop());

  const STATES = ['PROCESSING', 'COMPLETED', 'FAILED', 'REFUNDED'] as const;
  const PAYMENT_MOVES = ['PROCESSING COMPLETED', 'PROCESSING FAILED', 'COMPLETED REFUNDED'];
  const REFUND_STATES = ['REQUESTED', 'PENDING', 'SUCCEEDED', 'FAILED'] as const;
  const REFUND_MOVES = ['REQUESTED PENDING', 'REQUESTED SUCCEEDED', 'REQUESTED FAILED', 'PENDING SUCCEEDED', 'PENDING FAILED', 'SUCCEEDED FAILED'];

  /** Brings an order's payment to a state on the way that leads there. */
  async function paymentThatIs(state: (typeof STATES)[number]): Promise<string> {
    const orderId = `order-${(orders += 1)}`;
    await shop.run(`INSERT INTO payment (order_id, state, amount_minor, currency, payment_method) VALUES ($1, 'PROCESSING', 1000, 'EUR', 'pm')`, orderId);
    if (state === 'REFUNDED') await move(orderId, 'COMPLETED');
    if (state !== 'PROCESSING') await move(orderId, state);
    return orderId;
  }

  const move = (orderId: string, state: string): Promise<object[]> =>
    shop.run(
      `UPDATE payment SET state = $2, payment_intent_id = coalesce(payment_intent_id, 'pi_1'),
         decline_code = CASE WHEN $2 = 'FAILED' THEN coalesce(decline_code, 'why') ELSE decline_code END WHERE order_id = $1`,
      ...[orderId, state],
    );
  const moveRefund = (refundId: string, state: string): Promise<object[]> =>
    shop.run(`UPDATE refund SET state = $2, failure = CASE WHEN $2 = 'FAILED' THEN 'why' ELSE failure END WHERE refund_id = $1`, refundId, state);
  const open = (refundId: string, orderId: string, minor: number, state = 'REQUESTED'): Promise<object[]> =>
    shop.run(
      `INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time) VALUES ($1, $2, $3, $4, '', now(), now(), now())`,
      ...[refundId, orderId, minor, state],
    );
  const amountsOf = async (orderId: string): Promise<object | undefined> =>
    (await shop.run('SELECT refund_held_minor::int AS held, refunded_minor::int AS given, state FROM payment WHERE order_id = $1', orderId))[0];

  for (const from of STATES) {
    for (const to of STATES.filter((state) => state !== from)) {
      const isAllowed = PAYMENT_MOVES.includes(`${from} ${to}`);
      it(`${isAllowed ? 'let' : 'let no program make'} a payment that is ${from} ${to}`, async () => {
        const orderId = await paymentThatIs(from);
        expect(await refusalOf(move(orderId, to))).to.match(isAllowed ? /^$/ : /no such transition/);
      });
    }
  }

  for (const from of REFUND_STATES) {
    for (const to of REFUND_STATES.filter((state) => state !== from)) {
      const isAllowed = REFUND_MOVES.includes(`${from} ${to}`);
      it(`${isAllowed ? 'let' : 'let no program make'} a refund that is ${from} ${to}`, async () => {
        const orderId = await paymentThatIs('COMPLETED');
        await open(orderId, orderId, 300);
        if (from !== 'REQUESTED') await moveRefund(orderId, from);
        expect(await refusalOf(moveRefund(orderId, to))).to.match(isAllowed ? /^$/ : /no such transition/);
      });
    }
  }

  it('let no payment begin as one that was captured', async () => {
    for (const state of ['COMPLETED', 'REFUNDED']) {
      const born = shop.run(`INSERT INTO payment (order_id, state, amount_minor, currency, payment_method) VALUES ('born', $1, 1000, 'EUR', 'pm')`, state);
      expect(await refusalOf(born)).to.contain('begins as PROCESSING');
    }
  });

  it('let nobody change what was paid, for what, and how', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    const changes = ['amount_minor = 999', "currency = 'USD'", "payment_method = 'other'", "payment_intent_id = 'pi_2'", 'payment_intent_id = NULL', 'create_time = now()'];
    for (const change of changes) {
      expect(await refusalOf(shop.run(`UPDATE payment SET ${change} WHERE order_id = $1`, orderId)), change).to.contain('never change');
    }
  });

  it('let nobody change why it failed, nor what a refund was known by', async () => {
    const orderId = await paymentThatIs('FAILED');
    for (const code of ["'other'", 'NULL']) {
      expect(await refusalOf(shop.run(`UPDATE payment SET decline_code = ${code} WHERE order_id = $1`, orderId))).to.contain('never change');
    }
    const given = await paymentThatIs('COMPLETED');
    await open(given, given, 300);
    await shop.run(`UPDATE refund SET stripe_refund_id = $1, state = 'FAILED', failure = 'why' WHERE refund_id = $1`, given);
    for (const change of ['stripe_refund_id = NULL', "stripe_refund_id = 're_2'", "failure = 'other'", 'create_time = now()']) {
      expect(await refusalOf(shop.run(`UPDATE refund SET ${change} WHERE refund_id = $1`, given)), change).to.contain('never change');
    }
  });

  it('keep payments, and let none be captured under no id, nor fail for no reason', async () => {
    const orderId = await paymentThatIs('PROCESSING');
    expect(await refusalOf(shop.run('DELETE FROM payment WHERE order_id = $1', orderId))).to.contain('payments are kept');
    expect(await refusalOf(shop.run(`UPDATE payment SET state = 'COMPLETED' WHERE order_id = $1`, orderId))).to.contain('payment_captured_under_id');
    expect(await refusalOf(shop.run(`UPDATE payment SET state = 'FAILED' WHERE order_id = $1`, orderId))).to.contain('payment_failed_says_why');
  });

  it('add refunds up: what is asked for is held, what the card company took on is given back, what failed is free again', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`${orderId}-a`, orderId, 300);
    expect(await amountsOf(orderId)).to.deep.equal({ held: 300, given: 0, state: 'COMPLETED' });
    await moveRefund(`${orderId}-a`, 'PENDING');
    expect(await amountsOf(orderId)).to.deep.equal({ held: 300, given: 300, state: 'COMPLETED' });
    await open(`${orderId}-b`, orderId, 700);
    await moveRefund(`${orderId}-b`, 'SUCCEEDED');
    expect(await amountsOf(orderId)).to.deep.equal({ held: 1000, given: 1000, state: 'REFUNDED' });
    await moveRefund(`${orderId}-a`, 'FAILED');
    expect(await amountsOf(orderId), 'a state that is never left').to.deep.equal({ held: 700, given: 700, state: 'REFUNDED' });
  });

  it('let no program give back more than was captured, whichever way it tries', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`${orderId}-a`, orderId, 700);
    expect(await refusalOf(open(`${orderId}-b`, orderId, 301))).to.contain('payment_refund_held');
    expect(await refusalOf(open(`${orderId}-b`, orderId, 301, 'SUCCEEDED'))).to.contain('payment_refund');
    expect(await refusalOf(shop.run('UPDATE refund SET amount_minor = 1001 WHERE refund_id = $1', `${orderId}-a`))).to.contain('payment_refund_held');
    for (const column of ['refund_held_minor', 'refunded_minor']) {
      expect(await refusalOf(shop.run(`UPDATE payment SET ${column} = 1 WHERE order_id = $1`, orderId))).to.contain('only refunds change');
    }
    expect(await refusalOf(shop.run('DELETE FROM refund WHERE refund_id = $1', `${orderId}-a`))).to.contain('refunds are kept');
    expect(await refusalOf(open(`${orderId}-c`, orderId, 100, 'FAILED'))).to.contain('does not begin as FAILED');
  });

  it('let nothing be given back of what was never captured', async () => {
    for (const state of ['PROCESSING', 'FAILED'] as const) {
      const orderId = await paymentThatIs(state);
      expect(await refusalOf(open(orderId, orderId, 1))).to.contain('payment_refund_of_captured');
    }
    expect(await refusalOf(open('nobody', 'nobody', 1))).to.contain('foreign key');
  });

  it('would let all of that happen without their guards', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`${orderId}-a`, orderId, 700);
    // As an operator may, who knows what he does: past every trigger.
    const unguarded = (text: string, ...values: unknown[]): Promise<object[]> =>
      shop.run(`WITH off AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', true) AS role) ${text}`, ...values);
    await unguarded(
      `INSERT INTO refund (refund_id, order_id, amount_minor, state, reason, ask_time, create_time, update_time)
       SELECT $1, $2, 700, 'SUCCEEDED', role, now(), now(), now() FROM off`,
      ...[`${orderId}-b`, orderId],
    );
    await unguarded(`UPDATE payment SET state = 'REFUNDED' FROM off WHERE order_id = $1 AND role <> ''`, orderId);
    await unguarded(`UPDATE payment SET state = 'COMPLETED' FROM off WHERE order_id = $1 AND role <> ''`, orderId);
    expect((await shop.refundsOf(orderId)).map(([, , minor]) => minor), 'more than was captured').to.deep.equal([700n, 700n]);
    expect(await amountsOf(orderId)).to.deep.equal({ held: 700, given: 0, state: 'COMPLETED' });
  });

  it('write the refund of a program that knows of none yet, in a deploy', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`${orderId}-a`, orderId, 300, 'SUCCEEDED');
    await move(orderId, 'REFUNDED');
    expect(await amountsOf(orderId)).to.deep.equal({ held: 1000, given: 1000, state: 'REFUNDED' });
    expect(await shop.refundsOf(orderId)).to.have.deep.members([[`${orderId}-a`, 'SUCCEEDED', 300n], [`whole.${orderId}`, 'SUCCEEDED', 700n]]);
  });

  it('take it for the one of all that is left which was asked for', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`whole.${orderId}`, orderId, 1_000);
    await move(orderId, 'REFUNDED');
    expect(await shop.refundsOf(orderId)).to.deep.equal([[`whole.${orderId}`, 'SUCCEEDED', 1_000n]]);
  });

  it('let no such program say REFUNDED while a part is only asked for', async () => {
    const orderId = await paymentThatIs('COMPLETED');
    await open(`${orderId}-a`, orderId, 300);
    expect(await refusalOf(move(orderId, 'REFUNDED'))).to.contain('not all of it has gone back');
    expect(await amountsOf(orderId)).to.deep.equal({ held: 300, given: 0, state: 'COMPLETED' });
  });
});
