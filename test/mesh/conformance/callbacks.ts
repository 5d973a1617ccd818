import { expect } from 'chai';

import { systemClock } from '#kit';
import type { CallContext, CallOptions, Headers } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf } from '../support/outcome.ts';

/** What a caller hears beside the answer, and what becomes of a call whose caller cannot hear it. */
export function callbacks(transport: Transport): void {
  const mistake = new TypeError('the caller’s own');
  const throws = (): never => {
    throw mistake;
  };

  describe('a callback that throws', () => {
    const fleet = useFleet(transport);

    for (const callback of ['onHeaders', 'onTrailers'] as const) {
      it(`fails the call with its error (${callback})`, async () => {
        await fleet().host(UserService, () => ({
          async getUser({ userId }, call) {
            call.setHeader('x-note', 'ahead');
            return { user: { userId } };
          },
        }));
        const users = fleet().client(UserService);
        expect(await failureOf(users.getUser({ userId: 'demo' }, { [callback]: throws }))).to.include({ code: 'INTERNAL', cause: mistake });
        expect((await users.getUser({ userId: 'demo' })).user?.userId).to.equal('demo');
      });
    }

    it('does so also when the call failed by itself', async () => {
      await fleet().host(UserService, () => ({ getUser: () => Promise.reject(new Error('a bug')) }));
      expect(await failureOf(fleet().client(UserService).getUser({ userId: 'demo' }, { onTrailers: throws }))).to.include({ cause: mistake });
    });

    it('ends a stream on both sides', async () => {
      let signal: AbortSignal | undefined;
      await fleet().host(OrderService, () => ({
        async *watchOrder(_request, call) {
          signal = call.signal;
          yield { sequence: 1n };
          await systemClock.sleep(60_000, call.signal);
        },
      }));
      const failure = await failureOf(allOf(fleet().client(OrderService).watchOrder({ orderId: 'o-1' }, { onHeaders: throws })));
      expect(failure).to.include({ code: 'INTERNAL', cause: mistake });
      await until('the handler knows', () => signal?.aborted === true);
    });
  });

  describe('headers and trailers', () => {
    const fleet = useFleet(transport);

    /** What a handler sees and a caller hears of one call. */
    async function heard(handle: (call: CallContext) => void, options: CallOptions = {}): Promise<{ headers?: Headers; trailers?: Headers }> {
      await fleet().host(UserService, () => ({
        async getUser(_request, call) {
          handle(call);
          return {};
        },
      }));
      const told: { headers?: Headers; trailers?: Headers } = {};
      const listen: CallOptions = { onHeaders: (headers) => (told.headers = headers), onTrailers: (trailers) => (told.trailers = trailers) };
      await fleet().client(UserService).getUser({ userId: 'demo' }, { ...options, ...listen });
      return told;
    }

    it('have names whose case does not matter', async () => {
      const seen: unknown[] = [];
      const { headers, trailers } = await heard(
        (call) => {
          seen.push(call.header('x-note'), call.header('X-NOTE'), call.allHeaders()['x-note']);
          call.setHeader('X-Answer', 'a');
          call.setTrailer('X-End', 'b');
        },
        { headers: { 'X-Note': 'n' } },
      );
      expect([...seen, headers?.['x-answer'], trailers?.['x-end']]).to.deep.equal(['n', 'n', 'n', 'a', 'b']);
    });

    it('may have the names of an object’s own', async () => {
      const seen: unknown[] = [];
      const { headers } = await heard(
        (call) => {
          seen.push(call.header('constructor'), call.header('tostring'), call.header('__proto__'));
          call.setHeader('constructor', 'c');
        },
        { headers: { constructor: 'h' } },
      );
      expect([...seen, headers?.['constructor']]).to.deep.equal(['h', undefined, undefined, 'c']);
    });

    it('that gRPC does not allow are the handler’s fault', async () => {
      const refused = await failureOf(heard((call) => call.setHeader('not a name', 'x')));
      expect(refused).to.include({ code: 'INTERNAL', reason: 'INTERNAL' });
    });

    it('of a stream come ahead of its first message; later ones come too late', async () => {
      await fleet().host(OrderService, () => ({
        async *watchOrder(_request, call) {
          call.setHeader('x-note', 'ahead');
          yield { sequence: 1n };
          call.setHeader('x-late', 'behind');
          call.setTrailer('x-end', 'end');
          yield { sequence: 2n };
        },
      }));
      const told: [string, Headers, number][] = [];
      let read = 0;
      const note = (what: string) => (headers: Headers) => void told.push([what, headers, read]);
      for await (const _change of fleet().client(OrderService).watchOrder({ orderId: 'o-1' }, { onHeaders: note('headers'), onTrailers: note('trailers') })) read += 1;
      expect(told.map(([what, headers]) => [what, headers['x-note'], headers['x-late'], headers['x-end']])).to.deep.equal([
        ['headers', 'ahead', undefined, undefined],
        ['trailers', undefined, undefined, 'end'],
      ]);
      expect(told[0]?.[2]).to.equal(0);
    });
  });
}
