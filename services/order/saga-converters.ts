import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';

import {
  InterventionKind as ProtoKind,
  type SagaSchema,
  SagaState as ProtoState,
  SagaStepResult as ProtoResult,
  type SagaStepRunSchema,
  type SagaStepSchema,
  SagaStepState as ProtoStepState,
} from '#proto/shop/order/v1/saga_pb.js';
import type { InterventionKind, SagaRecord, SagaStatus, StepRun } from '#saga';

const STATES: Readonly<Record<SagaStatus, ProtoState>> = {
  RUNNING: ProtoState.RUNNING,
  COMPENSATING: ProtoState.COMPENSATING,
  COMPLETED: ProtoState.COMPLETED,
  FAILED: ProtoState.FAILED,
  STUCK: ProtoState.STUCK,
};

const KINDS: Readonly<Record<InterventionKind, ProtoKind>> = { RETRY: ProtoKind.RETRY, RESOLVE: ProtoKind.RESOLVE, SKIP: ProtoKind.SKIP };

const RESULTS: Readonly<Record<StepRun['result'], ProtoResult>> = {
  OPEN: ProtoResult.OPEN,
  DONE: ProtoResult.DONE,
  FAILED: ProtoResult.FAILED,
  STUCK: ProtoResult.STUCK,
};

/** What stands in for a step where all of them have run, and the outcome is to be written. */
const END = 'end';

/** Undefined for UNSPECIFIED: every state. */
export function statusFromProto(state: ProtoState): SagaStatus | undefined {
  // The keys of STATES are all the statuses there are.
  return (Object.keys(STATES) as SagaStatus[]).find((status) => STATES[status] === state);
}

/** @param names of its steps; undefined when its definition is not known here in that version */
export function sagaToProto(saga: SagaRecord, names: readonly string[] | undefined): MessageInitShape<typeof SagaSchema> {
  const isOpen = saga.status === 'RUNNING' || saga.status === 'COMPENSATING';
  return {
    sagaId: saga.sagaId,
    definition: saga.definition,
    version: saga.version,
    versionUnknown: names === undefined,
    orderId: saga.subject,
    state: STATES[saga.status],
    steps: names ? stepsToProto(saga, names) : [],
    attempts: saga.attempt,
    ...(saga.failure && { failure: saga.failure }),
    ...(saga.lastError && { lastError: saga.lastError }),
    ...(isOpen && saga.waiting && { nextTime: timestampFromDate(saga.dueTime) }),
    interventions: saga.interventions.map(({ kind, step, who, why, time }) => ({
      kind: KINDS[kind],
      step: nameOf(names, step),
      who,
      why,
      time: timestampFromDate(new Date(time)),
    })),
    history: saga.history.map(runToProto),
    traceId: saga.traceParent?.split('-')[1] ?? '',
    createTime: timestampFromDate(saga.createTime),
    updateTime: timestampFromDate(saga.updateTime),
  };
}

/** Name of the step of this index, or of the place beside the steps. */
export function nameOf(names: readonly string[] | undefined, step: number): string {
  return names ? (names[step] ?? END) : `step ${step + 1}`;
}

/** Index of the step of this name in a saga; undefined when it has none of that name. */
export function indexOf({ failure }: SagaRecord, names: readonly string[] | undefined, step: string): number | undefined {
  if (!names) return undefined;
  if (step === END) return failure === null ? names.length : -1;
  const index = names.indexOf(step);
  return index < 0 ? undefined : index;
}

function stepsToProto(saga: SagaRecord, names: readonly string[]): MessageInitShape<typeof SagaStepSchema>[] {
  const steps = names.map((name, index) => ({ name, state: stepState(saga, index) }));
  const isAtEnd = saga.status !== 'COMPLETED' && saga.status !== 'FAILED' && names[saga.step] === undefined;
  return isAtEnd ? [...steps, { name: END, state: ProtoStepState.CURRENT }] : steps;
}

/** On the way forward steps before the current one are done; on the way back those behind it are undone, as far as it had got. */
function stepState({ status, step, turnedAt, interventions }: SagaRecord, index: number): ProtoStepState {
  const isOver = status === 'COMPLETED' || status === 'FAILED';
  if (!isOver && index === step) return ProtoStepState.CURRENT;
  if (interventions.some((one) => one.kind === 'SKIP' && one.step === index)) return ProtoStepState.SKIPPED;
  if (status === 'COMPLETED') return ProtoStepState.DONE;
  if (turnedAt !== null && index > turnedAt) return ProtoStepState.WAITING;
  if (status === 'FAILED') return ProtoStepState.UNDONE;
  if (index < step) return ProtoStepState.DONE;
  return turnedAt === null ? ProtoStepState.WAITING : ProtoStepState.UNDONE;
}

function runToProto({ step, compensating, attempts, beginMs, endMs, result, error, traceId }: StepRun): MessageInitShape<typeof SagaStepRunSchema> {
  return {
    step,
    compensation: compensating,
    attempts,
    beginTime: timestampFromMs(beginMs),
    endTime: timestampFromMs(endMs),
    result: RESULTS[result],
    ...(error && { error }),
    traceId,
  };
}
