import { type DescMethod, fromBinary, fromJsonString, type JsonValue, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import { type ChannelInterface, Client, credentials, Metadata } from '@grpc/grpc-js';
import { propagation, type Span, SpanKind, SpanStatusCode, trace, type Tracer, ROOT_CONTEXT } from '@opentelemetry/api';

import { MeshError, refusal } from '#kit';
import { fromStatus, isServiceError } from '#mesh';

import type { Header } from './header.ts';
import type { ReflectedMethod } from './reflected-method.ts';

export interface Invocation {
  readonly channel: ChannelInterface;
  readonly method: ReflectedMethod;
  /** The request as JSON text (proto3 JSON mapping). */
  readonly body: string;
  readonly headers: readonly Header[];
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly tracer: Tracer;
  readonly signal: AbortSignal;
}

/** Calls a method and yields its answers as JSON: one, or as many as the server streams. */
export async function* invoke(invocation: Invocation): AsyncIterable<JsonValue> {
  const { method, tracer } = invocation;
  // Interrupted while the method was looked up: nothing is sent.
  invocation.signal.throwIfAborted();
  const request = readRequest(method, invocation.body);
  const name = method.definition.path.slice(1);
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: { 'rpc.system.name': 'grpc', 'rpc.method': name } });
  try {
    for await (const answer of send(invocation, request, span)) yield toJson(method.desc.output, answer, { registry: method.registry });
    span.setAttribute('rpc.response.status_code', 'OK');
  } catch (thrown) {
    const error = MeshError.from(thrown);
    span.setAttribute('rpc.response.status_code', error.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    throw error;
  } finally {
    span.end();
  }
}

function readRequest({ desc, registry }: ReflectedMethod, body: string): Message {
  try {
    return fromJsonString(desc.input, body, { registry });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const fields = desc.input.fields.map(({ jsonName }) => jsonName).join(', ');
    throw refusal('INVALID_ARGUMENT', `the request is not a ${desc.input.typeName}: ${why}. Its fields are ${fields || 'none'}`, { cause: thrown });
  }
}

async function* send({ channel, method, headers, deadline, signal }: Invocation, request: Message, span: Span): AsyncIterable<Message> {
  const { desc, definition } = method;
  if (definition.requestStream) throw refusal('UNKNOWN_METHOD', `${definition.path} takes a stream of requests, which \`mesh call\` cannot send; use grpcurl`);
  const client = new Client('', credentials.createInsecure(), { channelOverride: channel });
  const stream = client.makeServerStreamRequest(definition.path, writer(desc), reader(desc), request, metadataOf(headers, span), { deadline });
  const cancel = (): void => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const answer of stream) yield answer as Message;
  } catch (thrown) {
    throw isServiceError(thrown) ? fromStatus(thrown) : thrown;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** A unary answer is a stream of one, so one way of calling serves both. */
const writer = (desc: DescMethod) => (message: Message): Buffer => Buffer.from(toBinary(desc.input, message));
const reader = (desc: DescMethod) => (bytes: Buffer): Message => fromBinary(desc.output, bytes);

function metadataOf(headers: Invocation['headers'], span: Span): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), metadata, { set: (carrier, name, value) => carrier.set(name, value) });
  return metadata;
}
