import type { DatabaseHooks, IdempotencyStore } from '#database';
import type { EventHooks } from '#events';
import type { ClientInterceptor, ServerInterceptor } from '#mesh';
import type { SagaHooks } from '#saga';

/** Points at which tests may stop, fail or kill the process. Empty in a shop. */
export interface ProcessHooks {
  readonly database?: DatabaseHooks;
  readonly saga?: SagaHooks;
  readonly events?: EventHooks;
  /** Stands between the calls of a service and its idempotency keys. */
  readonly idempotency?: (store: IdempotencyStore) => IdempotencyStore;
  readonly client?: readonly ClientInterceptor[];
  readonly server?: readonly ServerInterceptor[];
}
