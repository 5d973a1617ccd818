import type { Database } from '#database';
import { repeat, type RepeatOptions } from '#kit';

import { renew, type SagaRow } from './store.ts';

/** The sagas this process holds, as it last wrote them. */
export interface Leases {
  hold(saga: SagaRow): void;
  /** Unless this process has taken the saga over from itself, after a lapse, under a higher fence. */
  letGo(saga: SagaRow): void;
  /** Renews what is held until the signal aborts. */
  keep(): Promise<void>;
}

/** Leases of `leaseMs`, renewed three times in that span. */
export function createLeases(database: Database, leaseMs: number, options: Omit<RepeatOptions, 'everyMs'>): Leases {
  const held = new Map<string, SagaRow>();
  return {
    hold: (saga) => void held.set(saga.sagaId, saga),
    letGo({ sagaId, fence }) {
      if (held.get(sagaId)?.fence === fence) held.delete(sagaId);
    },
    keep: () =>
      repeat(
        async () => {
          if (held.size > 0) await renew(database, [...held.values()], leaseMs);
        },
        { ...options, everyMs: leaseMs / 3 },
      ),
  };
}
