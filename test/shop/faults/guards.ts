import type { IdempotencyStore } from '#database';
import type { EventHooks } from '#events';
import type { SagaHooks } from '#saga';

/** A guard that a run can do without, to see what it is for. */
export type Guard = 'inbox' | 'key claim' | 'fence';

const off: ReadonlySet<string> = new Set((process.env['FAULT_GUARDS_OFF'] ?? '').split(','));

/** Every request is the first with its key. */
const claimingNothing = (store: IdempotencyStore): IdempotencyStore => ({
  ...store,
  claim: async () => ({ claimed: true, hold: 0n }),
  claimResources: async (_tx, requests) => requests.map(() => undefined),
  conclude: async () => true,
});

/** What is composed into a process where guards are off. */
export const GUARDS: { readonly events: EventHooks; readonly saga: SagaHooks; readonly idempotency?: (store: IdempotencyStore) => IdempotencyStore } = {
  events: off.has('inbox') ? { withoutInbox: true } : {},
  saga: off.has('fence') ? { withoutFence: true } : {},
  ...(off.has('key claim') && { idempotency: claimingNothing }),
};
