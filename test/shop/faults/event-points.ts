import type { Event, EventHooks } from '#events';

/** The points on an event's way, by name: `hear` gets the trace of the request that it comes from, where there is one alone. */
export function eventPoints(hear: (point: string, traceId: string | undefined) => void): EventHooks {
  return {
    beforePublish: () => hear('before publish', undefined),
    afterPublish: () => hear('after publish', undefined),
    beforeDeliver: (event) => hear(`before deliver ${nameOf(event)}`, traceIdOf(event)),
    afterDeliver: (event) => hear(`after deliver ${nameOf(event)}`, traceIdOf(event)),
    afterCommit: (event) => hear(`after effect ${nameOf(event)}`, traceIdOf(event)),
  };
}

function nameOf({ type }: Event): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

function traceIdOf({ traceparent }: Event): string | undefined {
  return traceparent?.split('-')[1];
}
