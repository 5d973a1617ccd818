import type { Queryable } from '#database';

import { type Failure, pivotOf, type SagaDefinition } from './definition.ts';
import { requestCancellation } from './store.ts';

/**
 * Wants a saga undone, whoever runs it: it turns round where it is next written down, at once
 * if nobody runs it, and fails with `why`. False when it has reached its pivot, or is over, or
 * on its way back already. The row decides between the two sides: a saga that has written its
 * way to the pivot is not turned round any more, and one that is marked does not get there.
 */
export function cancelSaga<State extends object>(db: Queryable, definition: SagaDefinition<State>, sagaId: string, why: Failure): Promise<boolean> {
  return requestCancellation(db, sagaId, pivotOf(definition), why);
}
