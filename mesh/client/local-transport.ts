import type { Message } from '@bufbuild/protobuf';
import { ROOT_CONTEXT } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';

import { type ClientCall, type Invoke, isStream, onAbort, type ServerCall, streamOf, whenDone } from '../call.ts';
import { asSeenByCaller } from '../status.ts';

/**
 * Carries calls to a service in the same process, through that service's whole server
 * chain. What differs from the wire is only that no bytes are made (see `fidelity`): headers,
 * deadline, cancellation and errors arrive as they would remotely.
 */
export function localTransport(serve: Invoke<ServerCall>): Invoke<ClientCall> {
  return async ({ method, request, headers, deadline, signals }) => {
    const lifetime = new AbortController();
    const stopListening = onAbort(signals, () => lifetime.abort(refusal('CANCELLED', 'the caller went away')));
    const call: ServerCall = { method, request, header: (name) => headers[name], deadline, lifetime, context: ROOT_CONTEXT };
    try {
      const reply = await whenDone(serve, call, stopListening);
      return isStream(reply) ? readStream(reply, lifetime) : reply;
    } catch (thrown) {
      throw asSeenByCaller(MeshError.from(thrown));
    }
  };
}

/** The stream as its reader sees it. One that stops early cancels the call, as it would remotely. */
function readStream(stream: AsyncIterable<Message>, lifetime: AbortController): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  // The server's chain learns at its next pull that the call is over, and there may be no reader left to pull.
  const conclude = (): Promise<unknown> => source.next().catch(() => {});
  lifetime.signal.addEventListener('abort', conclude, { once: true });
  return streamOf(
    async () => {
      try {
        return await source.next();
      } catch (thrown) {
        throw asSeenByCaller(MeshError.from(thrown));
      }
    },
    async () => {
      lifetime.abort(refusal('CANCELLED', 'the reader stopped'));
      await conclude();
    },
  );
}
