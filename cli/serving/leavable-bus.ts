import type { Event, EventBus } from '#events';
import { type Clock, type MeshError, refusal } from '#kit';

/** A bus that can be left although it does not answer. */
export interface LeavableBus {
  readonly bus: EventBus;
  /** From now on what is being published has {@link GRACE_MS} to end. */
  leave(): void;
}

/**
 * How long the way down waits for each of: consumers, what is being published, and the bus itself. A bus that takes
 * connections and never answers would hold it up for minutes. Nothing is lost: what it has not confirmed is still in
 * the outbox, what is not committed is delivered again, and both have their effect once.
 */
const GRACE_MS = 2_000;

export function leavable(bus: EventBus, clock: Clock): LeavableBus {
  // Of what is being published: a promise that all of them wait for would keep every one of them until the end.
  const publishing = new Set<(error: MeshError) => void>();
  let leftBy: MeshError | undefined;

  async function publish(events: readonly Event[]): Promise<void> {
    if (leftBy) throw leftBy;
    const left = Promise.withResolvers<never>();
    publishing.add(left.reject);
    try {
      await Promise.race([bus.publish(events), left.promise]);
    } finally {
      publishing.delete(left.reject);
    }
  }

  function giveUp(): void {
    const error = refusal('CANCELLED', 'this process is stopping, and the event bus does not answer');
    leftBy = error;
    for (const reject of publishing) reject(error);
  }

  async function withGrace(stopping: Promise<void>): Promise<void> {
    const over = new AbortController();
    await Promise.race([stopping, clock.sleep(GRACE_MS, over.signal).catch(() => undefined)]);
    over.abort();
  }

  let grace: AbortController | undefined;
  return {
    bus: {
      ...bus,
      publish,
      subscribe(options) {
        const subscription = bus.subscribe(options);
        return { stop: () => withGrace(subscription.stop()) };
      },
      async stop() {
        grace?.abort();
        await withGrace(bus.stop());
      },
    },
    leave() {
      grace = new AbortController();
      clock.sleep(GRACE_MS, grace.signal).then(giveUp, () => undefined);
    },
  };
}
