import { toJson } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';

import { printable } from '#kit';
import type { Client } from '#mesh';
import { InterventionKind, ListSagasResponseSchema, type Saga, SagaSchema, SagaService, SagaState, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';

import { type CallerOptions, createCaller } from '../calling/caller.ts';
import { type Output, table } from '../output.ts';
import { whoAmI } from '../who-am-i.ts';
import { settingsOfRunningShop } from './running-shop.ts';

const STATES: Readonly<Record<SagaState, string>> = {
  [SagaState.UNSPECIFIED]: '?',
  [SagaState.RUNNING]: 'running',
  [SagaState.COMPENSATING]: 'compensating',
  [SagaState.COMPLETED]: 'completed',
  [SagaState.FAILED]: 'failed',
  [SagaState.STUCK]: 'stuck',
};

const STEPS: Readonly<Record<SagaStepState, string>> = {
  [SagaStepState.UNSPECIFIED]: '?',
  [SagaStepState.WAITING]: 'waiting',
  [SagaStepState.CURRENT]: 'stands here',
  [SagaStepState.DONE]: 'done',
  [SagaStepState.UNDONE]: 'undone',
};

const LOOKS: CallerOptions = { leavesTrace: false };
const ACTS: CallerOptions = { leavesTrace: true };

/** `mesh saga list`. It only looks, as `show` does: `mesh trace --last` goes on showing what has happened. */
export async function listSagasCommand(only: { state?: string; order?: string; limit: number }, output: Output): Promise<void> {
  const answer = await withSagas(LOOKS, (sagas) => sagas.listSagas({ state: stateOf(only.state), orderId: only.order ?? '', pageSize: only.limit }));
  const rows = answer.sagas.map((saga) => [saga.sagaId, saga.definition, STATES[saga.state], positionOf(saga), String(saga.attempts), timeOf(saga.createTime), reasonOf(saga)]);
  const more = answer.nextPageToken ? '\nthere are more; see --limit' : '';
  output.answer(
    () => (rows.length > 0 ? table([['SAGA', 'KIND', 'STATE', 'STEP', 'TRIES', 'BEGAN', 'WHY'], ...rows]) + more : 'there are none'),
    toJson(ListSagasResponseSchema, answer),
  );
}

/** `mesh saga show`. */
export async function showSagaCommand(sagaId: string, output: Output): Promise<void> {
  const { saga } = await withSagas(LOOKS, (sagas) => sagas.getSaga({ sagaId }));
  show(saga, output);
}

/** `mesh saga retry` and `mesh saga resolve`. */
export async function interveneCommand(kind: 'retry' | 'resolve', sagaId: string, { why, by, step = '' }: { why: string; by?: string; step?: string }, output: Output): Promise<void> {
  const request = { sagaId, why, who: by ?? whoAmI() };
  const { saga } = await withSagas<{ saga?: Saga | undefined }>(ACTS, (sagas) => (kind === 'retry' ? sagas.retrySaga(request) : sagas.resolveSaga({ ...request, step })));
  show(saga, output);
}

async function withSagas<T>(traces: CallerOptions, ask: (sagas: Client<typeof SagaService>) => Promise<T>): Promise<T> {
  const { settings } = await settingsOfRunningShop();
  const caller = await createCaller(settings, traces);
  try {
    return await ask(caller.mesh.client(SagaService, { tracer: caller.tracer }));
  } finally {
    await caller.stop();
  }
}

function show(saga: Saga | undefined, output: Output): void {
  // The answer of each of these methods has its saga.
  if (saga) output.answer(() => describe(saga), toJson(SagaSchema, saga));
}

function describe(saga: Saga): string {
  const { failure, lastError, interventions, attempts, traceId } = saga;
  const facts = [
    ['saga', `${saga.sagaId} (${saga.definition})`],
    ['order', saga.orderId],
    ['state', STATES[saga.state] + (attempts > 0 ? `, after ${attempts} failed ${attempts === 1 ? 'try' : 'tries'}` : '')],
    ...(failure ? [['undone for', `${failure.reason}: ${failure.message}`]] : []),
    ...(lastError ? [['last error', `${lastError.reason}: ${lastError.message}`]] : []),
    ['began', timeOf(saga.createTime)],
    ['changed', timeOf(saga.updateTime)],
    ...(traceId ? [['trace', `${traceId}   (npx mesh trace ${traceId})`]] : []),
  ];
  return [
    table(facts),
    '',
    table(saga.steps.map(({ name, state }) => [`  ${name}`, wordOf(saga, state)])),
    ...interventions.map(
      ({ kind, step, who, why, time }) => `\n${printable(`${timeOf(time)}  ${who} ${kind === InterventionKind.RETRY ? 'retried' : 'resolved'} "${step}": ${why}`)}`,
    ),
    ...(saga.state === SagaState.STUCK ? ['', ...waysOn(saga).map(printable)] : []),
  ].join('\n');
}

function waysOn(saga: Saga): string[] {
  const { sagaId } = saga;
  return ['It waits for a hand:', `  npx mesh saga retry ${sagaId} --why "…"`, `  npx mesh saga resolve ${sagaId} --step "${positionOf(saga)}" --why "…"   once that is done by hand`];
}

/** A step that was waiting when its saga failed is never run. */
function wordOf(saga: Saga, state: SagaStepState): string {
  return saga.state === SagaState.FAILED && state === SagaStepState.WAITING ? 'not run' : STEPS[state];
}

function stateOf(name: string | undefined): SagaState {
  const states = [SagaState.RUNNING, SagaState.COMPENSATING, SagaState.COMPLETED, SagaState.FAILED, SagaState.STUCK];
  return states.find((state) => STATES[state] === name) ?? SagaState.UNSPECIFIED;
}

function positionOf({ steps }: Saga): string {
  return steps.find(({ state }) => state === SagaStepState.CURRENT)?.name ?? '-';
}

function reasonOf({ failure, lastError }: Saga): string {
  return lastError?.reason ?? failure?.reason ?? '';
}

function timeOf(time: Saga['createTime']): string {
  return time ? timestampDate(time).toISOString() : '-';
}
