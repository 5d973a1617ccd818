import { expect } from 'chai';

import { systemClock, systemRandom } from '#kit';
import type { EndedSaga } from '#saga';

import { finishOrders, type Verdict } from '../../services/order/finishing.ts';
import { captureLog, type LogLine } from '../tracing/captured-log.ts';
import { type OrdersFixture, startOrders } from './order-fixture.ts';

describe('the end of an order\'s saga', () => {
  let orders: OrdersFixture;
  before(async () => void (orders = await startOrders()));
  after(() => orders?.stop());

  /** Ends the sagas that were to confirm these orders, all in one transaction. */
  async function confirm(...orderIds: string[]): Promise<readonly LogLine[]> {
    const { log, lines } = captureLog();
    const ended = orderIds.map((orderId): EndedSaga<{ orderId: string }> => ({
      sagaId: `saga of ${orderId}`,
      state: { orderId },
      outcome: { kind: 'completed' },
      traceparent: undefined,
    }));
    const judge = ({ state }: (typeof ended)[number]): Verdict => ({ ...state, from: 'PENDING', to: 'CONFIRMED', reason: '', event: 'confirmed' });
    await orders.database.transaction('test.finish', (tx) => finishOrders(tx, { clock: systemClock, random: systemRandom, log }, ended, judge));
    return lines;
  }

  const announced = async (orderId: string): Promise<number> => (await orders.run('SELECT FROM outbox WHERE key = $1', orderId)).length;

  it('moves the order and announces it', async () => {
    const orderId = await orders.orderThatIs('PENDING');
    expect(await confirm(orderId)).to.deep.equal([]);
    expect([await orders.stateOf(orderId), await announced(orderId)]).to.deep.equal(['CONFIRMED', 1]);
  });

  it('says so when the order is not where it was left, and leaves it there, unannounced; the others end as they should', async () => {
    const [moved, other] = [await orders.orderThatIs('CANCELLED'), await orders.orderThatIs('PENDING')];
    const lines = await confirm(moved, other);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'error', orderId: moved, sagaId: `saga of ${moved}`, from: 'PENDING', to: 'CONFIRMED' });
    expect([await orders.stateOf(moved), await announced(moved)]).to.deep.equal(['CANCELLED', 0]);
    expect([await orders.stateOf(other), await announced(other)]).to.deep.equal(['CONFIRMED', 1]);
  });
});
