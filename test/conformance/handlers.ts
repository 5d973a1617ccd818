import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';

import { type Clock, type Code, CODES, MeshError } from '#kit';
import type { CallContext, Handlers } from '#mesh';
import {
  type BidiStreamRequest,
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type ConformancePayloadSchema,
  type ConformanceService,
  type Error as ErrorDefinition,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  type UnaryResponseDefinition,
  UnaryRequestSchema,
} from '#proto/connectrpc/conformance/v1/service_pb.js';

import { fromHeaderList, toHeaderList } from './header-list.ts';

type Payload = MessageInitShape<typeof ConformancePayloadSchema>;

/** The service that the suite calls: each request says how it is to be answered, and each answer tells what was asked. */
export function conformanceHandlers(clock: Clock): Handlers<typeof ConformanceService> {
  return {
    unary: async (request, call) => ({
      payload: await oneAnswer(request.responseDefinition, [anyPack(UnaryRequestSchema, request)], call, clock),
    }),
    idempotentUnary: async (request, call) => ({
      payload: await oneAnswer(request.responseDefinition, [anyPack(IdempotentUnaryRequestSchema, request)], call, clock),
    }),
    async clientStream(requests, call) {
      const seen: Any[] = [];
      let definition: UnaryResponseDefinition | undefined;
      for await (const request of requests) {
        if (seen.length === 0) definition = request.responseDefinition;
        seen.push(anyPack(ClientStreamRequestSchema, request));
      }
      return { payload: await oneAnswer(definition, seen, call, clock) };
    },
    async *serverStream(request, call) {
      const { responseDefinition } = request;
      if (!responseDefinition) return;
      announce(responseDefinition, call);
      yield* manyAnswers(responseDefinition, [anyPack(ServerStreamRequestSchema, request)], call, clock);
    },
    bidiStream: (requests, call) => converse(requests[Symbol.asyncIterator](), call, clock),
    unimplemented: () => Promise.reject(new MeshError('UNIMPLEMENTED', '', 'not implemented, as the suite has it')),
  };
}

async function oneAnswer(definition: UnaryResponseDefinition | undefined, requests: Any[], call: CallContext, clock: Clock): Promise<Payload> {
  const requestInfo = describe(requests, call, clock);
  if (!definition) return { requestInfo };
  announce(definition, call);
  await clock.sleep(definition.responseDelayMs, call.signal);
  const { response } = definition;
  if (response.case === 'error') throw errorOf(response.value, requestInfo);
  return response.case === 'responseData' ? { requestInfo, data: response.value } : { requestInfo };
}

/** A stream of requests and answers: in turns, or all requests first, as the first request says. */
async function* converse(requests: AsyncIterator<BidiStreamRequest>, call: CallContext, clock: Clock): AsyncGenerator<{ payload: Payload }> {
  const first = await requests.next();
  if (first.done) return;
  const { responseDefinition: definition, fullDuplex } = first.value;
  if (definition) announce(definition, call);
  let seen = [anyPack(BidiStreamRequestSchema, first.value)];
  let answered = 0;
  for (let done: boolean | undefined = false; !done; ) {
    if (fullDuplex) {
      const data = definition?.responseData[answered];
      if (!definition || !data) break;
      const requestInfo = answered === 0 ? describe(seen, call, clock) : create(ConformancePayload_RequestInfoSchema, { requests: seen });
      await clock.sleep(definition.responseDelayMs, call.signal);
      yield { payload: { data, requestInfo } };
      answered += 1;
      seen = [];
    }
    const step = await requests.next();
    done = step.done;
    if (!step.done) seen.push(anyPack(BidiStreamRequestSchema, step.value));
  }
  if (definition) yield* manyAnswers(definition, seen, call, clock, answered);
}

/** The answers from the `answered`th on, the first of all with what was asked, and the error behind them. */
async function* manyAnswers(
  { responseData, responseDelayMs, error }: StreamResponseDefinition,
  requests: Any[],
  call: CallContext,
  clock: Clock,
  answered = 0,
): AsyncGenerator<{ payload: Payload }> {
  for (const [index, data] of responseData.entries()) {
    if (index < answered) continue;
    await clock.sleep(responseDelayMs, call.signal);
    yield { payload: index === 0 ? { data, requestInfo: describe(requests, call, clock) } : { data } };
  }
  if (error) throw errorOf(error, responseData.length === 0 ? describe(requests, call, clock) : undefined);
}

function announce({ responseHeaders, responseTrailers }: StreamResponseDefinition | UnaryResponseDefinition, call: CallContext): void {
  for (const [name, value] of Object.entries(fromHeaderList(responseHeaders))) call.setHeader(name, value);
  for (const [name, value] of Object.entries(fromHeaderList(responseTrailers))) call.setTrailer(name, value);
}

/** What was asked. A caller without a deadline has an infinite one here (see the server program). */
function describe(requests: Any[], call: CallContext, clock: Clock): Message & ConformancePayload_RequestInfo {
  const { deadline } = call;
  const timeout = deadline === Infinity ? {} : { timeoutMs: BigInt(Math.max(0, Math.floor(deadline - clock.now()))) };
  return create(ConformancePayload_RequestInfoSchema, { requestHeaders: toHeaderList(call.allHeaders()), requests, ...timeout });
}

/** An error as the suite describes it; with no reason, for the suite knows none. */
function errorOf({ code, message, details }: ErrorDefinition, requestInfo?: ConformancePayload_RequestInfo): MeshError {
  const all = requestInfo ? [...details, anyPack(ConformancePayload_RequestInfoSchema, requestInfo)] : details;
  // The suite's codes are those of gRPC, and it asks for none that is OK.
  return new MeshError(CODES[code] as Code, '', message ?? '', { foreign: all.map(({ typeUrl, value }) => ({ typeUrl, value })) });
}
