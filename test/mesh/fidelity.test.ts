import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { systemClock } from '#kit';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { type ListOrdersRequest, OrderService } from '#proto/shop/order/v1/order_pb.js';
import { type GetUserRequest, type GetUserResponse, GetUserResponseSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../discovery/support/until.ts';
import { type Transport, useFleet } from './support/fleet.ts';
import { allOf, failureOf } from './support/outcome.ts';

/** How both sides of a call come by a message: as one object, or each with its own. */
const SHARED: Readonly<Record<Transport, boolean>> = { local: true, fidelity: false, remote: false, mtls: false };

for (const transport of ['local', 'fidelity', 'remote'] satisfies Transport[]) {
  const shared = SHARED[transport];

  describe(`a message that is handed over (${transport})`, () => {
    const fleet = useFleet(transport);

    it(`${shared ? 'shows' : 'does not show'} its sender what the handler does to the request`, async () => {
      await fleet().host(UserService, () => ({
        async getUser(request: GetUserRequest) {
          request.userId = 'somebody-else';
          return {};
        },
      }));
      const request = create(UserService.method.getUser.input, { userId: 'demo' });
      await fleet().client(UserService).getUser(request);
      expect(request.userId).to.equal(shared ? 'somebody-else' : 'demo');
    });

    it(`${shared ? 'changes' : 'does not change'} in a handler that keeps it`, async () => {
      const kept: ListOrdersRequest[] = [];
      await fleet().host(OrderService, () => ({
        async listOrders(request) {
          kept.push(request);
          return {};
        },
      }));
      const request = create(OrderService.method.listOrders.input, { userId: 'demo' });
      await fleet().client(OrderService).listOrders(request);
      request.userId = 'changed-later';
      expect(kept.map(({ userId }) => userId)).to.deep.equal([shared ? 'changed-later' : 'demo']);
    });

    it(`${shared ? 'changes' : 'does not change'} in a caller when the handler kept the answer and changes it`, async () => {
      const cached: GetUserResponse = create(GetUserResponseSchema, { user: { userId: 'demo' } });
      await fleet().host(UserService, () => ({ getUser: async () => cached }));
      const answer = await fleet().client(UserService).getUser({ userId: 'demo' });
      if (cached.user) cached.user.userId = 'changed-later';
      expect(answer.user?.userId).to.equal(shared ? 'changed-later' : 'demo');
    });

    it(`${shared ? 'changes' : 'does not change'} when a stream yields one object again and again`, async () => {
      const change = create(OrderService.method.watchOrder.output);
      await fleet().host(OrderService, () => ({
        async *watchOrder() {
          for (change.sequence = 1n; change.sequence <= 3n; change.sequence += 1n) yield change;
        },
      }));
      const changes = await allOf(fleet().client(OrderService).watchOrder({ orderId: 'o-1' }));
      expect(changes.map(({ sequence }) => Number(sequence))).to.deep.equal(shared ? [4, 4, 4] : [1, 2, 3]);
    });
  });
}

/** 5 MiB in one field. */
const LARGE = 'x'.repeat(5 * 1024 * 1024);
/** More than 64 bits: what the types let through and no bytes stand for. */
const HUGE = 2n ** 70n;

/** The same refusals as over the wire. */
for (const transport of ['fidelity', 'remote'] satisfies Transport[]) {
  describe(`a message that cannot be handed over (${transport})`, () => {
    const fleet = useFleet(transport);
    let served = 0;
    beforeEach(() => {
      served = 0;
    });

    const hostUsers = (displayNameOf: (userId: string) => string) =>
      fleet().host(UserService, () => ({
        async getUser({ userId }) {
          served += 1;
          return { user: { displayName: displayNameOf(userId) } };
        },
      }));
    const hostStock = (available: bigint) =>
      fleet().host(InventoryService, () => ({
        async setStock() {
          served += 1;
          return { stock: { available } };
        },
      }));
    const getUser = (userId: string, options = {}) => fleet().client(UserService).getUser({ userId }, options);
    const setStock = (available: bigint) => fleet().client(InventoryService).setStock({ productId: 'beans', available });

    it('is refused when the request is over 4 MiB, before the handler', async () => {
      await hostUsers(() => '');
      expect(await failureOf(getUser(LARGE))).to.include({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' });
      expect(served).to.equal(0);
    });

    it('is refused when the answer is over 4 MiB, saying how large it is', async () => {
      await hostUsers(() => LARGE);
      const refused = await failureOf(getUser('demo'));
      expect(refused).to.include({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' });
      expect(refused.message).to.match(/^the answer has 52428\d\d bytes, at most 4194304 are sent/);
    });

    it('is let through when it has just 4 MiB', async () => {
      // Tags and lengths of `user` and of `display_name` take the rest.
      const longest = 4 * 1024 * 1024 - 10;
      await hostUsers((userId) => 'x'.repeat(userId === 'fits' ? longest : longest + 1));
      expect((await getUser('fits')).user?.displayName).to.have.length(longest);
      expect(await failureOf(getUser('too-long'))).to.include({ reason: 'MESSAGE_TOO_LARGE' });
    });

    it('is refused when the request has a value that its contract has not', async () => {
      await hostStock(1n);
      expect(await failureOf(setStock(HUGE))).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(served).to.equal(0);
    });

    it('is refused when a header cannot be sent', async () => {
      await hostUsers(() => '');
      expect(await failureOf(getUser('demo', { headers: { 'x-note': 'zwei\nZeilen' } }))).to.include({ code: 'INVALID_ARGUMENT' });
      expect(served).to.equal(0);
    });

    it('is a fault of the service when the answer has a value that its contract has not, and names the field', async () => {
      await hostStock(HUGE);
      const refused = await failureOf(setStock(1n));
      expect(refused).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
      expect(refused.message).to.contain('shop.inventory.v1.InventoryService/SetStock').and.to.contain('shop.inventory.v1.Stock.available');
    });

    for (const [what, change, code] of [
      ['over 4 MiB', { reason: LARGE }, 'RESOURCE_EXHAUSTED'],
      ['not of its contract', { sequence: HUGE }, 'INTERNAL'],
    ] as const) {
      it(`ends a stream on both sides when it is ${what}`, async () => {
        let ended = false;
        await fleet().host(OrderService, () => ({
          async *watchOrder(_request, { signal }) {
            try {
              yield { sequence: 1n };
              yield change;
              await systemClock.sleep(60_000, signal);
            } finally {
              ended = true;
            }
          },
        }));
        expect(await failureOf(allOf(fleet().client(OrderService).watchOrder({ orderId: 'o-1' })))).to.include({ code });
        await until('the handler has ended', () => ended);
      });
    }
  });
}
