import { getEventListeners } from 'node:events';

import { expect } from 'chai';

import { refusal, systemClock } from '#kit';
import type { CallOptions, Handlers, Headers } from '#mesh';
import { ConformanceService } from '#proto/connectrpc/conformance/v1/service_pb.js';

import { until } from '../../discovery/support/until.ts';
import { type Transport, useFleet } from '../support/fleet.ts';
import { allOf, failureOf } from '../support/outcome.ts';
import { answer, answerOf, requests, text, textOf } from '../support/request-streams.ts';

/** Of the calls that must leave nothing. */
const AT_ONCE = 10;

type Service = Handlers<typeof ConformanceService>;

/** A stream of requests: in order, no faster than its handler, with headers and trailers. */
export function clientStreams(transport: Transport): void {
  const fleet = useFleet(transport);
  const host = (handlers: Partial<Service>) => fleet().host(ConformanceService, () => handlers);
  const client = () => fleet().client(ConformanceService);
  const collect: Service['clientStream'] = async (sent) => answer((await allOf(sent)).map(textOf).join(' '));
  const echo: Service['bidiStream'] = async function* (sent) {
    for await (const request of sent) yield answer(textOf(request));
  };

  describe('a stream of requests', () => {
    it('comes in whole, in order, and is answered once', async () => {
      await host({ clientStream: collect });
      const all = Array.from({ length: 500 }, (_, index) => String(index + 1));
      expect(answerOf(await client().clientStream(requests(500).stream))).to.equal(all.join(' '));
    });

    it('can be empty, whether one answer follows or several', async () => {
      await host({
        clientStream: collect,
        async *bidiStream(sent) {
          yield answer(`${(await allOf(sent)).length} came`);
        },
      });
      expect(answerOf(await client().clientStream(requests(0).stream))).to.equal('');
      expect((await allOf(client().bidiStream(requests(0).stream))).map(answerOf)).to.deep.equal(['0 came']);
    });

    it('is answered as it comes, one for one', async () => {
      await host({ bidiStream: echo });
      let answered = 0;
      async function* inTurns() {
        for (let turn = 0; turn < 8; turn += 1) {
          await until('the last one is answered', () => answered === turn);
          yield text(String(turn));
        }
      }
      for await (const one of client().bidiStream(inTurns())) expect(answerOf(one)).to.equal(String((answered += 1) - 1));
      expect(answered).to.equal(8);
    });

    it('waits for a slow handler', async () => {
      const { told, stream } = requests(Infinity, () => 'x'.repeat(64 * 1024));
      let settledAt = -1;
      await host({
        async clientStream(sent) {
          for await (const _first of sent) {
            // What fits between the two sides is made ahead, and then no more.
            await until('no more is made', async () => settledAt === (settledAt = await countAfter(50, () => told.made)), 10_000);
            break;
          }
          return {};
        },
      });
      await client().clientStream(stream);
      expect(settledAt).to.be.within(1, 200);
      await until('nothing more is asked for', () => told.left);
    });

    it('goes on while its answers wait for a slow reader, who holds the handler back', async () => {
      let made = 0;
      let settledAt = -1;
      await host({
        async *bidiStream(sent) {
          await sent[Symbol.asyncIterator]().next();
          for (;;) yield answer(`${(made += 1)} `.padEnd(64 * 1024));
        },
      });
      const { told, stream } = requests(1);
      let read = 0;
      for await (const _answer of client().bidiStream(stream)) {
        if ((read += 1) === 1) await until('no more is made', async () => settledAt === (settledAt = await countAfter(50, () => made)), 10_000);
        if (read === 20) break;
      }
      expect(settledAt).to.be.within(1, 200);
      expect(told.made).to.equal(1);
    });
  });

  describe('headers and trailers', () => {
    const BYTES = Buffer.from([0, 1, 2, 254, 255]);
    const sent: Headers = { 'x-text': 'a', 'x-several': ['b', 'c'], 'x-bytes-bin': BYTES, 'x-both-bin': [BYTES, Buffer.from('d')] };

    /** As they are however a transport joins the values of one name: text by commas, bytes by base64. */
    const plain = (headers: Headers | undefined, names = Object.keys(sent)) =>
      names.map((name) => [name, [headers?.[name] ?? []].flat().map((value) => (typeof value === 'string' ? value : Buffer.from(value).toString('base64'))).join(', ')]);

    it('go both ways, bytes and repeated names too', async () => {
      let received: Headers | undefined;
      await host({
        async *bidiStream(messages, call) {
          received = call.allHeaders();
          for (const [name, value] of Object.entries(sent)) {
            call.setHeader(name, value);
            call.setTrailer(name, value);
          }
          yield answer(`${(await allOf(messages)).length}`);
        },
      });
      let headers: Headers | undefined;
      let trailers: Headers | undefined;
      const options: CallOptions = { headers: sent, onHeaders: (got) => (headers = got), onTrailers: (got) => (trailers = got) };
      await allOf(client().bidiStream(requests(2).stream, options));
      for (const got of [received, headers, trailers]) expect(plain(got)).to.deep.equal(plain(sent));
    });

    it('come with an error as well', async () => {
      await host({
        async clientStream(messages, call) {
          await allOf(messages);
          call.setHeader('x-text', 'ahead');
          call.setTrailer('x-bytes-bin', BYTES);
          throw refusal('ORDER_NOT_FOUND', 'there is no such order');
        },
      });
      let headers: Headers | undefined;
      let trailers: Headers | undefined;
      await failureOf(client().clientStream(requests(1).stream, { onHeaders: (got) => (headers = got), onTrailers: (got) => (trailers = got) }));
      expect([plain(headers, ['x-text']), plain(trailers, ['x-bytes-bin'])]).to.deep.equal([[['x-text', 'ahead']], plain(sent, ['x-bytes-bin'])]);
    });
  });

  describe('after 1,000 streams of requests', function () {
    this.timeout(30_000);

    it('nothing is left, whether they were read to their end or not', async () => {
      await host({ clientStream: collect, bidiStream: echo });
      const { signal } = new AbortController();
      await client().clientStream(requests(1).stream);
      const timersBefore = timers();
      let open = 0;
      async function* counted() {
        open += 1;
        try {
          for (const value of ['1', '2', '3']) yield text(value);
        } finally {
          open -= 1;
        }
      }
      const oneOf = async (index: number): Promise<void> => {
        if (index % 2) return void (await client().clientStream(counted(), { signal }));
        for await (const _answer of client().bidiStream(counted(), { signal })) if (index % 4) break;
      };
      for (let index = 0; index < 1_000; index += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, offset) => oneOf(index + offset)));
      await until('every stream of requests is left', () => open === 0);
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
      await until('no timer is left', () => timers() <= timersBefore);
    });
  });
}

async function countAfter(ms: number, count: () => number): Promise<number> {
  await systemClock.sleep(ms);
  return count();
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
