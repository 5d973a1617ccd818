import type { Database } from '#database';
import { type Clock, newId, type Random } from '#kit';

import { holdOutbox, releaseOutbox, sleepUntilRung } from './outbox-store.ts';

/** One relay's hold on an outbox, and its word that it sleeps. */
export interface OutboxLease {
  /** Takes the outbox or keeps it; false while another relay has it. One statement in a third of the lease's time. */
  hold(): Promise<boolean>;
  /** Whether its hold has not run out, by its own clock. */
  isHeld(): boolean;
  /** From now on whoever writes an event rings; false when that was so already. */
  fallAsleep(): Promise<boolean>;
  release(): Promise<void>;
}

export function createOutboxLease(database: Database, leaseMs: number, { clock, random }: { clock: Clock; random: Random }): OutboxLease {
  const holder = newId(clock, random);
  let heldUntil = -Infinity;
  let isAsleep = false;
  return {
    async hold() {
      const now = clock.now();
      if (!isAsleep && now < heldUntil - (leaseMs * 2) / 3) return true;
      const isHeld = await holdOutbox(database, holder, leaseMs);
      heldUntil = isHeld ? now + leaseMs : -Infinity;
      if (isHeld) isAsleep = false;
      return isHeld;
    },
    isHeld: () => clock.now() < heldUntil,
    async fallAsleep() {
      if (isAsleep) return false;
      await sleepUntilRung(database, holder);
      isAsleep = true;
      return true;
    },
    release: () => releaseOutbox(database, holder),
  };
}
