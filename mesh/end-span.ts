import { type Span, SpanStatusCode } from '@opentelemetry/api';

import type { Code, MeshError } from '#kit';
import { REASON_ATTRIBUTE } from '#tracing';

/** Ends a call's span with how the call went; `isFault` says which codes mark it as failed. Attributes: OpenTelemetry RPC conventions. */
export function endSpan(span: Span, error: MeshError | undefined, isFault: (code: Code) => boolean): void {
  span.setAttribute('rpc.response.status_code', error?.code ?? 'OK');
  if (error) {
    span.setAttribute('error.type', error.code);
    span.setAttribute(REASON_ATTRIBUTE, error.reason);
    if (isFault(error.code)) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  span.end();
}
