import type { Database } from '#database';
import { repeat, type RepeatOptions } from '#kit';

import type { SagaRow } from './saga-row.ts';
import { renew } from './store.ts';

/** The sagas this process holds. */
export interface Leases {
  /** `sinceMs`: when it asked for the saga, by the process's own clock. */
  hold(saga: Held, sinceMs: number): void;
  /** Unless this process has taken the saga over from itself, after a lapse, under a higher fence. */
  letGo(saga: Held): void;
  /** Renews what is held until the signal aborts. */
  keep(): Promise<void>;
}

type Held = Pick<SagaRow, 'sagaId' | 'fence'>;

/**
 * Leases of `leaseMs`, each renewed when a third of it is over (of 5 s: 1.7 s, at the latest
 * 2.1 s). Most sagas are over by then and cost no renewal.
 */
export function createLeases(database: Database, leaseMs: number, options: Omit<RepeatOptions, 'everyMs'>): Leases {
  const held = new Map<string, Held & { sinceMs: number }>();
  const { clock } = options;

  async function renewOld(): Promise<void> {
    const now = clock.now();
    const old = [...held.values()].filter(({ sinceMs }) => now - sinceMs >= leaseMs / 3);
    if (old.length === 0) return;
    await renew(database, old, leaseMs);
    for (const lease of old) lease.sinceMs = now;
  }

  return {
    hold: ({ sagaId, fence }, sinceMs) => void held.set(sagaId, { sagaId, fence, sinceMs }),
    letGo({ sagaId, fence }) {
      if (held.get(sagaId)?.fence === fence) held.delete(sagaId);
    },
    keep: () => repeat(renewOld, { ...options, everyMs: leaseMs / 12 }),
  };
}
