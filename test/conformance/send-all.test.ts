import { create, type Message } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { type MeshError, refusal } from '#kit';
import { UnaryRequestSchema } from '#proto/connectrpc/conformance/v1/service_pb.js';

import { sendAll } from '../../mesh/client/send-all.ts';
import { until } from '../discovery/support/until.ts';

/** A stream that counts how often it was asked and whether it was left, and fails at its `failsAt`th message. */
function counted(failsAt = Infinity) {
  const told = { asked: 0, left: false };
  async function* make(): AsyncGenerator<Message> {
    try {
      for (;;) {
        if ((told.asked += 1) === failsAt) throw refusal('OUT_OF_STOCK', 'there is no more to send');
        yield create(UnaryRequestSchema);
      }
    } finally {
      told.left = true;
    }
  }
  return { told, stream: make() };
}

describe('sending a stream of requests', () => {
  const takes: (() => void)[] = [];
  const failed: MeshError[] = [];
  let closed = 0;
  const sink = {
    send: (_request: Message, taken: () => void) => void takes.push(taken),
    close: () => void (closed += 1),
    fail: (reason: MeshError) => void failed.push(reason),
  };
  beforeEach(() => {
    takes.length = failed.length = closed = 0;
  });

  it('asks for the next request once the one before it was taken', async () => {
    const { told, stream } = counted();
    const stop = sendAll(stream, sink);
    for (let sent = 1; sent <= 5; sent += 1) {
      await until('it is sent', () => takes.length === sent);
      expect(told.asked).to.equal(sent);
      takes.at(-1)?.();
    }
    stop();
  });

  it('leaves the stream when the call is over, also while a request waits to be taken', async () => {
    const { told, stream } = counted();
    const stop = sendAll(stream, sink);
    await until('one is sent', () => takes.length === 1);
    stop();
    await until('the stream is left', () => told.left);
    expect([told.asked, closed, failed]).to.deep.equal([1, 0, []]);
  });

  it('says why there will be no more, unless the call is over by then', async () => {
    sendAll(counted(1).stream, sink);
    await until('it has failed', () => failed.length === 1);
    expect(failed[0]).to.include({ reason: 'OUT_OF_STOCK' });
    const late = counted(2);
    const stop = sendAll(late.stream, sink);
    await until('one is sent', () => takes.length === 1);
    stop();
    takes[0]?.();
    await until('the stream is left', () => late.told.left);
    expect([closed, failed.length]).to.deep.equal([0, 1]);
  });
});
