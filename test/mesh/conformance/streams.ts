import { getEventListeners } from 'node:events';

import { SpanKind, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import { type CallContext, currentCall, type Handlers } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf, forever, readable } from '../support/outcome.ts';

type Watch = Handlers<typeof OrderService>['watchOrder'];

const REQUEST = { orderId: 'o-1' };

/** A stream of answers: in order, no faster than its reader, and over when either side is. */
export function streams(transport: Transport): void {
  const fleet = useFleet(transport);
  const hostWatch = (watchOrder: Watch) => fleet().host(OrderService, () => ({ watchOrder }));
  const watch = (options = {}) => fleet().client(OrderService).watchOrder(REQUEST, options);

  describe('a stream', () => {
    it('brings every message in order and then ends', async () => {
      await hostWatch(async function* () {
        for (let sequence = 1n; sequence <= 500n; sequence += 1n) yield { sequence };
      });
      const changes = await allOf(watch());
      expect(changes.map(({ sequence }) => Number(sequence))).to.deep.equal(Array.from({ length: 500 }, (_, index) => index + 1));
    });

    it('can be empty', async () => {
      await hostWatch(async function* () {});
      expect(await allOf(watch())).to.deep.equal([]);
    });

    it('is not called before it is read', async () => {
      let served = 0;
      await hostWatch(async function* () {
        served += 1;
        yield {};
      });
      const unread = watch()[Symbol.asyncIterator]();
      await unread.return?.();
      expect(await allOf(watch())).to.have.length(1);
      expect(served).to.equal(1);
      expect(fleet().telemetry.spans()).to.have.length(2);
    });

    it('waits for a slow reader', async () => {
      let made = 0;
      let settledAt = -1;
      await hostWatch(async function* () {
        for (;;) yield { reason: 'x'.repeat(64 * 1024), sequence: BigInt((made += 1)) };
      });
      for await (const { sequence } of watch()) {
        // What fits between the two sides is made ahead, and then no more.
        if (sequence === 1n) await until('no more is made', async () => settledAt === (settledAt = await countAfter(100, () => made)), 10_000);
        if (sequence === 20n) break;
      }
      expect(settledAt).to.be.within(1, 100);
    });

    it('ends in its handler when the reader stops early', async () => {
      let ended = false;
      let signal: AbortSignal | undefined;
      await hostWatch(async function* (_request, call) {
        signal = call.signal;
        try {
          for (;;) yield { sequence: 1n };
        } finally {
          ended = true;
        }
      });
      for await (const _change of watch()) break;
      await until('the handler has ended', () => ended && signal?.aborted === true);
    });

    it('ends in a handler that waits for something when the reader stops early', async () => {
      let ended = false;
      await hostWatch(async function* (_request, { signal }) {
        try {
          yield { sequence: 1n };
          await systemClock.sleep(60_000, signal);
        } finally {
          ended = true;
        }
      });
      for await (const _change of watch()) break;
      await until('the handler has ended', () => ended);
      expect(fleet().log).to.deep.equal([]);
    });
  });

  describe('a stream that fails', () => {
    for (const made of [0, 3]) {
      it(`after ${made} messages brings those and then the error`, async () => {
        await hostWatch(async function* () {
          for (let count = 0; count < made; count += 1) yield {};
          throw refusal('ORDER_NOT_FOUND', 'there is no order o-1', { metadata: { order_id: 'o-1' }, cause: new Error('row') });
        });
        let read = 0;
        const failure = await failureOf(
          (async () => {
            for await (const _change of watch()) read += 1;
          })(),
        );
        expect(read).to.equal(made);
        expect(readable(failure)).to.deep.equal({ code: 'NOT_FOUND', reason: 'ORDER_NOT_FOUND', metadata: { order_id: 'o-1' }, violations: [] });
        expect(failure.cause).to.equal(undefined);
      });
    }

    it('by a bug is INTERNAL to the reader, and logged once with its cause', async () => {
      await hostWatch(async function* () {
        yield {};
        throw new TypeError('secret is not iterable');
      });
      const failure = await failureOf(allOf(watch()));
      expect(readable(failure)).to.deep.equal({ code: 'INTERNAL', reason: 'INTERNAL', metadata: {}, violations: [] });
      expect(JSON.stringify([failure.message, failure.stack])).not.to.contain('secret');
      expect(fleet().log).to.have.length(1);
      expect(JSON.stringify(fleet().log)).to.contain('secret is not iterable');
    });
  });

  describe('a stream’s deadline', () => {
    it('ends it in the middle, on both sides', async () => {
      let ended = false;
      await hostWatch(async function* (_request, { signal }) {
        try {
          for (let sequence = 1n; ; sequence += 1n) {
            yield { sequence };
            await systemClock.sleep(20, signal);
          }
        } finally {
          ended = true;
        }
      });
      const failure = await failureOf(allOf(watch({ deadlineMs: 150 })));
      expect(failure).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
      await until('the handler has ended', () => ended);
    });

    it('is kept for a handler that does not heed it', async () => {
      await hostWatch(async function* () {
        yield {};
        await forever();
      });
      const started = performance.now();
      const failure = await failureOf(allOf(watch({ deadlineMs: 100 })));
      expect(failure.code).to.equal('DEADLINE_EXCEEDED');
      expect(performance.now() - started).to.be.within(95, 600);
    });

    it('may pass while the reader is busy', async () => {
      let ended = false;
      await hostWatch(async function* (_request, { signal }) {
        try {
          for (;;) {
            yield {};
            // Rejects at once, in a pull that nobody may be waiting for.
            signal.throwIfAborted();
          }
        } finally {
          ended = true;
        }
      });
      const failure = await failureOf(
        (async () => {
          for await (const _change of watch({ deadlineMs: 60 })) await systemClock.sleep(100);
        })(),
      );
      expect(failure.code).to.equal('DEADLINE_EXCEEDED');
      await until('the handler has ended', () => ended);
    });
  });

  describe('a stream whose reader walks away without a word', () => {
    it('is over at its deadline, and holds on to nothing', async () => {
      let ended = false;
      await hostWatch(async function* () {
        try {
          for (;;) yield {};
        } finally {
          ended = true;
        }
      });
      const { signal } = new AbortController();
      await watch({ deadlineMs: 100, signal })[Symbol.asyncIterator]().next();
      await until('the handler has ended', () => ended);
      await until('its span has ended', () => fleet().telemetry.spans().some(({ kind }) => kind === SpanKind.SERVER));
      await until('the caller’s signal is free', () => getEventListeners(signal, 'abort').length === 0);
    });
  });

  describe('a stream whose caller goes away', () => {
    it('is CANCELLED, and its handler ends', async () => {
      let ended = false;
      await hostWatch(async function* (_request, { signal }) {
        try {
          yield {};
          await systemClock.sleep(60_000, signal);
        } finally {
          ended = true;
        }
      });
      const caller = new AbortController();
      const failure = failureOf(
        (async () => {
          for await (const _change of watch({ signal: caller.signal })) caller.abort();
        })(),
      );
      expect(await failure).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
      await until('the handler has ended', () => ended);
      expect(fleet().log).to.deep.equal([]);
    });

    it('while its reader is slow ends a handler that is held back', async () => {
      let ended = false;
      let made = 0;
      await hostWatch(async function* (_request, { signal }) {
        try {
          for (;;) {
            yield { reason: 'x'.repeat(64 * 1024), sequence: BigInt((made += 1)) };
            signal.throwIfAborted();
          }
        } finally {
          ended = true;
        }
      });
      const caller = new AbortController();
      const reader = watch({ signal: caller.signal })[Symbol.asyncIterator]();
      await reader.next();
      let settledAt = -1;
      await until('no more is made', async () => settledAt === (settledAt = await countAfter(50, () => made)), 10_000);
      caller.abort();
      await until('the handler has ended', () => ended);
      await reader.return?.();
    });
  });

  describe('inside a stream’s handler', () => {
    it('the trace and the call are there after every yield, and its own calls inherit them', async () => {
      const seen: { span: string | undefined; call: CallContext | undefined }[] = [];
      await fleet().host(UserService, () => ({ getUser: async () => ({}) }));
      await fleet().host(OrderService, (stubs) => ({
        async *watchOrder() {
          const note = (): void => void seen.push({ span: trace.getActiveSpan()?.spanContext().spanId, call: currentCall() });
          try {
            for (let sequence = 1n; sequence <= 3n; sequence += 1n) {
              note();
              await stubs(UserService).getUser({ userId: 'demo' });
              yield { sequence };
            }
          } finally {
            note();
          }
        },
      }));
      let read = 0;
      for await (const _change of watch({ deadlineMs: 900 })) {
        expect(trace.getActiveSpan(), 'the reader’s own context').to.equal(undefined);
        if ((read += 1) === 3) break;
      }
      await until('the handler has ended', () => seen.length === 4);
      await until('the spans have ended', () => fleet().telemetry.spans().length === 8);
      const server = fleet().telemetry.spans().find((span) => span.name.endsWith('WatchOrder') && span.kind === SpanKind.SERVER);
      expect(new Set(seen.map(({ span }) => span))).to.deep.equal(new Set([server?.spanContext().spanId]));
      expect(seen.every(({ call }) => call !== undefined && call.deadline - Date.now() < 1_200)).to.equal(true);
      const nested = fleet().telemetry.spans().filter((span) => span.name.endsWith('GetUser') && span.kind === SpanKind.CLIENT);
      expect(nested.map((span) => span.parentSpanContext?.spanId)).to.deep.equal(Array(3).fill(server?.spanContext().spanId));
    });
  });
}

async function countAfter(ms: number, count: () => number): Promise<number> {
  await systemClock.sleep(ms);
  return count();
}
