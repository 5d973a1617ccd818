import { DOOR_LIMITS } from '../../../mesh/server/door/limits.ts';

/** Takes the limits of the doors of this process away, all but the windows, which are none. Before a door is made. */
export function liftLimits(): void {
  const { windowBytes } = DOOR_LIMITS;
  const lifted = Object.fromEntries(Object.keys(DOOR_LIMITS).map((name) => [name, Infinity]));
  const always = { burst: Infinity, perSecond: 0 };
  // A program has one set of defaults, which nothing but a test changes.
  Object.assign(DOOR_LIMITS, lifted, { windowBytes, pings: always, resets: always });
}
