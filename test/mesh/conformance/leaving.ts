import { expect } from 'chai';

import { systemClock } from '#kit';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { until } from '../../discovery/support/until.ts';
import { policiesWith } from '../instruments/support/policies.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { failureOf } from '../support/outcome.ts';

/** A reader who leaves while it waits for a message: the stream is over on both sides then, not with the next message. */
export function leaving(transport: Transport): void {
  for (const enabled of [true, false]) {
    describe(`a reader who leaves while it waits (retries ${enabled ? 'on' : 'off'})`, () => {
      const fleet = useFleet(transport, { policies: policiesWith({ retries: { enabled } }) });
      let signal: AbortSignal | undefined;

      async function watch(messages: number): Promise<AsyncIterator<unknown>> {
        signal = undefined;
        await fleet().host(OrderService, () => ({
          async *watchOrder(_request, call) {
            signal = call.signal;
            for (let sequence = 1n; sequence <= messages; sequence += 1n) yield { sequence };
            await systemClock.sleep(60_000, call.signal);
          },
        }));
        return fleet().client(OrderService).watchOrder({ orderId: 'o-1' }, { deadlineMs: 60_000 })[Symbol.asyncIterator]();
      }

      for (const messages of [0, 2]) {
        it(`after ${messages} messages cancels the call at once`, async () => {
          const reader = await watch(messages);
          for (let read = 0; read < messages; read += 1) await reader.next();
          const waiting = failureOf(reader.next());
          await until('the handler waits', () => signal !== undefined);
          await reader.return?.();
          await until('the handler knows', () => signal?.aborted === true);
          expect(await waiting).to.include({ code: 'CANCELLED' });
          expect(await reader.next()).to.deep.equal({ done: true, value: undefined });
        });
      }

      it('gets what it pulled at once in its order', async () => {
        const reader = await watch(3);
        const steps = await Promise.all([reader.next(), reader.next(), reader.next()]);
        expect(steps.map(({ value }) => (value as { sequence: bigint }).sequence)).to.deep.equal([1n, 2n, 3n]);
        await reader.return?.();
      });
    });
  }
}
