import { type Context, context, type Span, type SpanOptions, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_TYPE } from '@opentelemetry/semantic-conventions';

import { errorCode, MeshError } from '#kit';

/** The reason of a refusal (`CARD_DECLINED`), as callers find it in `google.rpc.ErrorInfo`. */
export const REASON_ATTRIBUTE = 'mesh.error.reason';

/** Kind, attributes and links as the API has them. */
export interface SpanSettings extends SpanOptions {
  /** Where the span hangs; default: the active span. Use {@link extractContext} for one from another process. */
  readonly parent?: Context;
}

/** Runs `fn` in a span of its own, which ends with it; a failure is recorded and thrown on. */
export function withSpan<T>(
  tracer: Tracer,
  name: string,
  settings: SpanSettings,
  fn: (span: Span) => Promise<T> | T,
): Promise<T> {
  return tracer.startActiveSpan(name, settings, settings.parent ?? context.active(), async (span) => {
    try {
      return await fn(span);
    } catch (thrown) {
      failSpan(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  });
}

/**
 * Records a failure: status, `error.type` and an `exception` event. Only the sentence of
 * a MeshError is written down, for it is meant to be read; what others throw may hold a row
 * or a key, so of those only the kind is kept. The log has the rest.
 * Source: semantic conventions, "Recording errors" and "Exceptions on spans".
 */
export function failSpan(span: Span, thrown: unknown): void {
  if (!span.isRecording()) return;
  const error = MeshError.from(thrown);
  const type = thrown instanceof MeshError ? thrown.code : kindOf(thrown);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.setAttribute(ATTR_ERROR_TYPE, type);
  span.setAttribute(REASON_ATTRIBUTE, error.reason);
  span.addEvent('exception', { [ATTR_EXCEPTION_TYPE]: type, [ATTR_EXCEPTION_MESSAGE]: error.message });
}

/** `ECONNREFUSED`, `23505` or `TypeError`: few different values, as `error.type` asks for. */
function kindOf(thrown: unknown): string {
  return errorCode(thrown) ?? (thrown instanceof Error ? thrown.name : '_OTHER');
}
