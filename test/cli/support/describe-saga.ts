import { expect } from 'chai';

import { ADDRESS, finalOrder, moneyOf, newProduct, newUser, place, requestFor, stockOf, until } from '../../shop/orders.ts';
import { expectBooksAgree } from '../../shop/books-agree.ts';
import type { Shop } from '../../shop/shop-fixture.ts';
import { meshHere } from './in-process.ts';
import type { Finished } from './mesh-command.ts';
import { inherited } from './shop-folder.ts';
import { OrderState } from '#proto/shop/order/v1/order_pb.js';

/** What `mesh saga` shows and does, beside a shop that has had no order yet. */
export function describeSaga(shopOf: () => Shop): void {
  describe('mesh saga', function () {
    this.timeout(90_000);
    this.slow(30_000);
    let shop: Shop;
    let productId: string;
    /** An order whose refund is refused nine times: after the eighth its saga is parked. */
    let stuckOrder: string;
    before(async () => {
      shop = shopOf();
      productId = await newProduct(shop, 10n);
      const request = requestFor(await newUser(shop), productId, { paymentMethod: 'pm_card_refundRefused_9' });
      ({ orderId: stuckOrder } = await place(shop, { ...request, shippingAddress: { ...ADDRESS, postalCode: 'SIM-REFUSE' } }));
      await until('the saga is parked', 60_000, async () => (await here('list', '--state', 'stuck')).stdout.includes(stuckOrder) || undefined);
    });

    const here = (...args: string[]): Promise<Finished> => meshHere(['saga', ...args], { ...inherited(), ...shop.environment });

    it('lists what needs a hand, and only that', async () => {
      await place(shop, requestFor(await newUser(shop), productId));
      const { exitCode, stdout } = await here('list', '--state', 'stuck');
      expect(exitCode).to.equal(0);
      expect(stdout.trim().split('\n')).to.have.length(2);
      expect(stdout).to.match(new RegExp(`${stuckOrder} +place-order +stuck +charge +8 +\\S+ +PAYMENT_REJECTED`));
      const { stdout: json } = await here('list', '--json');
      expect(JSON.parse(json)).to.have.property('sagas').with.length(2);
    });

    it('shows where a saga stands, why, and what to do', async () => {
      const { stdout } = await here('show', stuckOrder);
      const ways = ['retry', 'resolve', 'skip'].map((hand) => `npx mesh saga ${hand} ${stuckOrder}`);
      for (const part of ['stuck, after 8 failed tries', 'CARRIER_REFUSED', 'PAYMENT_REJECTED', 'stands here', 'npx mesh trace', ...ways]) {
        expect(stdout).to.include(part);
      }
    });

    it('shows what a saga has done: tries, times and errors', async () => {
      const { stdout } = await here('show', stuckOrder);
      const time = String.raw`\S+Z +\d+ ms`;
      for (const row of [`reserve +1 +done +${time}`, `schedule shipment +1 +failed +${time} +CARRIER_REFUSED: `, `undo charge +8 +stuck +${time} +PAYMENT_REJECTED: `]) {
        expect(stdout).to.match(new RegExp(`^  ${row}`, 'm'));
      }
      const { stdout: json } = await here('show', stuckOrder, '--json');
      const { history } = JSON.parse(json) as { history: { traceId: string }[] };
      for (const { traceId } of history) expect(traceId).to.match(/^[0-9a-f]{32}$/);
    });

    it('asks why before it lets a saga go on', async () => {
      expect(await here('retry', stuckOrder)).to.include({ exitCode: 2 });
      for (const hand of ['resolve', 'skip']) {
        expect((await here(hand, stuckOrder, '--why', 'by hand')).stderr).to.include('--step');
        expect((await here(hand, stuckOrder, '--why', 'by hand', '--step', 'reserve')).stderr).to.include('STUCK at charge');
      }
    });

    it('lets a stuck saga go on, and keeps who wanted that and why', async () => {
      const { exitCode, stdout } = await here('retry', stuckOrder, '--why', 'the bank\u001b[2J is \u202eback', '--by', 'ada\u009b31m');
      expect(exitCode).to.equal(0);
      expect(stdout, 'without what would move the cursor').to.include('ada·31m retried "charge": the bank·[2J is ·back');
      expect(await finalOrder(shop, stuckOrder, 30_000)).to.deep.include({ state: OrderState.FAILED, reason: 'CARRIER_REFUSED' });
      expect((await moneyOf(shop, stuckOrder)).net).to.equal(0n);
      expect((await stockOf(shop, productId))[1]).to.equal(0n);
      expect((await here('show', stuckOrder)).stdout).to.include('ada·31m retried');
    });

    it('refuses a hand that is not needed, and a saga that nobody knows', async () => {
      for (const hand of ['resolve', 'skip']) expect((await here(hand, stuckOrder, '--step', 'charge', '--why', 'again')).stderr).to.include('SAGA_NOT_STUCK');
      expect((await here('show', 'nobody-knows')).stderr).to.include('SAGA_NOT_FOUND');
    });

    for (const limit of ['0', '201', '1e1', '0x10', '-1', ' 5', 'many']) {
      it(`takes --limit ${limit} for a misuse`, async () => {
        const { exitCode, stderr } = await here('list', `--limit=${limit}`);
        expect(exitCode).to.equal(2);
        expect(stderr).to.include('It is a number from 1 to 200.');
      });
    }

    it('lists no more than it is told to', async () => {
      const { stdout } = await here('list', '--limit', '1');
      expect(stdout).to.match(/\nthere are more; see --limit\n$/);
      expect(stdout.trim().split('\n')).to.have.length(3);
    });

    it('ends with books that agree', () => expectBooksAgree(shop));
  });
}
