import type { Clock, Lifecycle } from '#kit';

type StopSteps = ReturnType<Lifecycle['together']>;

/**
 * The way down of a process's services, last step first. Each step is for all services at
 * once: they start in an order that nobody knows, and until the last one has finished its
 * calls and its work it may call any of the others.
 */
export interface WayDown {
  readonly databases: StopSteps;
  /** Background work; it may call other services. */
  readonly work: StopSteps;
  /** Calls in flight. */
  readonly servers: StopSteps;
  readonly registrations: StopSteps;
  /** NOT_SERVING. */
  readonly health: StopSteps;
}

/**
 * How long servers serve on once they are out of the registry. A watch asks again at most
 * 120 ms after its last answer, and hears at once; the rest is room for a busy machine.
 */
const HEARD_MS = 300;

/** Adds the way down to what the lifecycle holds already, which stops after it. */
export function addWayDown({ together, onStop }: Lifecycle, clock: Clock): WayDown {
  // In the order of the lifecycle: what is added last stops first.
  const databases = together();
  const work = together();
  const servers = together();
  // A server that closes before its callers have heard sends calls back unserved; grpc-js
  // places such a call once more, and it is lost if that server closes too.
  onStop('callers hear of it', () => clock.sleep(HEARD_MS));
  const registrations = together();
  const health = together();
  return { databases, work, servers, registrations, health };
}
