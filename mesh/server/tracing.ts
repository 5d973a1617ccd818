import { propagation, SpanKind, type TextMapGetter, trace, type Tracer } from '@opentelemetry/api';

import { type ServerCall, type ServerInterceptor, whenDone } from '../call.ts';
import { endSpan } from '../end-span.ts';
import type { Method } from '../method.ts';
import { isServerFault, type Witness } from './outcome.ts';

const HEADERS: TextMapGetter<ServerCall> = {
  get: (call, name) => call.header(name),
  keys: () => [],
};

/**
 * A SERVER span for each call, child of the caller's span (W3C headers); and whoever wants to know how it ended. One
 * link for both: each costs a promise a call.
 */
export function serverTracing(tracer: Tracer, method: Method, witnesses: readonly Witness[]): ServerInterceptor {
  const options = { kind: SpanKind.SERVER, attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method.fullName } };
  return (next) => (call) => {
    const parent = propagation.extract(call.context, call, HEADERS);
    const span = tracer.startSpan(method.fullName, options, parent);
    call.context = trace.setSpan(parent, span);
    return whenDone(next, call, (error) => {
      endSpan(span, error, isServerFault);
      for (const witness of witnesses) witness(error, call);
    });
  };
}
