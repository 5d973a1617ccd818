import { toJson } from '@bufbuild/protobuf';

import type { Client } from '#mesh';
import { ListSagasResponseSchema, type Saga, SagaSchema, SagaService, SagaState } from '#proto/shop/order/v1/saga_pb.js';

import { type CallerOptions, createCaller } from '../calling/caller.ts';
import type { Output } from '../output.ts';
import { renderSagas } from '../saga/render-list.ts';
import { renderSaga } from '../saga/render-saga.ts';
import { STATES } from '../saga/words.ts';
import { whoAmI } from '../who-am-i.ts';
import { settingsOfRunningShop } from './running-shop.ts';

const LOOKS: CallerOptions = { leavesTrace: false };
const ACTS: CallerOptions = { leavesTrace: true };

/** `mesh saga list`. It only looks, as `show` does: `mesh trace --last` goes on showing what has happened. */
export async function listSagasCommand(only: { state?: string; order?: string; limit: number }, output: Output): Promise<void> {
  const answer = await withSagas(LOOKS, (sagas) => sagas.listSagas({ state: stateOf(only.state), orderId: only.order ?? '', pageSize: only.limit }));
  output.answer(() => renderSagas(answer), toJson(ListSagasResponseSchema, answer));
}

/** `mesh saga show`. */
export async function showSagaCommand(sagaId: string, output: Output): Promise<void> {
  const { saga } = await withSagas(LOOKS, (sagas) => sagas.getSaga({ sagaId }));
  show(saga, output);
}

export type Hand = 'retry' | 'resolve' | 'skip';

/** `mesh saga retry`, `mesh saga resolve` and `mesh saga skip`. */
export async function interveneCommand(hand: Hand, sagaId: string, { why, by, step = '' }: { why: string; by?: string; step?: string }, output: Output): Promise<void> {
  const request = { sagaId, why, who: by ?? whoAmI(), step };
  const { saga } = await withSagas<{ saga?: Saga | undefined }>(ACTS, (sagas) => {
    switch (hand) {
      case 'retry':
        return sagas.retrySaga(request);
      case 'resolve':
        return sagas.resolveSaga(request);
      case 'skip':
        return sagas.skipSaga(request);
    }
  });
  show(saga, output);
}

async function withSagas<T>(traces: CallerOptions, ask: (sagas: Client<typeof SagaService>) => Promise<T>): Promise<T> {
  const { settings } = await settingsOfRunningShop();
  const caller = await createCaller(settings, traces);
  try {
    return await ask(caller.mesh.client(SagaService, caller));
  } finally {
    await caller.stop();
  }
}

function show(saga: Saga | undefined, output: Output): void {
  // The answer of each of these methods has its saga.
  if (saga) output.answer(() => renderSaga(saga), toJson(SagaSchema, saga));
}

function stateOf(name: string | undefined): SagaState {
  const states = [SagaState.RUNNING, SagaState.COMPENSATING, SagaState.COMPLETED, SagaState.FAILED, SagaState.STUCK];
  return states.find((state) => STATES[state] === name) ?? SagaState.UNSPECIFIED;
}
