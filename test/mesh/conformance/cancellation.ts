import { expect } from 'chai';

import { MeshError } from '#kit';
import { type ClientInterceptor } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { failureOf, forever } from '../support/outcome.ts';

/** A caller that goes away takes with it whatever was begun for it. */
export function cancellation(transport: Transport): void {
  describe('a caller that goes away', () => {
    const fleet = useFleet(transport);

    it('ends the whole tree of calls below it', async () => {
      const signals: AbortSignal[] = [];
      const waitFor = (call: { signal: AbortSignal }): Promise<never> => {
        signals.push(call.signal);
        return forever();
      };
      await fleet().host(UserService, () => ({ getUser: (_request, call) => waitFor(call) }));
      const nested: MeshError[] = [];
      await fleet().host(InventoryService, (stubs) => ({
        async getStock(_request, { signal }) {
          signals.push(signal);
          nested.push(await failureOf(stubs(UserService).getUser({ userId: 'demo' })));
          return {};
        },
      }));
      await fleet().host(OrderService, (stubs) => ({
        async getOrder(_request, { signal }) {
          signals.push(signal);
          nested.push(await failureOf(stubs(InventoryService).getStock({ productId: 'beans' })));
          return {};
        },
      }));
      const caller = new AbortController();
      const answer = failureOf(fleet().client(OrderService).getOrder({ orderId: 'o-1' }, { signal: caller.signal }));
      await until('the last service is called', () => signals.length === 3);
      caller.abort();
      expect(await answer).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
      await until('every handler knows', () => signals.every(({ aborted }) => aborted) && nested.length === 2);
      expect(nested.map(({ code }) => code)).to.deep.equal(['CANCELLED', 'CANCELLED']);
      for (const { reason } of signals) expect(reason).to.be.instanceOf(MeshError).and.include({ code: 'CANCELLED' });
      expect(fleet().log).to.deep.equal([]);
    });

    it('before it called sends nothing', async () => {
      let served = 0;
      await fleet().host(UserService, () => ({
        async getUser() {
          served += 1;
          return {};
        },
      }));
      const refused = await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { signal: AbortSignal.abort() }));
      expect(refused).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
      expect(served).to.equal(0);
    });

    it('from one nested call of several ends that one alone', async () => {
      await fleet().host(UserService, () => ({
        getUser: async ({ userId }) => (userId === 'slow' ? forever() : { user: { userId } }),
      }));
      await fleet().host(OrderService, (stubs) => ({
        async getOrder() {
          const users = stubs(UserService);
          const impatient = new AbortController();
          const slow = failureOf(users.getUser({ userId: 'slow' }, { signal: impatient.signal }));
          const { user } = await users.getUser({ userId: 'demo' }, { signal: impatient.signal });
          impatient.abort();
          return { order: { userId: user?.userId ?? '', reason: (await slow).code } };
        },
      }));
      const { order } = await fleet().client(OrderService).getOrder({ orderId: 'o-1' });
      expect(order).to.include({ userId: 'demo', reason: 'CANCELLED' });
    });
  });

  describe('a caller that goes away while an interceptor holds its call', () => {
    const caller = new AbortController();
    const goAway: ClientInterceptor = (next) => async (call) => {
      caller.abort();
      await Promise.resolve();
      return next(call);
    };
    const fleet = useFleet(transport, { interceptors: { client: [goAway] } });

    it('is told so, and the handler too', async () => {
      await fleet().host(UserService, () => ({ getUser: forever }));
      const refused = await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { signal: caller.signal }));
      expect(refused).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
    });
  });

  describe('a call that was answered', () => {
    const fleet = useFleet(transport);

    it('does not count as cancelled afterwards', async () => {
      const signals: AbortSignal[] = [];
      await fleet().host(UserService, () => ({
        async getUser(_request, { signal }) {
          signals.push(signal);
          return {};
        },
      }));
      const caller = new AbortController();
      const users = fleet().client(UserService);
      await users.getUser({ userId: 'demo' }, { signal: caller.signal });
      caller.abort();
      await users.getUser({ userId: 'demo' });
      expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false]);
    });
  });
}
