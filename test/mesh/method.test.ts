import type { DescMethod } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

describe('a method', () => {
  it('has the field of its idempotency key', () => {
    expect(describeMethod(OrderService.method.placeOrder).keyField).to.equal('requestId');
    expect(describeMethod(OrderService.method.getOrder).keyField).to.equal(undefined);
  });

  it('whose key is no field of the request is refused: every call of it would count as one that may be repeated', () => {
    const desc: DescMethod = { ...OrderService.method.placeOrder, input: UserService.method.getUser.input };
    expect(() => describeMethod(desc)).to.throw(/PlaceOrder: its idempotency_key "request_id" is no field of shop\.user\.v1\.GetUserRequest/);
  });
});
