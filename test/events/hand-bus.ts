import type { Deliver, Event, EventBus } from '#events';

/** A bus whose deliveries are made by the test. */
export interface HandBus extends Pick<EventBus, 'subscribe'> {
  /** Delivers an event to whoever subscribed last; rejects as the consumer does. */
  deliver(event: Event): Promise<void>;
  /** What it subscribed to. */
  topics(): readonly string[];
}

export function createHandBus(): HandBus {
  const stopping = new AbortController();
  let given: { topics: readonly string[]; deliver: Deliver } | undefined;
  return {
    subscribe(options) {
      given = options;
      return { stop: async () => stopping.abort() };
    },
    async deliver(event) {
      await given?.deliver(event, stopping.signal);
    },
    topics: () => given?.topics ?? [],
  };
}
