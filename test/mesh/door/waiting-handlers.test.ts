import { constants } from 'node:http2';

import type { Message } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { describeMethod } from '#mesh';

import type { Invoke, ServerCall } from '../../../mesh/call.ts';
import { DOOR_LIMITS } from '../../../mesh/server/door/limits.ts';
import { addChains, createGrpcServer } from '../../../mesh/server/grpc-server.ts';
import { until } from '../../discovery/support/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';
import { CHAT, contract, MESSAGE } from './support/echo-contract.ts';
import { useHttp2Callers } from './support/http2-caller.ts';
import { createHurriedClock } from './support/hurried-clock.ts';

describe('a handler that does not read its requests at once', () => {
  const clock = createHurriedClock(100);
  const grpc = createGrpcServer({ clock, log: captureLog('warn').log });
  const ready = Promise.withResolvers<void>();
  let port: number;
  const connect = useHttp2Callers(() => port);

  async function* echoLater(call: ServerCall): AsyncGenerator<Message> {
    await ready.promise;
    // The method takes a stream.
    for await (const message of call.request as AsyncIterable<Message>) {
      call.seal?.(message);
      yield message;
    }
  }
  const chat: Invoke<ServerCall> = async (call) => echoLater(call);

  before(async () => {
    addChains(grpc, new Map(contract.methods.filter(({ name }) => name === 'Chat').map((desc) => [describeMethod(desc), chat])));
    port = await grpc.door.listen('127.0.0.1', 0);
  });
  after(() => {
    grpc.door.hurry();
    return grpc.door.close(0);
  });

  it('has them all the same: its caller is not taken for one that sends none', async () => {
    const began = clock.now();
    const call = connect().begin(CHAT).end(MESSAGE);
    let bytes = 0;
    call.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await until('a request would have to be there', () => clock.now() - began > 3 * DOOR_LIMITS.requestMs);
    ready.resolve();
    await until('it is over', () => call.closed);
    expect([call.rstCode, bytes, grpc.door.read()['half-open']]).to.deep.equal([constants.NGHTTP2_NO_ERROR, MESSAGE.length, 0]);
  });
});
