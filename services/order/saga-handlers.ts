import type { MessageInitShape } from '@bufbuild/protobuf';

import type { Database } from '#database';
import { cutPage, readPage, refusal } from '#kit';
import type { Handlers } from '#mesh';
import type { SagaSchema, SagaService } from '#proto/shop/order/v1/saga_pb.js';
import { findSaga, intervene, type InterventionKind, type InterventionRequest, listSagas, type SagaDefinition, type SagaRecord, versionOf } from '#saga';

import { indexOf, nameOf, sagaToProto, statusFromProto } from './saga-converters.ts';

type Answer = Promise<{ saga: MessageInitShape<typeof SagaSchema> }>;

/** Where no saga stands. */
const NOWHERE = -1_000;

/** Shows the sagas of these definitions to operators, and frees those that are stuck. */
export function sagaHandlers(database: Database, definitions: readonly SagaDefinition<object>[]): Handlers<typeof SagaService> {
  const keyOf = (name: string, version: number): string => `${name} ${version}`;
  const names = new Map(definitions.map((definition) => [keyOf(definition.name, versionOf(definition)), definition.steps.map((step) => step.name)]));
  const namesOf = ({ definition, version }: SagaRecord): readonly string[] | undefined => names.get(keyOf(definition, version));
  const toProto = (saga: SagaRecord): MessageInitShape<typeof SagaSchema> => sagaToProto(saga, namesOf(saga));

  async function free(kind: InterventionKind, by: InterventionRequest): Answer {
    const freed = await intervene(database, kind, by);
    const saga = await sagaOf(database, by.sagaId);
    if (freed) return { saga: toProto(saga) };
    const where = saga.status === 'STUCK' ? `STUCK at ${nameOf(namesOf(saga), saga.step)}, another step` : `${saga.status}, not STUCK: it needs no hand`;
    throw refusal('SAGA_NOT_STUCK', `saga ${by.sagaId} is ${where}; look again with \`mesh saga show\``, { metadata: { state: saga.status } });
  }

  async function freeAt(kind: InterventionKind, { sagaId, who, why, step }: Omit<InterventionRequest, 'step'> & { readonly step: string }): Answer {
    const saga = await sagaOf(database, sagaId);
    return free(kind, { sagaId, who, why, step: indexOf(saga, namesOf(saga), step) ?? NOWHERE });
  }

  return {
    async listSagas({ state, orderId, pageSize, pageToken }) {
      const page = readPage(pageSize, pageToken);
      const status = statusFromProto(state);
      const found = await listSagas(database, { ...(status && { status }), ...(orderId && { subject: orderId }) }, page);
      const { entries, nextPageToken } = cutPage(found, page, ({ sagaId }) => sagaId);
      return { sagas: entries.map(toProto), nextPageToken };
    },
    getSaga: async ({ sagaId }) => ({ saga: toProto(await sagaOf(database, sagaId)) }),
    retrySaga: ({ sagaId, who, why }) => free('RETRY', { sagaId, who, why }),
    resolveSaga: (request) => freeAt('RESOLVE', request),
    skipSaga: (request) => freeAt('SKIP', request),
  };
}

async function sagaOf(database: Database, sagaId: string): Promise<SagaRecord> {
  const saga = await findSaga(database, sagaId);
  if (saga) return saga;
  throw refusal('SAGA_NOT_FOUND', `there is no saga ${sagaId}; \`mesh saga list\` shows them`, { metadata: { saga_id: sagaId } });
}
