import { timestampDate } from '@bufbuild/protobuf/wkt';

import { InterventionKind, type Saga, SagaState, SagaStepResult, SagaStepState } from '#proto/shop/order/v1/saga_pb.js';

export const STATES: Readonly<Record<SagaState, string>> = {
  [SagaState.UNSPECIFIED]: '?',
  [SagaState.RUNNING]: 'running',
  [SagaState.COMPENSATING]: 'compensating',
  [SagaState.COMPLETED]: 'completed',
  [SagaState.FAILED]: 'failed',
  [SagaState.STUCK]: 'stuck',
};

export const STEPS: Readonly<Record<SagaStepState, string>> = {
  [SagaStepState.UNSPECIFIED]: '?',
  [SagaStepState.WAITING]: 'waiting',
  [SagaStepState.CURRENT]: 'stands here',
  [SagaStepState.DONE]: 'done',
  [SagaStepState.UNDONE]: 'undone',
  [SagaStepState.SKIPPED]: 'skipped',
};

export const RESULTS: Readonly<Record<SagaStepResult, string>> = {
  [SagaStepResult.UNSPECIFIED]: '?',
  [SagaStepResult.OPEN]: 'goes on',
  [SagaStepResult.DONE]: 'done',
  [SagaStepResult.FAILED]: 'failed',
  [SagaStepResult.STUCK]: 'stuck',
};

export const KINDS: Readonly<Record<InterventionKind, string>> = {
  [InterventionKind.UNSPECIFIED]: '?',
  [InterventionKind.RETRY]: 'retried',
  [InterventionKind.RESOLVE]: 'resolved',
  [InterventionKind.SKIP]: 'skipped',
};

/** Name of the step at which it stands. */
export function positionOf({ steps }: Saga): string {
  return steps.find(({ state }) => state === SagaStepState.CURRENT)?.name ?? '-';
}

/** Its definition, with the version unless that is the first. */
export function kindOf({ definition, version }: Saga): string {
  return version > 1 ? `${definition} v${version}` : definition;
}

export function timeOf(time: Saga['createTime']): string {
  return time ? timestampDate(time).toISOString() : '-';
}
