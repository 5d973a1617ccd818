import type { Lifecycle } from '#kit';

type StopSteps = ReturnType<Lifecycle['together']>;

/**
 * The way down of a process's services, last step first. Each step is for all services at
 * once: they start in an order that nobody knows, and until the last one has finished its
 * calls and its work it may call any of the others.
 */
export interface WayDown {
  readonly databases: StopSteps;
  /** What publishes events; those that it has not published by then wait in the outbox for the next process. */
  readonly relays: StopSteps;
  /** Background work; it may call other services. */
  readonly work: StopSteps;
  /** Calls in flight. */
  readonly servers: StopSteps;
  /** Serving on until callers have noticed that the instance left the registry. */
  readonly noticed: StopSteps;
  readonly registrations: StopSteps;
  /** NOT_SERVING. */
  readonly health: StopSteps;
}

/** Adds the way down to what the lifecycle holds already, which stops after it. */
export function addWayDown({ together }: Lifecycle): WayDown {
  // In the order of the lifecycle: what is added last stops first.
  const databases = together();
  const relays = together();
  const work = together();
  const servers = together();
  const noticed = together();
  const registrations = together();
  const health = together();
  return { databases, relays, work, servers, noticed, registrations, health };
}
