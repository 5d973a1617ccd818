import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { describeMethod } from '#mesh';
import { OrderService, PlaceOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import { ProductService, UpdateProductRequestSchema } from '#proto/shop/product/v1/product_pb.js';

import { hashOf } from '../../../mesh/idempotency/request-hash.ts';
import { placeOrderRequest } from '../support/requests.ts';

describe('the hash of a request', () => {
  const placed = describeMethod(OrderService.method.placeOrder);
  const place = (init: MessageInitShape<typeof PlaceOrderRequestSchema>) => hashOf(placed, create(PlaceOrderRequestSchema, init));
  const update = (init: MessageInitShape<typeof UpdateProductRequestSchema>) =>
    hashOf(describeMethod(ProductService.method.updateProduct), create(UpdateProductRequestSchema, init));

  it('is the same for another key, and leaves the request as it was', () => {
    const request = create(PlaceOrderRequestSchema, placeOrderRequest({ requestId: 'one' }));
    expect(hashOf(placed, request)).to.deep.equal(place(placeOrderRequest({ requestId: 'another' })));
    expect(request.requestId).to.equal('one');
  });

  it('is another one for whatever else differs, deep down too', () => {
    const request = placeOrderRequest();
    expect(place({ ...request, userId: 'another' })).not.to.deep.equal(place(request));
    expect(place(placeOrderRequest({ lines: [{ productId: 'espresso-machine', quantity: 2 }] }))).not.to.deep.equal(place(request));
  });

  it('tells a field that is empty from one that is left out', () => {
    expect(update({ productId: 'p', name: '' })).not.to.deep.equal(update({ productId: 'p' }));
  });

  it('counts fields that this version of the contract does not know', () => {
    const bytes = toBinary(PlaceOrderRequestSchema, create(PlaceOrderRequestSchema, placeOrderRequest()));
    // Field 99, a varint.
    const newer = fromBinary(PlaceOrderRequestSchema, Buffer.concat([bytes, Buffer.from([0x98, 0x06, 0x01])]));
    expect(hashOf(placed, newer)).not.to.deep.equal(place(placeOrderRequest()));
  });
});
