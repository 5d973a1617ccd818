import { getEventListeners } from 'node:events';

import { create } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { type Code, CODES, MeshError, systemClock } from '#kit';
import { type ClientCall, describeMethod, type Reply } from '#mesh';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import type { HedgingOptions } from '../../../mesh/client/resend-options.ts';
import { retries } from '../../../mesh/client/retries.ts';
import { failureOf } from '../support/outcome.ts';
import { boundless, type CallChanges, failure, noCounts, policyWith, resendOptions, spent, unaryCall } from './support/calls.ts';
import { type FakeTransport, fakeTransport } from './support/fake-transport.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';

const unavailable = failure('UNAVAILABLE');
const notIdempotent: CallChanges = { method: { idempotent: false } };

describe('retries', () => {
  let clock: InstantClock;
  beforeEach(() => {
    clock = createInstantClock();
  });

  const send = (transport: FakeTransport, call: ClientCall = unaryCall(clock), changes: Partial<HedgingOptions> = {}): Promise<Reply> =>
    retries(resendOptions(clock, changes))(transport.invoke)(call);

  /** How many attempts a call takes whose attempts all end like this. */
  async function attemptsOn(error: MeshError, changes: CallChanges = {}, options: Partial<HedgingOptions> = {}): Promise<number> {
    const transport = fakeTransport(error);
    expect(await failureOf(send(transport, unaryCall(clock, changes), options))).to.equal(error);
    return transport.attempts.length;
  }

  describe('a call that is answered', () => {
    it('is sent once, as it is', async () => {
      const transport = fakeTransport('answer');
      const call = unaryCall(clock);
      await send(transport, call);
      expect(transport.attempts).to.have.length(1);
      expect(transport.attempts[0]).to.equal(call);
    });

    it('pays once into the budget, and so does one that takes three attempts', async () => {
      const budget = boundless();
      await send(fakeTransport('answer'), unaryCall(clock), { budget });
      await send(fakeTransport(unavailable, unavailable, 'answer'), unaryCall(clock), { budget });
      expect(budget.deposits).to.equal(2);
    });
  });

  describe('what is sent again', () => {
    it('is a call that may be made twice, when nobody could be reached', async () => {
      const transport = fakeTransport(unavailable, 'answer');
      await send(transport);
      expect(transport.attempts).to.have.length(2);
    });

    it('is no call that may not be made twice', async () => {
      expect(await attemptsOn(unavailable, notIdempotent)).to.equal(1);
      expect(await attemptsOn(failure('UNAVAILABLE', { retry: { kind: 'after', afterMs: 0 } }), notIdempotent)).to.equal(1);
    });

    it('is no call whose key is left to the server, which would choose another one each time', async () => {
      const { createUser } = UserService.method;
      const creating = (userId: string): ClientCall => ({ ...unaryCall(clock, { method: describeMethod(createUser) }), request: create(createUser.input, { userId }) });
      const attempts = async (call: ClientCall): Promise<number> => {
        const transport = fakeTransport(unavailable);
        await failureOf(send(transport, call));
        return transport.attempts.length;
      };
      expect(await attempts(creating('u-1'))).to.equal(3);
      expect(await attempts(creating(''))).to.equal(1);
    });

    it('is any call that the server has not started', async () => {
      const shed = failure('RESOURCE_EXHAUSTED', { retry: { kind: 'not-started', afterMs: 10 } });
      expect(await attemptsOn(shed, notIdempotent)).to.equal(3);
    });

    it('is no call after a failure that another attempt would meet again', async () => {
      const others = CODES.filter((code): code is Code => code !== 'OK' && code !== 'UNAVAILABLE');
      for (const code of others) expect(await attemptsOn(failure(code)), code).to.equal(1);
    });

    it('is what the policy lists', async () => {
      expect(await attemptsOn(failure('ABORTED'), {}, { policy: policyWith({ retries: { codes: ['ABORTED'] } }) })).to.equal(3);
    });

    it('is nothing that was tried often enough further down', async () => {
      expect(await attemptsOn(failure('UNAVAILABLE', { retry: { kind: 'never' } }))).to.equal(1);
    });

    it('is nothing that this process refuses itself: that is to be told at once', async () => {
      for (const reason of ['NO_INSTANCE', 'CONTROL_PLANE_UNAVAILABLE', 'CIRCUIT_OPEN', 'TOO_MANY_CALLS']) {
        const refused = new MeshError('UNAVAILABLE', reason, 'not now', { retry: { kind: 'not-started', afterMs: 1 } });
        expect(await attemptsOn(refused), reason).to.equal(1);
      }
      expect(clock.slept).to.deep.equal([]);
    });

    it('is nothing while retries are off; then the call is left as it is', async () => {
      const transport = fakeTransport(unavailable);
      const call = unaryCall(clock);
      await failureOf(send(transport, call, { policy: policyWith({ retries: { enabled: false, perTryTimeoutMs: 10 } }) }));
      expect(transport.attempts).to.have.length(1);
      expect(transport.attempts[0]).to.equal(call);
    });

    it('is nothing while retries are off, and what the policy says from then on', async () => {
      const policy = policyWith({ retries: { enabled: false } });
      expect(await attemptsOn(unavailable, {}, { policy })).to.equal(1);
      policy.current = policyWith({ retries: { maxAttempts: 5 } }).current;
      expect(await attemptsOn(unavailable, {}, { policy })).to.equal(5);
    });

    it('is what the budget pays for', async () => {
      const counts = noCounts();
      expect(await attemptsOn(unavailable, {}, { budget: spent, counts })).to.equal(1);
      expect(counts).to.include({ retries: 0, refusedByBudget: 1 });
    });
  });

  describe('the pause', () => {
    it('is up to 25 and 50 ms', async () => {
      await attemptsOn(unavailable);
      expect(clock.slept.map(Math.round)).to.deep.equal([25, 50]);
    });

    it('may be none at all: full jitter', async () => {
      await attemptsOn(unavailable, {}, { random: { number: () => 0, bytes: (count) => new Uint8Array(count) } });
      expect(clock.slept).to.deep.equal([0, 0]);
    });

    it('grows no further than it is allowed to', async () => {
      await attemptsOn(unavailable, {}, { policy: policyWith({ retries: { maxAttempts: 60, maxMs: 80 } }) });
      expect(clock.slept.map(Math.round)).to.deep.equal([25, 50, ...Array<number>(57).fill(80)]);
    });

    it('comes after what the server wants to be left alone', async () => {
      await attemptsOn(failure('UNAVAILABLE', { retry: { kind: 'after', afterMs: 200 } }));
      expect(clock.slept.map(Math.round)).to.deep.equal([225, 250]);
    });

    it('is not begun when it would outlast the deadline: the last failure is told at once', async () => {
      expect(await attemptsOn(unavailable, { leftMs: 25 })).to.equal(2);
      expect(await attemptsOn(unavailable, { leftMs: 20 })).to.equal(1);
      expect(await attemptsOn(failure('UNAVAILABLE', { retry: { kind: 'not-started', afterMs: 5_000 } }), { leftMs: 5_000 })).to.equal(1);
    });

    it('ends when the caller goes away', async () => {
      const caller = new AbortController();
      const transport = fakeTransport(failure('UNAVAILABLE', { retry: { kind: 'after', afterMs: 60_000 } }));
      const options = resendOptions({ now: clock.now, sleep: systemClock.sleep });
      const failed = failureOf(retries(options)(transport.invoke)(unaryCall(clock, { signals: [new AbortController().signal, caller.signal] })));
      setImmediate(() => caller.abort());
      expect(await failed).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
      expect(transport.attempts).to.have.length(1);
    });

    it('leaves no listener with the caller’s signal', async () => {
      const { signal } = new AbortController();
      await attemptsOn(unavailable, { signals: [signal] });
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    });

    it('is not begun for a caller who is gone already', async () => {
      const transport = fakeTransport(unavailable);
      expect(await failureOf(send(transport, unaryCall(clock, { signals: [AbortSignal.abort()] })))).to.include({ code: 'CANCELLED' });
      expect(transport.attempts).to.have.length(1);
    });
  });
});
