import { constants } from 'node:http2';

import { create, toBinary } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { OrderService, WatchOrderRequestSchema } from '#proto/shop/order/v1/order_pb.js';

import { until } from '../discovery/support/until.ts';
import { type Http2Caller, useHttp2Callers } from './door/support/http2-caller.ts';
import { useFleet } from './support/fleet.ts';
import { framed } from './support/raw-call.ts';

const WATCH = '/shop.order.v1.OrderService/WatchOrder';
const REQUEST = framed(toBinary(WatchOrderRequestSchema, create(WatchOrderRequestSchema, { orderId: 'o-1' })));

describe('a stream whose reader has stopped reading', () => {
  const fleet = useFleet('remote');
  let port: number;
  const connect = useHttp2Callers(() => port);
  let made: number;
  let left: boolean;

  async function watch(bytes: number, headers: Record<string, string> = {}): Promise<ReturnType<Http2Caller['begin']>> {
    [made, left] = [0, false];
    const listening = await fleet().host(OrderService, () => ({
      async *watchOrder() {
        try {
          for (;;) yield { reason: 'x'.repeat(bytes), sequence: BigInt((made += 1)) };
        } finally {
          left = true;
        }
      },
    }));
    port = listening.port;
    return connect().begin(WATCH, headers).end(REQUEST);
  }

  /** Whether nothing was made since it was asked last. */
  let before = 0;
  const heldBack = (): boolean => before === (before = made);

  it('ends at its deadline: its handler is left, its stream reset', async () => {
    const call = await watch(20_000, { 'grpc-timeout': '50m' });
    await until('both are over', () => left && call.closed);
    expect(call.rstCode).to.equal(constants.NGHTTP2_CANCEL);
  });

  it('holds its handler back by what is unsent, large answers sooner', async () => {
    const call = await watch(1024 * 1024);
    await until('it has begun', () => made > 0);
    call.pause();
    await until('it is held back', heldBack);
    expect(made).to.be.at.most(2);
    call.resume();
    await until('it goes on', () => made > 10);
  });
});
