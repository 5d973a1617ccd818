import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import type { CallContext, Handlers } from '#mesh';
import { ConformanceService } from '#proto/connectrpc/conformance/v1/service_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf, forever } from '../support/outcome.ts';
import { answer, answerOf, requests, text, textOf } from '../support/request-streams.ts';

/** A stream of requests is over when either side is, and each hears why. */
export function clientStreamEnds(transport: Transport): void {
  const fleet = useFleet(transport);
  // A caller on Node ends its stream before it resets it: a handler that is quick takes the first for the end.
  const toldApart = transport !== 'remote';
  const host = (handlers: Partial<Handlers<typeof ConformanceService>>) => fleet().host(ConformanceService, () => handlers);
  const client = () => fleet().client(ConformanceService);

  describe('a handler that answers before its caller has sent everything', () => {
    it('is heard at once, and nothing more is asked of the caller', async () => {
      await host({
        async clientStream(sent) {
          const first = await sent[Symbol.asyncIterator]().next();
          return answer(first.done ? 'nothing' : textOf(first.value));
        },
      });
      const { told, stream } = requests(Infinity);
      expect(answerOf(await client().clientStream(stream))).to.equal('1');
      await until('nothing more is asked for', () => told.left);
    });

    it('ends its own stream, and the caller’s with it', async () => {
      await host({
        async *bidiStream(sent) {
          for await (const request of sent) {
            yield answer(textOf(request));
            if (textOf(request) === '3') return;
          }
        },
      });
      const { told, stream } = requests(Infinity);
      expect((await allOf(client().bidiStream(stream))).map(answerOf)).to.deep.equal(['1', '2', '3']);
      await until('nothing more is asked for', () => told.left);
    });

    it('with an error is heard too', async () => {
      await host({ clientStream: () => Promise.reject(refusal('ORDER_NOT_FOUND', 'there is no such order')) });
      const { told, stream } = requests(Infinity);
      expect(await failureOf(client().clientStream(stream))).to.include({ code: 'NOT_FOUND', reason: 'ORDER_NOT_FOUND' });
      await until('nothing more is asked for', () => told.left || told.made === 0);
    });
  });

  /** Hosts a handler that reads to the end and tells how it ended. */
  async function hostReader() {
    const seen: { messages: number; over: boolean; failure?: unknown; call?: CallContext } = { messages: 0, over: false };
    await host({
      async clientStream(sent, call) {
        seen.call = call;
        try {
          for await (const _request of sent) seen.messages += 1;
        } catch (thrown) {
          seen.failure = thrown;
          throw thrown;
        } finally {
          seen.over = true;
        }
        return {};
      },
    });
    return seen;
  }

  /** Three requests, and then nothing, also no end. */
  async function* unending(left: () => void) {
    try {
      for (const value of ['1', '2', '3']) yield text(value);
      await forever();
    } finally {
      left();
    }
  }

  describe('a caller whose own stream fails', () => {
    it('is told so, and its handler does not wait for more', async () => {
      const seen = await hostReader();
      async function* failing() {
        yield text('1');
        await until('the first message came', () => seen.messages === 1);
        throw refusal('OUT_OF_STOCK', 'there is no more to send');
      }
      expect(await failureOf(client().clientStream(failing()))).to.include({ code: 'FAILED_PRECONDITION', reason: 'OUT_OF_STOCK' });
      await until('the handler is over', () => seen.over);
    });
  });

  describe('a stream of requests whose caller goes away', () => {
    it('is CANCELLED, and its handler ends', async () => {
      const seen = await hostReader();
      const caller = new AbortController();
      const failure = failureOf(client().clientStream(unending(() => {}), { signal: caller.signal }));
      await until('the messages came', () => seen.messages === 3);
      caller.abort();
      expect(await failure).to.include({ code: 'CANCELLED', reason: 'CANCELLED' });
      await until('the handler is over', () => seen.over);
      if (toldApart) expect(seen.failure).to.include({ code: 'CANCELLED' });
      if (toldApart) expect(seen.call?.signal.aborted).to.equal(true);
      expect(fleet().log).to.deep.equal([]);
    });

    it('ends when the reader of its answers stops', async () => {
      let ended = false;
      await host({
        async *bidiStream(sent) {
          try {
            for await (const request of sent) yield answer(textOf(request));
          } finally {
            ended = true;
          }
        },
      });
      const { told, stream } = requests(Infinity);
      for await (const _answer of client().bidiStream(stream)) break;
      await until('both sides have ended', () => ended && told.left);
    });
  });

  describe('a stream of requests that outlasts its deadline', () => {
    it('ends on both sides', async () => {
      const seen = await hostReader();
      const failure = await failureOf(client().clientStream(unending(() => {}), { deadlineMs: 100 }));
      expect(failure).to.include({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_EXCEEDED' });
      await until('the handler is over', () => seen.over);
      if (toldApart) expect(seen.failure).to.have.property('code').that.is.oneOf(['DEADLINE_EXCEEDED', 'CANCELLED']);
      expect(seen.messages).to.equal(3);
    });
  });

  describe('a message that breaks its contract', () => {
    it('refuses the call when its turn comes, with the path of the field', async () => {
      const seen = await hostReader();
      async function* thirdIsBroken() {
        yield text('1');
        yield text('2');
        yield { responseDefinition: { responseHeaders: [{ name: 'x-note', value: ['a\u0000b'] }] } };
        yield text('4');
      }
      const refused = await failureOf(client().clientStream(thirdIsBroken()));
      expect(refused).to.include({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT' });
      expect(refused.violations.map(({ field }) => field)).to.deep.equal(['response_definition.response_headers[0].value[0]']);
      expect(seen.messages).to.equal(2);
    });
  });

  describe('an error behind answers', () => {
    it('does not swallow those that a slow reader has not taken yet', async () => {
      let failed = false;
      await host({
        async *bidiStream() {
          for (let sequence = 1; sequence <= 5; sequence += 1) yield answer(String(sequence));
          // Past what is on its way: grpc-js drops messages that come in one read with an error.
          await systemClock.sleep(20);
          failed = true;
          throw refusal('ORDER_NOT_FOUND', 'there is no such order');
        },
      });
      const read: string[] = [];
      const reading = (async () => {
        for await (const one of client().bidiStream(requests(0).stream)) {
          read.push(answerOf(one));
          if (transport === 'remote') await until('the handler has failed', () => failed);
        }
      })();
      expect(await failureOf(reading)).to.include({ reason: 'ORDER_NOT_FOUND' });
      expect(read).to.deep.equal(['1', '2', '3', '4', '5']);
    });
  });
}
