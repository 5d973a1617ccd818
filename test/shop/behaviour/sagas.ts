import { randomUUID } from 'node:crypto';

import { expect } from 'chai';

import { SagaState, SagaStepResult, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';

import { newProduct, newUser, place, refusalOf, requestFor } from '../orders.ts';
import type { Shop } from '../shop-fixture.ts';

const BY = { who: 'ada', why: 'ticket 42' };

/** What SagaService promises to operators. */
export function describeSagas(shopOf: () => Shop): void {
  describe('the saga of an order', () => {
    it('is found by the order, with its steps and the trace it began in', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      await shop.orders.cancelOrder({ orderId });
      const { sagas } = await shop.sagas.listSagas({ orderId });
      expect(sagas.map(({ definition, state }) => [definition, state])).to.deep.equal([
        ['cancel-order', SagaState.COMPLETED],
        ['place-order', SagaState.COMPLETED],
      ]);
      const { saga } = await shop.sagas.getSaga({ sagaId: orderId });
      expect(saga?.steps.map(({ name, state }) => [name, state])).to.deep.equal(
        ['reserve', 'charge', 'schedule shipment', 'confirm'].map((name) => [name, SagaStepState.DONE]),
      );
      expect(saga?.traceId).to.match(/^[0-9a-f]{32}$/);
      expect(saga).to.deep.include({ version: 1, versionUnknown: false });
    });

    it('tells what was done, both ways, with tries and traces', async () => {
      const shop = shopOf();
      const request = requestFor(await newUser(shop), await newProduct(shop, 10n), { paymentMethod: 'pm_card_chargeDeclined' });
      const { orderId } = await place(shop, request);
      const { saga } = await shop.sagas.getSaga({ sagaId: orderId });
      expect(saga?.history.map(({ step, compensation, result, error }) => [step, compensation, result, error?.reason])).to.deep.equal([
        ['reserve', false, SagaStepResult.DONE, undefined],
        ['charge', false, SagaStepResult.FAILED, 'CARD_DECLINED'],
        ['charge', true, SagaStepResult.DONE, undefined],
        ['reserve', true, SagaStepResult.DONE, undefined],
      ]);
      for (const { attempts, traceId } of saga?.history ?? []) expect([attempts, traceId]).to.deep.equal([1, saga?.traceId]);
    });

    it('says which steps were undone, and why', async () => {
      const shop = shopOf();
      const request = requestFor(await newUser(shop), await newProduct(shop, 10n), { paymentMethod: 'pm_card_chargeDeclined' });
      const { orderId } = await place(shop, request);
      const { saga } = await shop.sagas.getSaga({ sagaId: orderId });
      expect(saga).to.deep.include({ state: SagaState.FAILED });
      expect(saga?.failure?.reason).to.equal('CARD_DECLINED');
      expect(saga?.steps.map(({ state }) => state)).to.deep.equal([SagaStepState.UNDONE, SagaStepState.UNDONE, SagaStepState.WAITING, SagaStepState.WAITING]);
    });

    it('that is not stuck needs no hand, and one that nobody knows gets none', async () => {
      const shop = shopOf();
      const { orderId } = await place(shop, requestFor(await newUser(shop), await newProduct(shop, 10n)));
      type By = typeof BY & { sagaId: string };
      for (const act of [
        shop.sagas.retrySaga,
        (by: By) => shop.sagas.resolveSaga({ ...by, step: 'charge' }),
        (by: By) => shop.sagas.skipSaga({ ...by, step: 'charge' }),
      ]) {
        expect(await refusalOf(act({ sagaId: orderId, ...BY }))).to.deep.include({ code: 'FAILED_PRECONDITION', reason: 'SAGA_NOT_STUCK' });
        expect(await refusalOf(act({ sagaId: `no-${randomUUID()}`, ...BY }))).to.deep.include({ code: 'NOT_FOUND', reason: 'SAGA_NOT_FOUND' });
        expect((await refusalOf(act({ sagaId: orderId, who: 'ada', why: '' }))).violations.map(({ field }) => field)).to.deep.equal(['why']);
      }
    });
  });
}
