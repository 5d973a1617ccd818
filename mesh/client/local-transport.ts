import type { Message } from '@bufbuild/protobuf';

import { MeshError, refusal } from '#kit';

import { type ClientCall, type Invoke, isStream, type ServerCall } from '../call.ts';
import { asSeenByCaller } from '../status.ts';

/**
 * Carries calls to a service in the same process, through that service's whole server
 * chain. What differs from the wire is only that no bytes are made: headers, deadline,
 * cancellation and errors arrive as they would remotely.
 */
export function localTransport(serve: Invoke<ServerCall>): Invoke<ClientCall> {
  return async (call) => {
    const lifetime = new AbortController();
    const cancel = (): void => lifetime.abort(refusal('CANCELLED', 'the caller went away'));
    call.signal?.addEventListener('abort', cancel, { once: true });
    const release = (): void => call.signal?.removeEventListener('abort', cancel);
    try {
      const reply = await serve({
        method: call.method,
        request: call.request,
        header: (name) => call.headers[name],
        deadline: call.deadline,
        lifetime,
        context: call.context,
      });
      if (isStream(reply)) return endWithReader(reply, lifetime, release);
      release();
      return reply;
    } catch (thrown) {
      release();
      throw asSeenByCaller(MeshError.from(thrown));
    }
  };
}

/** A reader that stops early ends the handler's stream, as a cancelled RPC would. */
async function* endWithReader(stream: AsyncIterable<Message>, lifetime: AbortController, release: () => void): AsyncIterable<Message> {
  try {
    yield* stream;
  } catch (thrown) {
    throw asSeenByCaller(MeshError.from(thrown));
  } finally {
    release();
    lifetime.abort(refusal('CANCELLED', 'the reader stopped'));
  }
}
