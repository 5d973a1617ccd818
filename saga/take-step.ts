import { isSpanContextValid, type Tracer } from '@opentelemetry/api';

import type { Clock, Log } from '#kit';
import { failSpan, withSpan } from '#tracing';

import type { SagaDefinition } from './definition.ts';
import { withTry } from './history.ts';
import type { SagaHooks, SagaPoint } from './hooks.ts';
import type { SagaRow } from './saga-row.ts';
import { runStep, type StepSetting } from './step-runner.ts';

/** What steps are taken with. */
export interface StepTools extends Omit<StepSetting, 'now' | 'onFailure'> {
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly hooks: SagaHooks;
}

/** What stands in for a step's name where only the end is left to be written. */
export const END = 'end';

/** Runs the step a saga stands at, in a span of its own, and returns where the saga stands then. */
export function takeStep<State extends object>(definition: SagaDefinition<State>, saga: SagaRow, tools: StepTools): Promise<SagaRow> {
  const { clock, tracer, log, hooks } = tools;
  const { sagaId, subject, attempt } = saga;
  const point = pointOf(definition, saga);
  const name = point.compensating ? `compensate ${point.step}` : point.step;
  const attributes = { 'shopmesh.saga.id': sagaId, 'shopmesh.saga.subject': subject, 'shopmesh.saga.attempt': attempt + 1 };
  return withSpan(tracer, `saga ${name}`, { attributes }, async (span) => {
    const beginMs = clock.now();
    await hooks.beforeStep?.(point);
    const onFailure: StepSetting['onFailure'] = (err) => {
      failSpan(span, err);
      log.warn({ err, saga: sagaId, step: name, attempt: attempt + 1 }, 'step failed');
    };
    const next = await runStep(definition, saga, { ...tools, now: new Date(beginMs), onFailure });
    await hooks.afterStep?.(point);
    // The end leaves a trace in the history only when it fails: see driver.ts.
    if (next === saga || !definition.steps[saga.step]) return next;
    const traced = span.spanContext();
    const traceId = isSpanContextValid(traced) ? traced.traceId : '';
    return withTry(saga, next, { step: point.step, beginMs, endMs: clock.now(), traceId });
  });
}

export function pointOf<State extends object>({ name, steps }: SagaDefinition<State>, saga: SagaRow): SagaPoint {
  return { definition: name, step: steps[saga.step]?.name ?? END, compensating: saga.status === 'COMPENSATING' };
}
