import type { ListSagasResponse, Saga } from '#proto/shop/order/v1/saga_pb.js';

import { table } from '../output.ts';
import { kindOf, positionOf, STATES, timeOf } from './words.ts';

const HEAD = ['SAGA', 'KIND', 'STATE', 'STEP', 'TRIES', 'BEGAN', 'WHY'];

/** Sagas for people, one a line. */
export function renderSagas({ sagas, nextPageToken }: ListSagasResponse): string {
  if (sagas.length === 0) return 'there are none';
  return table([HEAD, ...sagas.map(rowOf)]) + (nextPageToken ? '\nthere are more; see --limit' : '');
}

function rowOf(saga: Saga): string[] {
  const { sagaId, state, attempts, createTime } = saga;
  return [sagaId, kindOf(saga), STATES[state], positionOf(saga), String(attempts), timeOf(createTime), reasonOf(saga)];
}

function reasonOf({ failure, lastError, versionUnknown }: Saga): string {
  return versionUnknown ? 'VERSION_UNKNOWN' : (lastError?.reason ?? failure?.reason ?? '');
}
