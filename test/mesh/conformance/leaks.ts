import { getEventListeners } from 'node:events';

import { expect } from 'chai';

import { refusal } from '#kit';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf } from '../support/outcome.ts';

const CALLS = 10_000;
const AT_ONCE = 50;

/** A call that is over leaves nothing: no listener on whatever signal it had, no timer, no request in flight. */
export function leaks(transport: Transport): void {
  describe(`after ${CALLS} calls`, function () {
    this.timeout(60_000);
    const fleet = useFleet(transport);
    const longLived = new AbortController().signal;
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    let timersBefore: number;

    before(() => process.on('warning', onWarning));
    after(() => process.off('warning', onWarning));

    beforeEach(async () => {
      await fleet().host(UserService, () => ({
        getUser: async ({ userId }) => (userId === 'nobody' ? Promise.reject(refusal('USER_NOT_FOUND', 'nobody')) : { user: { userId } }),
      }));
      await fleet().host(OrderService, (stubs) => ({
        async getOrder() {
          await stubs(UserService).getUser({ userId: 'demo' }, { signal: longLived });
          return {};
        },
        async *watchOrder() {
          yield { sequence: 1n };
          yield { sequence: 2n };
        },
      }));
      await fleet().client(OrderService).getOrder({ orderId: 'o-1' });
      timersBefore = timers();
    });

    afterEach(async () => {
      expect(getEventListeners(longLived, 'abort')).to.deep.equal([]);
      expect(warnings).to.deep.equal([]);
      await until('no timer is left', () => timers() <= timersBefore);
    });

    async function repeat(count: number, call: (index: number) => Promise<unknown>): Promise<void> {
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < count) await call((next += 1));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    }

    it('nothing is left on a signal that the caller keeps', async () => {
      const users = fleet().client(UserService);
      await repeat(CALLS, (index) => users.getUser({ userId: index % 3 ? 'demo' : 'nobody' }, { signal: longLived }).catch(() => undefined));
    });

    it('nothing is left on a signal that handlers keep for the calls they make', async () => {
      const orders = fleet().client(OrderService);
      await repeat(CALLS / 2, () => orders.getOrder({ orderId: 'o-1' }));
    });

    it('nothing is left of streams, whether read to their end or not', async () => {
      const orders = fleet().client(OrderService);
      await repeat(CALLS / 5, async (index) => {
        const changes = orders.watchOrder({ orderId: 'o-1' }, { signal: longLived });
        if (index % 2) return allOf(changes);
        for await (const _change of changes) break;
      });
    });
  });
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
