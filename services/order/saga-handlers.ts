import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';

import type { Database } from '#database';
import { cutPage, readPage, refusal } from '#kit';
import type { Handlers } from '#mesh';
import {
  InterventionKind as ProtoKind,
  type SagaSchema,
  type SagaService,
  SagaState as ProtoState,
  SagaStepState as ProtoStepState,
} from '#proto/shop/order/v1/saga_pb.js';
import { findSaga, intervene, type InterventionKind, type InterventionRequest, listSagas, type SagaDefinition, type SagaRecord, type SagaStatus } from '#saga';

const STATES: Readonly<Record<SagaStatus, ProtoState>> = {
  RUNNING: ProtoState.RUNNING,
  COMPENSATING: ProtoState.COMPENSATING,
  COMPLETED: ProtoState.COMPLETED,
  FAILED: ProtoState.FAILED,
  STUCK: ProtoState.STUCK,
};

const KINDS: Readonly<Record<InterventionKind, ProtoKind>> = { RETRY: ProtoKind.RETRY, RESOLVE: ProtoKind.RESOLVE };

/** Shows the sagas of these definitions to operators, and frees those that are stuck. */
export function sagaHandlers(database: Database, definitions: readonly SagaDefinition<object>[]): Handlers<typeof SagaService> {
  const stepsOf = new Map(definitions.map(({ name, steps }) => [name, steps.map((step) => step.name)]));
  const toProto = (saga: SagaRecord): MessageInitShape<typeof SagaSchema> => sagaToProto(saga, stepsOf.get(saga.definition) ?? []);

  async function free(kind: InterventionKind, by: InterventionRequest): Promise<{ saga: MessageInitShape<typeof SagaSchema> }> {
    const freed = await intervene(database, kind, by);
    const saga = await sagaOf(database, by.sagaId);
    if (freed) return { saga: toProto(saga) };
    const where = saga.status === 'STUCK' ? `STUCK at ${stepsOf.get(saga.definition)?.[saga.step]}, another step` : `${saga.status}, not STUCK: it needs no hand`;
    throw refusal('SAGA_NOT_STUCK', `saga ${by.sagaId} is ${where}; look again with \`mesh saga show\``, { metadata: { state: saga.status } });
  }

  /** -1, where no saga stands, for a name that is not among the steps of this saga. */
  async function indexOf(sagaId: string, step: string): Promise<number> {
    return (stepsOf.get((await sagaOf(database, sagaId)).definition) ?? []).indexOf(step);
  }

  return {
    async listSagas({ state, orderId, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const status = statusOf(state);
      const found = await listSagas(database, { ...(status && { status }), ...(orderId && { subject: orderId }) }, page);
      const { entries, nextPageToken } = cutPage(found, page, ({ sagaId }) => sagaId);
      return { sagas: entries.map(toProto), nextPageToken };
    },
    getSaga: async ({ sagaId }) => ({ saga: toProto(await sagaOf(database, sagaId)) }),
    retrySaga: ({ sagaId, who, why }) => free('RETRY', { sagaId, who, why }),
    resolveSaga: async ({ sagaId, who, why, step }) => free('RESOLVE', { sagaId, who, why, step: await indexOf(sagaId, step) }),
  };
}

async function sagaOf(database: Database, sagaId: string): Promise<SagaRecord> {
  const saga = await findSaga(database, sagaId);
  if (saga) return saga;
  throw refusal('SAGA_NOT_FOUND', `there is no saga ${sagaId}; \`mesh saga list\` shows them`, { metadata: { saga_id: sagaId } });
}

/** Undefined for UNSPECIFIED: every state. */
function statusOf(state: ProtoState): SagaStatus | undefined {
  // The keys of STATES are all the statuses there are.
  return (Object.keys(STATES) as SagaStatus[]).find((status) => STATES[status] === state);
}

function sagaToProto(saga: SagaRecord, steps: readonly string[]): MessageInitShape<typeof SagaSchema> {
  return {
    sagaId: saga.sagaId,
    definition: saga.definition,
    orderId: saga.subject,
    state: STATES[saga.status],
    steps: steps.map((name, index) => ({ name, state: stepState(saga, index) })),
    attempts: saga.attempt,
    ...(saga.failure && { failure: saga.failure }),
    ...(saga.lastError && { lastError: saga.lastError }),
    interventions: saga.interventions.map(({ kind, step, who, why, time }) => ({
      kind: KINDS[kind],
      step: steps[step] ?? 'end',
      who,
      why,
      time: timestampFromDate(new Date(time)),
    })),
    traceId: saga.traceParent?.split('-')[1] ?? '',
    createTime: timestampFromDate(saga.createTime),
    updateTime: timestampFromDate(saga.updateTime),
  };
}

/** On the way forward steps before the current one are done; on the way back those behind it are undone, as far as it had got. */
function stepState({ status, step, turnedAt }: SagaRecord, index: number): ProtoStepState {
  if (status === 'COMPLETED') return ProtoStepState.DONE;
  if (turnedAt !== null && index > turnedAt) return ProtoStepState.WAITING;
  if (status === 'FAILED') return ProtoStepState.UNDONE;
  if (index === step) return ProtoStepState.CURRENT;
  if (index < step) return ProtoStepState.DONE;
  return turnedAt === null ? ProtoStepState.WAITING : ProtoStepState.UNDONE;
}
