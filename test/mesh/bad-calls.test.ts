import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { CODES } from '#kit';
import type { Listening } from '#mesh';
import { OrderService, PlaceOrderRequestSchema, WatchOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';
import { GetUserRequestSchema, UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../discovery/support/until.ts';
import { useFleet } from './support/fleet.ts';
import { failureOf } from './support/outcome.ts';
import { createPlainClient, type PlainClient, richErrorOf, serviceErrorOf } from './support/plain-client.ts';
import { framed, rawCall } from './support/raw-call.ts';
import { placeOrderRequest } from './support/requests.ts';

const GET_USER = '/shop.user.v1.UserService/GetUser';
const PLACE_ORDER = '/shop.order.v1.OrderService/PlaceOrder';
const WATCH_ORDER = '/shop.order.v1.OrderService/WatchOrder';
const MEGABYTE = 1024 * 1024;

describe('a server', () => {
  const fleet = useFleet('remote');
  let users: Listening;
  let orders: Listening;
  let toUsers: PlainClient;
  let toOrders: PlainClient;
  let served: number;

  beforeEach(async () => {
    served = 0;
    const serve = async () => {
      served += 1;
      return {};
    };
    users = await fleet().host(UserService, () => ({ getUser: serve, createUser: serve }));
    orders = await fleet().host(OrderService, () => ({
      placeOrder: serve,
      async *watchOrder({ orderId }) {
        served += 1;
        yield { reason: orderId };
      },
    }));
    toUsers = createPlainClient(users.port);
    toOrders = createPlainClient(orders.port);
  });

  afterEach(() => {
    toUsers.close();
    toOrders.close();
  });

  /** A request of this many bytes that would be in order otherwise. */
  const largeUser = (bytes: number): Uint8Array => toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { userId: 'x'.repeat(bytes) }));

  it('refuses a message over 4 MB with a reason, and goes on', async () => {
    const refused = await serviceErrorOf(toUsers.unary(GET_USER, largeUser(5 * MEGABYTE)));
    expect(refused.code).to.equal(status.RESOURCE_EXHAUSTED);
    expect(richErrorOf(refused).info).to.include({ reason: 'MESSAGE_TOO_LARGE', domain: 'shopmesh' });
    expect(refused.details).to.match(/the request has \d+ bytes, at most 4194304 are taken/);
    await fleet().client(UserService).getUser({ userId: 'demo' });
    expect(served).to.equal(1);
  });

  it('refuses a message over its buffer too, and our clients name the reason', async () => {
    const refused = await failureOf(fleet().client(UserService).getUser({ userId: 'x'.repeat(20 * MEGABYTE) }));
    expect(refused).to.include({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' });
    expect(served).to.equal(0);
  });

  it('refuses a message over 4 MB that opens a stream', async () => {
    const request = toBinary(WatchOrderRequestSchema, create(WatchOrderRequestSchema, { orderId: 'x'.repeat(5 * MEGABYTE) }));
    const { messages, status: ended } = await toOrders.stream(WATCH_ORDER, request);
    expect([messages.length, richErrorOf(ended).info?.reason]).to.deep.equal([0, 'MESSAGE_TOO_LARGE']);
  });

  for (const [what, bytes] of [
    ['are no message', Buffer.from('this is no protobuf')],
    ['end in the middle', Buffer.from([0x0a, 0x7f, 0x61])],
    ['hold broken UTF-8', Buffer.from([0x0a, 0x02, 0xc3, 0x28])],
  ] as const) {
    it(`refuses bytes that ${what}`, async () => {
      const refused = await serviceErrorOf(toUsers.unary(GET_USER, bytes));
      expect(refused.code).to.equal(status.INVALID_ARGUMENT);
      expect(richErrorOf(refused).info?.reason).to.equal('INVALID_ARGUMENT');
      expect(refused.details).to.contain('shop.user.v1.GetUserRequest');
      const { status: ended } = await toOrders.stream(WATCH_ORDER, bytes);
      expect([ended.code, richErrorOf(ended).info?.reason]).to.deep.equal([status.INVALID_ARGUMENT, 'INVALID_ARGUMENT']);
      expect(served).to.equal(0);
    });
  }

  it('takes fields it does not know, as protobuf asks', async () => {
    await toUsers.unary(GET_USER, Buffer.concat([largeUser(4), Buffer.from([0xf8, 0x07, 0x01])]));
    expect(served).to.equal(1);
  });

  it('answers UNIMPLEMENTED for a method or service it does not have', async () => {
    for (const path of ['/shop.user.v1.UserService/DropUser', '/shop.cart.v1.CartService/GetCart', PLACE_ORDER]) {
      const refused = await serviceErrorOf(toUsers.unary(path, Buffer.alloc(0)));
      expect(refused.code).to.equal(status.UNIMPLEMENTED);
    }
  });

  it('names the fields of a bad request for any client', async () => {
    const request = toBinary(PlaceOrderRequestSchema, create(PlaceOrderRequestSchema, placeOrderRequest({ requestId: '', lines: [] })));
    const refused = await serviceErrorOf(toOrders.unary(PLACE_ORDER, request));
    const { status: rich, info, badRequest } = richErrorOf(refused);
    expect(rich).to.include({ code: CODES.indexOf('INVALID_ARGUMENT'), message: refused.details });
    expect(info).to.include({ reason: 'INVALID_ARGUMENT', domain: 'shopmesh' });
    expect(badRequest?.fieldViolations.map(({ field }) => field)).to.have.members(['request_id', 'lines']);
    for (const { description } of badRequest?.fieldViolations ?? []) expect(description).not.to.equal('');
  });

  it('does no work for a call whose deadline has passed on the way', async () => {
    for (const timeout of ['0n', '0m', '1u']) {
      const said = await rawCall(users.port, GET_USER, { 'grpc-timeout': timeout }, framed(largeUser(4)));
      expect(said['grpc-status']).to.equal(String(status.DEADLINE_EXCEEDED));
    }
    expect(served).to.equal(0);
  });

  it('lives through headers and bodies that make no sense', async () => {
    const request = framed(largeUser(4));
    for (const [headers, body] of [
      [{ 'grpc-timeout': 'soon' }, request],
      [{ 'grpc-encoding': 'br' }, Buffer.concat([Buffer.from([1]), request.subarray(1)])],
      [{ 'content-type': 'text/plain' }, request],
      [{ traceparent: 'nonsense', 'grpc-trace-bin': '%%%' }, request],
      [{}, request.subarray(0, 7)],
      [{}, Buffer.alloc(0)],
      [{}, Buffer.concat([request, request])],
    ] as const) {
      await rawCall(users.port, GET_USER, headers, body);
    }
    served = 0;
    await fleet().client(UserService).getUser({ userId: 'demo' });
    expect(served).to.equal(1);
    expect(fleet().log).to.deep.equal([]);
  });

  it('outlives callers that hang up at once', async () => {
    const calls = Array.from({ length: 200 }, async () => {
      const caller = new AbortController();
      const call = failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { signal: caller.signal }));
      caller.abort();
      return (await call).code;
    });
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['CANCELLED']));
    await until('it serves again', () => fleet().client(UserService).getUser({ userId: 'demo' }).then(() => true));
  });
});
