import { expect } from 'chai';

import type { Clock } from '#kit';
import { describeMethod } from '#mesh';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { Lifetime } from '../../../mesh/lifetime.ts';
import { createDrain, type Drain } from '../../../mesh/server/door/drain.ts';
import { OpenCalls } from '../../../mesh/server/open-calls.ts';

const CALL = describeMethod(OrderService.method.getOrder);
const HEALTH_CHECK = describeMethod(Health.method.check);

describe('a server that has left the registry', () => {
  /** How long it serves on when `method` is called each `everyMs` until `lastMs`. Time passes as fast as it is slept. */
  async function servesOnFor(everyMs: number, lastMs: number, method = CALL, act: (drain: Drain, nowMs: number) => void = () => {}): Promise<number> {
    const open = new OpenCalls();
    let now = 0;
    let called = 0;
    const clock: Clock = {
      now: () => now,
      async sleep(ms) {
        now += ms;
        act(drain, now);
        for (; called + everyMs <= Math.min(now, lastMs); called += everyMs) open.add(new Lifetime(), method);
      },
    };
    const nothing = { shut: () => {}, announce: () => 0, goAway: () => {}, whenGone: async () => {}, destroy: () => {} };
    const drain = createDrain({ open, ...nothing }, clock);
    await drain.untilQuiet();
    return now;
  }

  it('serves on for a while also when nobody calls', async () => {
    expect(await servesOnFor(50, 0)).to.equal(300);
  });

  it('serves on until nobody has called for 150 ms', async () => {
    expect(await servesOnFor(50, 100)).to.equal(300);
    expect(await servesOnFor(50, 1_000)).to.equal(1_150);
    expect(await servesOnFor(125, 2_000)).to.equal(2_150);
  });

  it('does not wait for ever for callers that never notice', async () => {
    expect(await servesOnFor(50, Infinity)).to.equal(3_000);
  });

  it('does not take a health check for a caller', async () => {
    expect(await servesOnFor(50, Infinity, HEALTH_CHECK)).to.equal(300);
  });

  it('stops at once in a hurry', async () => {
    expect(await servesOnFor(50, Infinity, CALL, (drain, nowMs) => void (nowMs >= 500 && drain.hurry()))).to.equal(500);
  });
});
