import type { Message } from '@bufbuild/protobuf';
import { type Metadata, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import type { Context } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';

import { type Incoming, type Invoke, isStream, type Reply, type ServerCall } from '../call.ts';
import { addHeader, fromMetadata, type Headers, type HeaderValue, UnpaddedMetadata } from '../headers.ts';
import { Lifetime } from '../lifetime.ts';
import { type Decoded, encodeAnswer } from '../messages.ts';
import type { Method } from '../method.ts';
import { NO_CONTEXT } from '../linked-context.ts';
import { toStatus } from '../status.ts';
import { pastDeadline } from './deadline.ts';
import { createMessageQueue, type MessageQueue } from './message-queue.ts';
import type { OpenCalls } from './open-calls.ts';

/** Answers on their way out that a stream may have before its reader must catch up. */
const MAX_UNSENT = 16;
/** What a call has for a request until its message comes, and when it gets more than one. */
const NO_REQUEST = refusal('MESSAGE_COUNT', 'the method takes one request message and got none; send it before the end of the stream');
const SEVERAL_REQUESTS = refusal('MESSAGE_COUNT', 'the method takes one request message and got more; send one');
/** grpc-js's timer may be this much early by the wall clock. */
const EARLY_MS = 2;

/**
 * A call that came over the wire: what grpc-js tells of it on one side, the chain's ServerCall on the other. A class, for
 * it is a listener with a state, and one object a call is all there is to allocate.
 */
export class WireCall implements ServerCall {
  readonly method: Method;
  readonly lifetime = new Lifetime();
  request: Incoming = NO_REQUEST;
  deadline: number;
  readonly timed: boolean;
  readonly local = false;
  context: Context = NO_CONTEXT;
  readonly #invoke: Invoke<ServerCall>;
  readonly #wire: ServerInterceptingCallInterface;
  readonly #open: OpenCalls;
  #metadata: Metadata | undefined;
  #incoming: MessageQueue | undefined;
  #sealed: Buffer | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;
  #over = false;
  #unsent = 0;
  #caughtUp = (): void => {};

  constructor(method: Method, invoke: Invoke<ServerCall>, wire: ServerInterceptingCallInterface, open: OpenCalls) {
    this.method = method;
    this.#invoke = invoke;
    this.#wire = wire;
    this.#open = open;
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
    addHeader((this.#headers ??= new UnpaddedMetadata()), name, value);
  }

  setTrailer(name: string, value: HeaderValue): void {
    addHeader((this.#trailers ??= new UnpaddedMetadata()), name, value);
  }

  seal(answer: Message): void {
    this.#sealed = encodeAnswer(this.method, answer);
  }

  /** Begins to listen; the chain runs once there is something to serve. */
  begin(): void {
    this.#wire.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#metadata = metadata;
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
    if (this.#incoming) this.#endRequests();
    else this.#serve();
  }

  /**
   * A caller on Node that goes away ends its stream of requests first, and resets it in the next frame: half a stream would
   * pass for a whole one. The reset of a caller near by is there after at most two turns of the event loop.
   */
  #endRequests(): void {
    setImmediate(() => setImmediate(() => this.#incoming?.end()));
  }

  /** grpc-js says so also behind each answer, and at the deadline. */
  onCancel(): void {
    if (this.#over) return;
    const reason = Date.now() + EARLY_MS < this.deadline ? refusal('CANCELLED', 'the caller went away') : pastDeadline(this.method);
    this.#release();
    this.lifetime.end(reason);
    this.#incoming?.end(reason);
  }

  #serve(): void {
    this.#open.add(this.lifetime, this.method);
    this.#invoke(this).then(
      (reply) => this.#answer(reply),
      (thrown: unknown) => this.#refuse(thrown),
    );
  }

  #answer(reply: Reply): void {
    if (isStream(reply)) return void this.#pump(reply).catch((thrown: unknown) => this.#refuse(thrown));
    this.#send(() => {});
    this.#finish();
  }

  async #pump(answers: AsyncIterable<Message>): Promise<void> {
    const sent = (): void => {
      this.#unsent -= 1;
      this.#caughtUp();
    };
    for await (const _ of answers) {
      this.#unsent += 1;
      this.#send(sent);
      if (this.#unsent >= MAX_UNSENT) await this.#untilCaughtUp();
    }
    this.#finish();
  }

  /** Until an answer went out. To a caller that went away none will: the call's end is the way out. */
  #untilCaughtUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#caughtUp = () => {
        this.lifetime.offEnd(this.#caughtUp);
        this.#caughtUp = () => {};
        resolve();
      };
      this.lifetime.onEnd(this.#caughtUp);
    });
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
    this.#release();
    this.#sendHeaders();
    this.#wire.sendStatus({ code: status.OK, details: '', metadata: this.#trailers ?? null });
  }

  #refuse(thrown: unknown): void {
    this.#release();
    const answer = toStatus(MeshError.from(thrown));
    if (this.#trailers) answer.metadata.merge(this.#trailers);
    this.#sendHeaders();
    this.#wire.sendStatus(answer);
  }

  #release(): void {
    this.#over = true;
    this.#open.delete(this.lifetime);
  }
}
