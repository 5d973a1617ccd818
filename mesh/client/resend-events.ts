import { type Attributes, trace } from '@opentelemetry/api';

import type { MeshError } from '#kit';
import { REASON_ATTRIBUTE } from '#tracing';

import type { ClientCall } from '../call.ts';

/** How many attempts a call took, on its span; absent when it took one. */
const ATTEMPTS_ATTRIBUTE = 'mesh.attempts';

/** Event `retry` on the call's span: why the attempt before failed, where, and how long this one waits. */
export function noteRetry(call: ClientCall, failed: ClientCall, error: MeshError, next: number, pauseMs: number): void {
  note(call, 'retry', next, failed, { [REASON_ATTRIBUTE]: error.reason, 'mesh.retry.pause_ms': Math.round(pauseMs) });
}

/** Event `hedge` on the call's span: which instance is slow, and after how long another attempt follows. */
export function noteHedge(call: ClientCall, slow: ClientCall, next: number, delayMs: number): void {
  note(call, 'hedge', next, slow, { 'mesh.hedge.delay_ms': Math.round(delayMs) });
}

/** Event `budget spent`: another attempt was wanted and not paid for. */
export function noteBudgetSpent(call: ClientCall): void {
  trace.getSpan(call.context)?.addEvent('budget spent');
}

/** Event `attempt refused`: another attempt was paid for, and this process itself refused it; the call ends with what was said before. */
export function noteRefused(call: ClientCall, { reason }: MeshError): void {
  trace.getSpan(call.context)?.addEvent('attempt refused', { [REASON_ATTRIBUTE]: reason });
}

function note(call: ClientCall, event: string, next: number, { attempt: { instance } }: ClientCall, more: Attributes): void {
  const span = trace.getSpan(call.context);
  if (!span) return;
  const before: Attributes = instance === undefined ? {} : { 'mesh.instance': instance };
  span.addEvent(event, { 'mesh.attempt': next, ...before, ...more });
  span.setAttribute(ATTEMPTS_ATTRIBUTE, next);
}
