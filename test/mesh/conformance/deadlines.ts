import { expect } from 'chai';

import { type CallContext, currentCall } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { failureOf, forever } from '../support/outcome.ts';

/** A header carries whole milliseconds, and a hop takes some. */
const SLACK_MS = 250;

/** Every call has a deadline; whoever is called inherits what is left of it. */
export function deadlines(transport: Transport): void {
  describe('the deadline', () => {
    const fleet = useFleet(transport);
    let served: CallContext[];

    beforeEach(async () => {
      served = [];
      await fleet().host(UserService, () => ({
        async getUser(_request, call) {
          served.push(call);
          return {};
        },
      }));
    });

    /** How much time the served call was given, as it began. */
    async function leftMs(options: { deadlineMs?: number }): Promise<number> {
      const before = Date.now();
      await fleet().client(UserService).getUser({ userId: 'demo' }, options);
      return (served.at(-1)?.deadline ?? Number.NaN) - before;
    }

    it('is the contract’s when the caller names none', async () => {
      expect(await leftMs({})).to.be.within(1_000, 1_000 + SLACK_MS);
    });

    it('is the caller’s when that is shorter', async () => {
      expect(await leftMs({ deadlineMs: 300 })).to.be.within(300, 300 + SLACK_MS);
    });

    it('is the caller’s also when that is longer than the contract’s', async () => {
      expect(await leftMs({ deadlineMs: 60_000 })).to.be.within(60_000, 60_000 + SLACK_MS);
    });

    it('of a nested call is what the one around it has left', async () => {
      const left: number[] = [];
      await fleet().host(InventoryService, (stubs) => ({
        async getStock(_request, call) {
          expect(currentCall()).to.deep.equal(call);
          left.push(call.deadline - Date.now());
          await stubs(UserService).getUser({ userId: 'demo' });
          return {};
        },
      }));
      await fleet().host(OrderService, (stubs) => ({
        async getOrder(_request, call) {
          left.push(call.deadline - Date.now());
          await stubs(InventoryService).getStock({ productId: 'beans' });
          return {};
        },
      }));
      const before = Date.now();
      await fleet().client(OrderService).getOrder({ orderId: 'o-1' }, { deadlineMs: 600 });
      const all = [...left, (served[0]?.deadline ?? Number.NaN) - before];
      expect(all).to.have.length(3);
      for (const ms of all) expect(ms).to.be.within(1, 600 + SLACK_MS);
    });

    it('that has passed refuses a call before any work is done', async () => {
      const refused = await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { deadlineMs: 0 }));
      expect(refused).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
      expect(served).to.deep.equal([]);
    });

    it('that passed while serving refuses the calls that are made then', async () => {
      let nested: Promise<unknown> | undefined;
      await fleet().host(OrderService, (stubs) => ({
        async getOrder(_request, { deadline, signal }) {
          await until('the deadline has passed, and has been noticed', () => Date.now() > deadline && signal.aborted);
          nested = failureOf(stubs(UserService).getUser({ userId: 'demo' }));
          return {};
        },
      }));
      const late = await failureOf(fleet().client(OrderService).getOrder({ orderId: 'o-1' }, { deadlineMs: 50 }));
      expect(late.code).to.equal('DEADLINE_EXCEEDED');
      await until('the handler went on', () => nested !== undefined);
      expect(await nested).to.have.property('code').that.is.oneOf(['DEADLINE_EXCEEDED', 'CANCELLED']);
      expect(served).to.deep.equal([]);
    });

    it('is kept for a handler that does not heed it', async () => {
      let signal: AbortSignal | undefined;
      await fleet().host(OrderService, () => ({
        getOrder(_request, call) {
          signal = call.signal;
          return forever();
        },
      }));
      const started = performance.now();
      const late = await failureOf(fleet().client(OrderService).getOrder({ orderId: 'o-1' }, { deadlineMs: 100 }));
      expect(late).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
      expect(late.message).to.contain('shop.order.v1.OrderService/GetOrder').and.to.contain('try again');
      expect(performance.now() - started).to.be.within(95, 600);
      await until('the handler’s signal is aborted', () => signal?.aborted === true);
      expect(fleet().log).to.deep.equal([]);
    });
  });
}
