import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { OrderService, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf } from '../support/outcome.ts';
import { placeOrderRequest } from '../support/requests.ts';

/** A request that breaks the rules of its contract never reaches the handler. */
export function validation(transport: Transport): void {
  describe('a request that breaks its contract', () => {
    const fleet = useFleet(transport);
    let served: number;

    beforeEach(async () => {
      served = 0;
      await fleet().host(OrderService, () => ({
        async placeOrder() {
          served += 1;
          return {};
        },
        async *watchOrder() {
          served += 1;
          yield { sequence: 1n };
        },
      }));
    });

    it('is refused with the path of each field, in the words of the contract', async () => {
      const line = { productId: 'Espresso Machine', quantity: 0, unitPrice: { currencyCode: 'euro', units: 1n, nanos: 0 } };
      const refused = await failureOf(fleet().client(OrderService).placeOrder(placeOrderRequest({ requestId: '', lines: [line] })));
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(refused.violations.map(({ field }) => field)).to.have.members([
        'request_id',
        'lines[0].product_id',
        'lines[0].quantity',
        'lines[0].unit_price',
      ]);
      expect(refused.message).to.match(/lines\[0\]\.quantity: .*10000.*Mend the request and send it again/);
      expect(served).to.equal(0);
    });

    it('is refused with the first of its violations when there are very many', async () => {
      const line = { productId: 'x'.repeat(1_000), quantity: -1 };
      const refused = await failureOf(
        fleet().client(OrderService).placeOrder(placeOrderRequest({ lines: Array.from({ length: 100 }, () => line) })),
      );
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(refused.violations).to.have.length(20);
      expect(refused.message).to.contain('and 181 more like these').and.to.have.length.below(4_000);
    });

    it('is refused with the path of each string that holds a NUL character, whatever the contract says of it', async () => {
      const request = create(PlaceOrderRequestSchema, placeOrderRequest({ lines: [{ productId: 'beans', quantity: 1, name: '\u0000' }] }));
      Object.assign(request.shippingAddress ?? {}, { city: 'Ber\u0000lin' });
      const refused = await failureOf(fleet().client(OrderService).placeOrder(request));
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(refused.violations.map(({ field }) => field)).to.have.members(['lines[0].name', 'shipping_address.city']);
      expect(refused.message).to.contain('shipping_address.city: must not hold the character U+0000 (NUL)').and.not.to.contain('\u0000');
      expect(served).to.equal(0);
    });

    it('opens no stream', async () => {
      const refused = await failureOf(allOf(fleet().client(OrderService).watchOrder({ orderId: 'No Order', afterSequence: -1n })));
      expect(refused.violations.map(({ field }) => field)).to.have.members(['order_id', 'after_sequence']);
      expect(served).to.equal(0);
    });
  });
}
