import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';

import { type Clock, CODES, MeshError } from '#kit';
import type { CallOptions, Client, Headers } from '#mesh';
import type { ClientCompatRequest, ClientResponseResultSchema } from '#proto/connectrpc/conformance/v1/client_compat_pb.js';
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  type ConformancePayloadSchema,
  type ConformanceService,
  type ErrorSchema,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
  UnimplementedRequestSchema,
} from '#proto/connectrpc/conformance/v1/service_pb.js';

import { type Caller, createCaller } from './caller.ts';
import { fromHeaderList, toHeaderList } from './header-list.ts';

type Outcome = MessageInitShape<typeof ClientResponseResultSchema>;

/** What every answer of the suite's service has, and the empty one of a method that has none. */
interface Answer {
  readonly payload?: ConformancePayload | undefined;
}

/** Makes one call as the suite asks for it, and tells what came of it. */
export async function invoke(client: Client<typeof ConformanceService>, request: ClientCompatRequest, clock: Clock): Promise<Outcome> {
  const caller = createCaller(request, clock);
  const payloads: MessageInitShape<typeof ConformancePayloadSchema>[] = [];
  let headers: Headers = {};
  let trailers: Headers = {};
  let failure: Outcome = {};
  const options: CallOptions = {
    headers: fromHeaderList(request.requestHeaders),
    signal: caller.signal,
    onHeaders: (received) => (headers = received),
    onTrailers: (received) => (trailers = received),
    ...(request.timeoutMs === undefined ? {} : { deadlineMs: request.timeoutMs }),
  };
  try {
    for await (const { payload } of answersTo(client, request.method, caller, options)) {
      payloads.push(payload ?? {});
      caller.answered();
    }
  } catch (thrown) {
    failure = { error: asError(thrown) };
  }
  const numUnsentRequests = caller.over();
  return { responseHeaders: toHeaderList(headers), responseTrailers: toHeaderList(trailers), payloads, numUnsentRequests, ...failure };
}

async function* answersTo(
  client: Client<typeof ConformanceService>,
  method: string | undefined,
  caller: Caller,
  options: CallOptions,
): AsyncGenerator<Answer> {
  switch (method) {
    case 'Unary':
      return yield await client.unary(caller.one(UnaryRequestSchema), options);
    case 'IdempotentUnary':
      return yield await client.idempotentUnary(caller.one(IdempotentUnaryRequestSchema), options);
    case 'Unimplemented':
      return yield (await client.unimplemented(caller.one(UnimplementedRequestSchema), options)) as Answer;
    case 'ClientStream':
      return yield await client.clientStream(caller.many(ClientStreamRequestSchema), options);
    case 'ServerStream':
      return yield* client.serverStream(caller.one(ServerStreamRequestSchema), options);
    case 'BidiStream':
      return yield* client.bidiStream(caller.many(BidiStreamRequestSchema), options);
    default:
      throw new Error(`the suite asks for a method that its contract has not: ${method}`);
  }
}

function asError(thrown: unknown): MessageInitShape<typeof ErrorSchema> {
  if (!(thrown instanceof MeshError)) throw thrown;
  const details = thrown.foreign.map(({ typeUrl, value }) => create(AnySchema, { typeUrl, value: Uint8Array.from(value) }));
  return { code: CODES.indexOf(thrown.code), message: thrown.message, details };
}
