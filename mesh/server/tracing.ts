import { propagation, type Span, SpanKind, SpanStatusCode, type TextMapGetter, trace, type Tracer } from '@opentelemetry/api';

import { type Code, MeshError } from '#kit';

import { type ServerCall, type ServerInterceptor, whenDone } from '../call.ts';
import type { Method } from '../method.ts';

/** Codes that are the server's fault; the others are an answer (OpenTelemetry RPC conventions). */
const SERVER_FAULTS: ReadonlySet<Code> = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

const HEADERS: TextMapGetter<ServerCall> = {
  get: (call, name) => call.header(name),
  keys: () => [],
};

/** A SERVER span for each call, child of the caller's span (W3C headers). */
export function serverTracing(tracer: Tracer, method: Method): ServerInterceptor {
  const options = { kind: SpanKind.SERVER, attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method.fullName } };
  return (next) => (call) => {
    const parent = propagation.extract(call.context, call, HEADERS);
    const span = tracer.startSpan(method.fullName, options, parent);
    call.context = trace.setSpan(parent, span);
    return whenDone(next, call, (thrown) => finish(span, thrown));
  };
}

function finish(span: Span, thrown: unknown): void {
  if (thrown === undefined) {
    span.setAttribute('rpc.response.status_code', 'OK');
  } else {
    const error = MeshError.from(thrown);
    span.setAttribute('rpc.response.status_code', error.code);
    span.setAttribute('error.type', error.reason);
    if (SERVER_FAULTS.has(error.code)) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  span.end();
}
