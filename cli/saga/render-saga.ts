import { timestampMs } from '@bufbuild/protobuf/wkt';

import { printable } from '#kit';
import { type Saga, SagaState, type SagaStepRun, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';

import { table } from '../output.ts';
import { KINDS, kindOf, positionOf, RESULTS, STATES, STEPS, timeOf } from './words.ts';

/** A saga for people: where it stands and why, its steps, what has been done, and what to do if it is stuck. */
export function renderSaga(saga: Saga): string {
  return [
    table(factsOf(saga)),
    '',
    saga.versionUnknown ? UNKNOWN : table(saga.steps.map(({ name, state }) => [`  ${name}`, wordOf(saga, state)])),
    ...(saga.history.length > 0 ? ['', table([HEAD, ...saga.history.map((run) => rowOf(run, saga))])] : []),
    ...(saga.interventions.length > 0 ? [''] : []),
    ...saga.interventions.map(({ kind, step, who, why, time }) => printable(`${timeOf(time)}  ${who} ${KINDS[kind]} "${step}": ${why}`)),
    ...(saga.state === SagaState.STUCK ? ['', ...waysOn(saga).map(printable)] : []),
  ].join('\n');
}

const UNKNOWN = '  No instance that was asked knows this definition in this version; the saga waits for one that does.';

const HEAD = ['TRIED', 'TRIES', 'RESULT', 'BEGAN', 'TOOK', 'TRACE', 'WHY'];

function factsOf(saga: Saga): string[][] {
  const { failure, lastError, attempts, nextTime, traceId } = saga;
  return [
    ['saga', `${saga.sagaId} (${kindOf(saga)})`],
    ['order', saga.orderId],
    ['state', STATES[saga.state] + (attempts > 0 ? `, after ${attempts} failed ${attempts === 1 ? 'try' : 'tries'}` : '')],
    ...(failure ? [['undone for', `${failure.reason}: ${failure.message}`]] : []),
    ...(lastError ? [['last error', `${lastError.reason}: ${lastError.message}`]] : []),
    ...(nextTime ? [['goes on', timeOf(nextTime)]] : []),
    ['began', timeOf(saga.createTime)],
    ['changed', timeOf(saga.updateTime)],
    ...(traceId ? [['trace', `${traceId}   (npx mesh trace ${traceId})`]] : []),
  ];
}

function rowOf(run: SagaStepRun, { traceId }: Saga): string[] {
  const { step, compensation, attempts, result, beginTime, endTime, error } = run;
  const took = beginTime && endTime ? `${timestampMs(endTime) - timestampMs(beginTime)} ms` : '-';
  // Most belong to the trace that stands above.
  const trace = run.traceId === traceId ? '' : run.traceId;
  return [`  ${compensation ? 'undo ' : ''}${step}`, String(attempts), RESULTS[result], timeOf(beginTime), took, trace, error ? `${error.reason}: ${error.message}` : ''];
}

function waysOn(saga: Saga): string[] {
  const { sagaId } = saga;
  const step = positionOf(saga);
  return [
    'It waits for a hand:',
    `  npx mesh saga retry ${sagaId} --why "…"`,
    `  npx mesh saga resolve ${sagaId} --step "${step}" --why "…"   once that is done by hand`,
    `  npx mesh saga skip ${sagaId} --step "${step}" --why "…"   to go on without it`,
  ];
}

/** A step that was waiting when its saga failed is never run. */
function wordOf(saga: Saga, state: SagaStepState): string {
  return saga.state === SagaState.FAILED && state === SagaStepState.WAITING ? 'not run' : STEPS[state];
}
