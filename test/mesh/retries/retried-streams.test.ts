import type { Message } from '@bufbuild/protobuf';
import { expect } from 'chai';

import type { MeshError } from '#kit';
import type { ClientCall, Invoke } from '#mesh';

import { isStream, onAbort, streamOf } from '../../../mesh/call.ts';
import { retries } from '../../../mesh/client/retries.ts';
import { until } from '../../discovery/support/until.ts';
import { allOf, failureOf } from '../support/outcome.ts';
import { answer, type CallChanges, failure, policyWith, resendOptions, streamingCall } from './support/calls.ts';
import { createInstantClock, type InstantClock } from './support/instant-clock.ts';
import { createRuledSchedule, type RuledSchedule } from './support/ruled-schedule.ts';

const unavailable = failure('UNAVAILABLE');

/** What an attempt's stream does: so many messages, then a failure, its end, or nothing any more. */
interface Script {
  readonly messages: number;
  readonly ends: MeshError | 'end' | 'silence';
}

describe('a retried stream of answers', () => {
  let clock: InstantClock;
  let attempts: ClientCall[];
  let left: number;
  let timers: RuledSchedule;
  beforeEach(() => {
    timers = createRuledSchedule();
    clock = createInstantClock();
    attempts = [];
    left = 0;
  });

  /** A transport whose streams go as written, one after another; the last script holds for all that follow. */
  function scripted(...scripts: readonly Script[]): Invoke<ClientCall> {
    return async (call) => {
      const { messages, ends } = scripts[Math.min(attempts.length, scripts.length - 1)] ?? { messages: 0, ends: 'end' };
      attempts.push(call);
      let sent = 0;
      const next = async (): Promise<IteratorResult<Message>> => {
        if (sent++ < messages) return { done: false, value: answer() };
        if (ends === 'end') return { done: true, value: undefined };
        if (ends !== 'silence') throw ends;
        return new Promise((_resolve, reject) => void onAbort(call.signals, () => reject(failure('CANCELLED'))));
      };
      return streamOf(next, () => void (left += 1));
    };
  }

  async function open(transport: Invoke<ClientCall>, changes: CallChanges = {}): Promise<AsyncIterable<Message>> {
    const reply = await retries(resendOptions(clock))(transport)(streamingCall(clock, changes));
    if (!isStream(reply)) throw new Error('a stream was expected');
    return reply;
  }

  it('is begun again while its first message is not there', async () => {
    const stream = await open(scripted({ messages: 0, ends: unavailable }, { messages: 3, ends: 'end' }));
    expect(await allOf(stream)).to.have.length(3);
    expect(attempts.map(({ attempt }) => attempt.number)).to.deep.equal([1, 2]);
  });

  it('is begun again when it cannot be opened', async () => {
    const working = scripted({ messages: 1, ends: 'end' });
    let opened = 0;
    const stream = await open((call) => (++opened === 1 ? Promise.reject(unavailable) : working(call)));
    expect(await allOf(stream)).to.have.length(1);
    expect(opened).to.equal(2);
  });

  it('is its reader’s matter once a message is there', async () => {
    const stream = await open(scripted({ messages: 2, ends: unavailable }));
    expect(await failureOf(allOf(stream))).to.equal(unavailable);
    expect(attempts).to.have.length(1);
  });

  it('may end without a message', async () => {
    expect(await allOf(await open(scripted({ messages: 0, ends: 'end' })))).to.deep.equal([]);
    expect(attempts).to.have.length(1);
  });

  it('fails with the last failure, and does so again when it is pulled again', async () => {
    const pulled = (await open(scripted({ messages: 0, ends: unavailable })))[Symbol.asyncIterator]();
    expect(await failureOf(pulled.next())).to.equal(unavailable);
    expect(await failureOf(pulled.next())).to.equal(unavailable);
    expect(attempts).to.have.length(3);
  });

  it('of a method that may not be called twice is begun once', async () => {
    const stream = await open(scripted({ messages: 0, ends: unavailable }), { method: { idempotent: false } });
    await failureOf(allOf(stream));
    expect(attempts).to.have.length(1);
  });

  it('hands on messages that are pulled at once, in their order', async () => {
    const pulled = (await open(scripted({ messages: 2, ends: 'end' })))[Symbol.asyncIterator]();
    const steps = await Promise.all([pulled.next(), pulled.next(), pulled.next()]);
    expect(steps.map(({ done }) => done)).to.deep.equal([false, false, true]);
    expect(attempts).to.have.length(1);
  });

  it('that nobody reads is not begun', async () => {
    const stream = (await open(scripted({ messages: 1, ends: 'end' })))[Symbol.asyncIterator]();
    await stream.return?.();
    expect(attempts).to.deep.equal([]);
  });

  it('is cancelled by a reader who leaves before its first message', async () => {
    const pulled = (await open(scripted({ messages: 0, ends: 'silence' })))[Symbol.asyncIterator]();
    const first = failureOf(pulled.next());
    await pulled.return?.();
    expect(await first).to.include({ code: 'CANCELLED' });
    expect(attempts).to.have.length(1);
  });

  it('is cancelled with its caller', async () => {
    const caller = new AbortController();
    const first = failureOf(allOf(await open(scripted({ messages: 0, ends: 'silence' }), { signals: [caller.signal] })));
    caller.abort();
    expect(await first).to.include({ code: 'CANCELLED' });
  });

  it('is left where it is when its reader leaves later', async () => {
    for await (const message of await open(scripted({ messages: 2, ends: 'silence' }))) {
      expect(message).to.be.an('object');
      break;
    }
    expect(left).to.equal(1);
  });

  describe('whose attempts have 300 ms each', () => {
    const policy = policyWith({ retries: { perTryTimeoutMs: 300 } });
    const pull = async (transport: Invoke<ClientCall>): Promise<AsyncIterator<Message>> => {
      const reply = await retries(resendOptions(clock, { policy, schedule: timers.schedule }))(transport)(streamingCall(clock));
      if (!isStream(reply)) throw new Error('a stream was expected');
      return reply[Symbol.asyncIterator]();
    };

    it('has that long for its first message, and the call’s time for the others', async () => {
      const pulled = await pull(scripted({ messages: 2, ends: 'end' }));
      const first = pulled.next();
      expect(timers.waitingMs()).to.deep.equal([300]);
      expect((await first).done).to.be.false;
      expect(timers.waitingMs()).to.deep.equal([]);
      expect(attempts[0]?.deadline).to.equal(clock.now() + 3_600_000);
      expect((await pulled.next()).done).to.be.false;
    });

    it('is begun again when its first message is late', async () => {
      const pulled = await pull(scripted({ messages: 0, ends: 'silence' }, { messages: 1, ends: 'end' }));
      const first = pulled.next();
      timers.goOff();
      expect((await first).done).to.be.false;
      expect(attempts.map(({ signals }) => signals.some(({ aborted }) => aborted))).to.deep.equal([true, false]);
    });

    it('fails when all of them are late', async () => {
      const pulled = await pull(scripted({ messages: 0, ends: 'silence' }));
      const first = failureOf(pulled.next());
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        await until('an attempt waits', () => timers.waitingMs().length === 1);
        timers.goOff();
      }
      expect(await first).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
      expect(attempts).to.have.length(3);
    });

    it('passes on what fails in time', async () => {
      const failed = failure('NOT_FOUND');
      expect(await failureOf((await pull(scripted({ messages: 0, ends: failed }))).next())).to.equal(failed);
      expect(timers.waitingMs()).to.deep.equal([]);
    });
  });
});
