import { expect } from 'chai';

import { refusal } from '#kit';
import { describeMethod } from '#mesh';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { Lifetime } from '../../../mesh/lifetime.ts';
import { OpenCalls } from '../../../mesh/server/open-calls.ts';

const UNARY = describeMethod(OrderService.method.placeOrder);
const STREAM = describeMethod(OrderService.method.watchOrder);
const HEALTH_CHECK = describeMethod(Health.method.check);
const HEALTH_WATCH = describeMethod(Health.method.watch);

describe('open calls', () => {
  let open: OpenCalls;
  const never = new AbortController().signal;
  const begin = (method: typeof UNARY): Lifetime => {
    const lifetime = new Lifetime();
    open.add(lifetime, method);
    return lifetime;
  };
  beforeEach(() => {
    open = new OpenCalls();
  });

  it('counts those that are open, and the arrivals that somebody ordered', () => {
    const first = begin(UNARY);
    begin(STREAM);
    begin(HEALTH_CHECK);
    begin(HEALTH_WATCH);
    expect([open.size, open.arrivals]).to.deep.equal([4, 2]);
    open.delete(first);
    open.delete(first);
    expect([open.size, open.arrivals]).to.deep.equal([3, 2]);
  });

  it('ends streams, and leaves unary calls alone, and health watches, which tell their readers themselves', () => {
    const [unary, stream, watch] = [begin(UNARY), begin(STREAM), begin(HEALTH_WATCH)];
    const reason = refusal('DRAINING', 'it stops');
    expect(open.endStreams(reason)).to.equal(1);
    expect([unary, stream, watch].map((lifetime) => lifetime.reason)).to.deep.equal([undefined, reason, undefined]);
    expect(open.endAll(reason)).to.equal(3);
    expect(unary.reason).to.equal(reason);
  });

  it('tells when the last one is over', async () => {
    await open.whenEmpty(never);
    const calls = [begin(UNARY), begin(UNARY)];
    let empty = false;
    const waiting = open.whenEmpty(never).then(() => (empty = true));
    for (const call of calls) {
      expect(empty).to.equal(false);
      open.delete(call);
    }
    await waiting;
  });

  it('tells too when nobody wants to wait any longer', async () => {
    begin(UNARY);
    const over = new AbortController();
    const waiting = open.whenEmpty(over.signal);
    over.abort();
    await waiting;
    await open.whenEmpty(over.signal);
    expect(open.size).to.equal(1);
  });
});
