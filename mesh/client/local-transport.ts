import type { Message } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { Context } from '@opentelemetry/api';

import { type AnsweredBy, MeshError, refusal } from '#kit';

import { addAnswerHeader } from '../answer-headers.ts';
import { type ClientCall, type Incoming, type Invoke, isStream, onAbort, type Reply, type ServerCall, streamOf, whenDone } from '../call.ts';
import { firstText, fromMetadata, type Headers, type HeaderValue, noHeaders } from '../headers.ts';
import { type Peer, processPeer } from '../identity/peer.ts';
import { Lifetime } from '../lifetime.ts';
import { NO_CONTEXT } from '../linked-context.ts';
import type { Method } from '../method.ts';
import { asSeenByCaller } from '../status.ts';

/**
 * Carries calls to a service in the same process, through that service's whole server
 * chain. What differs from the wire is only that no bytes are made (see `fidelity`): headers,
 * deadline, cancellation and errors arrive as they would remotely. `instance` is the id that
 * the service is registered under.
 */
export function localTransport(serve: Invoke<ServerCall>, service: string, instance: string | undefined): Invoke<ClientCall> {
  const answeredBy: AnsweredBy = { service, instance };
  const peers = new Map<string, Peer>();

  function peerOf(caller: string): Peer {
    const known = peers.get(caller) ?? processPeer(caller);
    peers.set(caller, known);
    return known;
  }

  return (call) => {
    call.attempt.instance = instance;
    const served = new LocalCall(call, peerOf(call.caller));
    const stopListening = onAbort(call.signals, () => served.lifetime.end(refusal('CANCELLED', 'the caller went away')));
    return whenDone(serve, served, stopListening).then(
      (reply) => answered(reply, call, served, answeredBy),
      (thrown: unknown) => {
        served.tellEnd(call);
        throw asSeenByCaller(MeshError.from(thrown), answeredBy);
      },
    );
  };
}

/** The other side of a call within the process. */
class LocalCall implements ServerCall {
  readonly method: Method;
  readonly peer: Peer;
  request: Incoming;
  deadline: number;
  readonly timed = false;
  readonly local = true;
  readonly lifetime = new Lifetime();
  context: Context = NO_CONTEXT;
  readonly #requestHeaders: Headers;
  #headers: Metadata | undefined;
  #headersTold = false;
  #trailers: Metadata | undefined;

  constructor({ method, request, deadline, headers }: ClientCall, peer: Peer) {
    this.method = method;
    this.peer = peer;
    this.request = request;
    this.deadline = deadline;
    this.#requestHeaders = headers;
  }

  get signal(): AbortSignal {
    return this.lifetime.signal;
  }

  header(name: string): string | undefined {
    return firstText(this.#requestHeaders[name.toLowerCase()]);
  }

  allHeaders(): Headers {
    return { ...this.#requestHeaders };
  }

  /** Read and copied as on the wire: a name or value that gRPC does not allow is the handler's fault here too. */
  setHeader(name: string, value: HeaderValue): void {
    this.#headers = addAnswerHeader(this.#headers, name, value);
  }

  setTrailer(name: string, value: HeaderValue): void {
    this.#trailers = addAnswerHeader(this.#trailers, name, value);
  }

  /** Ahead of the first answer, once: what is set later comes too late, as it does on the wire. */
  tellHeaders({ onHeaders }: ClientCall): void {
    if (this.#headersTold) return;
    this.#headersTold = true;
    onHeaders?.(read(this.#headers));
  }

  /** At the end of the call. */
  tellEnd(call: ClientCall): void {
    this.tellHeaders(call);
    call.onTrailers?.(read(this.#trailers));
  }
}

function read(metadata: Metadata | undefined): Headers {
  return metadata ? fromMetadata(metadata) : noHeaders();
}

function answered(reply: Reply, call: ClientCall, served: LocalCall, answeredBy: AnsweredBy): Reply {
  if (isStream(reply)) return readStream(reply, call, served, answeredBy);
  served.tellEnd(call);
  return reply;
}

/** The stream as its reader sees it. One that stops early cancels the call, as it would remotely. */
function readStream(stream: AsyncIterable<Message>, call: ClientCall, served: LocalCall, answeredBy: AnsweredBy): AsyncIterable<Message> {
  const source = stream[Symbol.asyncIterator]();
  // The server's chain learns at its next pull that the call is over, and there may be no reader left to pull.
  const conclude = (): Promise<unknown> => source.next().catch(() => {});
  served.lifetime.onEnd(() => void conclude());
  return streamOf(
    async () => {
      try {
        const step = await source.next();
        if (step.done) served.tellEnd(call);
        else served.tellHeaders(call);
        return step;
      } catch (thrown) {
        served.tellEnd(call);
        throw asSeenByCaller(MeshError.from(thrown), answeredBy);
      }
    },
    async () => {
      served.lifetime.end(refusal('CANCELLED', 'the reader stopped'));
      await conclude();
    },
  );
}
