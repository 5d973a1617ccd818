import { propagation, SpanKind, trace, type Tracer } from '@opentelemetry/api';

import { type ClientInterceptor, whenDone } from '../call.ts';
import { endSpan } from '../end-span.ts';
import type { Method } from '../method.ts';

/** A CLIENT span for each call, and its context in the headers (W3C). To a caller every error is one. */
export function clientTracing(tracer: Tracer, method: Method): ClientInterceptor {
  const options = {
    kind: SpanKind.CLIENT,
    attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method.fullName, 'server.address': method.destination },
  };
  return (next) => (call) => {
    const span = tracer.startSpan(method.fullName, options, call.context);
    call.context = trace.setSpan(call.context, span);
    propagation.inject(call.context, call.headers);
    return whenDone(next, call, (error) => endSpan(span, error, () => true));
  };
}
