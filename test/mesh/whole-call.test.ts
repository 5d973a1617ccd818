import { create, type Message } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { type MeshError, refusal } from '#kit';
import { GetUserResponseSchema } from '#proto/shop/user/v1/user_pb.js';

import { type Invoke, isStream, type Reply, whenDone } from '../../mesh/call.ts';
import { compose } from '../../mesh/chain.ts';
import { allOf, failureOf } from './support/outcome.ts';

const message = create(GetUserResponseSchema);

/** A call through `whenDone` alone, and what it was told at the end. */
async function watched(reply: () => Promise<Reply>): Promise<{ reply: Reply; ends: (MeshError | undefined)[] }> {
  const ends: (MeshError | undefined)[] = [];
  return { ends, reply: await whenDone(reply, undefined, (error) => ends.push(error)) };
}

async function watchedStream(stream: AsyncIterable<Message>) {
  const { reply, ends } = await watched(async () => stream);
  if (!isStream(reply)) throw new Error('a stream stays a stream');
  return { iterator: reply[Symbol.asyncIterator](), stream: reply, ends };
}

async function* threeMessages(): AsyncIterable<Message> {
  yield message;
  yield message;
  yield message;
}

describe('whoever waits for the end of a call', () => {
  it('hears of an answer when it is there', async () => {
    const { reply, ends } = await watched(async () => message);
    expect(reply).to.equal(message);
    expect(ends).to.deep.equal([undefined]);
  });

  it('hears of an error, made a MeshError, and so does the caller', async () => {
    const ends: (MeshError | undefined)[] = [];
    const seen = await failureOf(whenDone(() => Promise.reject(new TypeError('bug')), undefined, (error) => ends.push(error)));
    expect(seen.code).to.equal('INTERNAL');
    expect(ends).to.deep.equal([seen]);
  });

  it('hears of a stream once, after its last message', async () => {
    const { iterator, stream, ends } = await watchedStream(threeMessages());
    await iterator.next();
    expect(ends).to.deep.equal([]);
    expect(await allOf(stream)).to.have.length(2);
    await iterator.next();
    await iterator.return?.();
    expect(ends).to.deep.equal([undefined]);
  });

  it('hears of a stream’s error once', async () => {
    const failure = refusal('ORDER_NOT_FOUND', 'there is no order o-1');
    const { stream, ends } = await watchedStream(
      (async function* () {
        yield message;
        throw failure;
      })(),
    );
    expect(await failureOf(allOf(stream))).to.equal(failure);
    expect(ends).to.deep.equal([failure]);
  });

  for (const pulled of [0, 1]) {
    it(`hears of a reader that stops after ${pulled} messages, and the source too`, async () => {
      let left = 0;
      const source: AsyncIterable<Message> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: false, value: message }),
          async return() {
            left += 1;
            return { done: true, value: undefined };
          },
        }),
      };
      const { iterator, ends } = await watchedStream(source);
      for (let count = 0; count < pulled; count += 1) await iterator.next();
      await iterator.return?.();
      expect([ends, left]).to.deep.equal([[undefined], 1]);
    });
  }
});

describe('a chain', () => {
  it('runs its interceptors from the first to the last, and back', async () => {
    const steps: string[] = [];
    const named = (name: string) => (next: Invoke<string>) => async (call: string) => {
      steps.push(`${name} ${call}`);
      const reply = await next(call);
      steps.push(`${name} answered`);
      return reply;
    };
    const chain = compose([named('outer'), named('inner')], async () => message);
    expect(await chain('call')).to.equal(message);
    expect(steps).to.deep.equal(['outer call', 'inner call', 'inner answered', 'outer answered']);
  });
});
