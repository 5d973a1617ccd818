import { propagation, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';

import { MeshError } from '#kit';

import { type ClientInterceptor, whenDone } from '../call.ts';
import type { Method } from '../method.ts';

/** A CLIENT span for each call, and its context in the headers (W3C). Attributes: OpenTelemetry RPC conventions. */
export function clientTracing(tracer: Tracer, method: Method): ClientInterceptor {
  const options = {
    kind: SpanKind.CLIENT,
    attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method.fullName, 'server.address': method.destination },
  };
  return (next) => (call) => {
    const span = tracer.startSpan(method.fullName, options, call.context);
    call.context = trace.setSpan(call.context, span);
    propagation.inject(call.context, call.headers);
    return whenDone(next, call, (thrown) => {
      if (thrown === undefined) {
        span.setAttribute('rpc.response.status_code', 'OK');
      } else {
        const error = MeshError.from(thrown);
        span.setAttribute('rpc.response.status_code', error.code);
        span.setAttribute('error.type', error.reason);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    });
  };
}
