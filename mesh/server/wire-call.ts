import type { ServerHttp2Stream } from 'node:http2';

import type { Message } from '@bufbuild/protobuf';
import { type Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import type { Context } from '@opentelemetry/api';

import { type Clock, MeshError } from '#kit';

import { addAnswerHeader } from '../answer-headers.ts';
import { type Incoming, type Invoke, isStream, type Reply, type ServerCall } from '../call.ts';
import { fromMetadata, type Headers, type HeaderValue } from '../headers.ts';
import type { Peer } from '../identity/peer.ts';
import { Lifetime } from '../lifetime.ts';
import { NO_CONTEXT } from '../linked-context.ts';
import { type Decoded, encodeAnswer } from '../messages.ts';
import type { Method } from '../method.ts';
import { toStatus } from '../status.ts';
import { whyOver } from './deadline.ts';
import { breakOff, resetLingering } from './lingering-streams.ts';
import { createMessageQueue, type MessageQueue } from './message-queue.ts';
import type { OpenCalls } from './open-calls.ts';
import { NO_REQUEST, SEVERAL_REQUESTS } from './request-count.ts';
import { sendAll } from './send-all.ts';

/** What the calls of a server share. */
export interface WireHost {
  readonly open: OpenCalls;
  readonly clock: Clock;
}

/** A call that came over the wire: what grpc-js tells of it on one side, the chain's ServerCall on the other. One object a call is all there is to allocate. */
export class WireCall implements ServerCall {
  readonly method: Method;
  readonly peer: Peer;
  readonly lifetime = new Lifetime();
  request: Incoming = NO_REQUEST;
  deadline: number;
  readonly timed: boolean;
  readonly local = false;
  context: Context = NO_CONTEXT;
  readonly #invoke: Invoke<ServerCall>;
  readonly #wire: ServerInterceptingCallInterface;
  readonly #host: WireHost;
  readonly #stream: ServerHttp2Stream | undefined;
  #metadata: Metadata | undefined;
  #incoming: MessageQueue | undefined;
  #sealed: Buffer | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;
  #serving = false;
  #over = false;

  constructor(method: Method, invoke: Invoke<ServerCall>, wire: ServerInterceptingCallInterface, host: WireHost, peer: Peer, stream?: ServerHttp2Stream) {
    this.method = method;
    this.peer = peer;
    this.#invoke = invoke;
    this.#wire = wire;
    this.#host = host;
    this.#stream = stream;
    this.deadline = Number(wire.getDeadline());
    this.timed = this.deadline !== Infinity;
  }

  get signal(): AbortSignal {
    return this.lifetime.signal;
  }

  header(name: string): string | undefined {
    const value = this.#metadata?.get(name)[0];
    return typeof value === 'string' ? value : undefined;
  }

  allHeaders(): Headers {
    return this.#metadata ? fromMetadata(this.#metadata) : {};
  }

  setHeader(name: string, value: HeaderValue): void {
    this.#headers = addAnswerHeader(this.#headers, name, value);
  }

  setTrailer(name: string, value: HeaderValue): void {
    this.#trailers = addAnswerHeader(this.#trailers, name, value);
  }

  seal(answer: Message): void {
    this.#sealed = encodeAnswer(this.method, answer);
  }

  /** Begins to listen; the chain runs once there is something to serve. */
  begin(): void {
    this.#wire.start(this);
  }

  /** The call is open from its headers on, until its answer is out: a stop waits for what is on its way, in and out. */
  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
    this.#host.open.add(this, this.method);
    if (!this.method.requestStreams) return this.#wire.startRead();
    this.#incoming = createMessageQueue(() => this.#wire.startRead());
    this.request = this.#incoming.messages;
    this.#serve();
  }

  onReceiveMessage(message: Decoded): void {
    if (this.#incoming) return this.#incoming.push(message);
    this.request = this.request === NO_REQUEST ? message : SEVERAL_REQUESTS;
    this.#wire.startRead();
  }

  onReceiveHalfClose(): void {
    if (this.#incoming) this.#incoming.endUnlessReset();
    else this.#serve();
  }

  /** The caller went away, the answer went out, or the deadline passed, also behind an answer that did not go out. */
  onCancel(): void {
    this.#host.open.delete(this);
    resetLingering(this.#stream);
    if (this.#over) return;
    this.#over = true;
    const reason = whyOver(this, this.#host.clock.now());
    this.lifetime.end(reason);
    this.#incoming?.end(reason);
  }

  /** Ends the call from this side, unless it has been answered. */
  end(reason: MeshError): void {
    if (this.#over) return;
    this.lifetime.end(reason);
    if (!this.#serving) this.#refuse(reason);
  }

  /** Not for a call that was over before its request was there. */
  #serve(): void {
    if (this.#over) return;
    this.#serving = true;
    try {
      this.#invoke(this).then(
        (reply) => this.#answer(reply),
        (thrown: unknown) => this.#refuse(thrown),
      );
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  #answer(reply: Reply): void {
    if (isStream(reply)) return this.#answerAll(reply);
    try {
      this.#send(() => {});
      this.#finish();
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  #answerAll(replies: AsyncIterable<Message>): void {
    sendAll(replies, (sent) => this.#send(sent), this.lifetime, this.#stream)
      .then(() => this.#finish())
      .catch((thrown: unknown) => this.#refuse(thrown));
  }

  /** Sends the answer that was sealed last. */
  #send(sent: () => void): void {
    const bytes = this.#sealed;
    if (!bytes) throw new Error(`an interceptor of ${this.method.fullName} answered in place of its handler, and did not seal the answer`);
    this.#sealed = undefined;
    this.#sendHeaders();
    this.#wire.sendMessage(bytes, sent);
  }

  /** Once; grpc-js sends empty ones by itself. */
  #sendHeaders(): void {
    if (!this.#headers) return;
    this.#wire.sendMetadata(this.#headers);
    this.#headers = undefined;
  }

  #finish(): void {
    this.#sendHeaders();
    this.#wire.sendStatus({ code: status.OK, details: '', metadata: this.#trailers ?? null });
    this.#over = true;
  }

  #refuse(thrown: unknown): void {
    this.#over = true;
    try {
      const answer = toStatus(MeshError.from(thrown));
      if (this.#trailers) answer.metadata.merge(this.#trailers);
      this.#sendHeaders();
      this.#wire.sendStatus(answer);
    } catch {
      // A call that fails in whatever way must end, and alone.
      breakOff(this.#wire, this.#stream);
    }
    // grpc-js comes back at the caller's deadline; behind a contract's deadline, or a drain, nobody does.
    if (this.lifetime.reason) resetLingering(this.#stream);
  }
}
